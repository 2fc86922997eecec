//! The directory sync as stored: how it stands, when it is due, what was read last.

use chrono::{DateTime, Utc};
use rollcall_domain::base::audit::AuditEvent;
use rollcall_domain::base::ids::TenantId;
use rollcall_domain::base::schedule::Slot;
use rollcall_domain::directory_sync::SyncState;
use serde::{Deserialize, Serialize};

use super::connections::{Versioned, readable, versioned};
use super::items::{document, integer, moment, read, string, tenant, unreadable};
use super::tenants::SHARDS;
use super::{Condition, DUE_INDEX, Fence, Store, StoreError};

const SYNC: &str = "sync";
const MIRROR: &str = "sync-mirror";
/// The attributes of the due index.
const DUE: &str = "due";
const DUE_AT: &str = "due_at";
/// Writers of one sync that meet repeat so often.
const TRIES: u32 = 8;

/// Where what was read last is, and where to follow changes from. It moves under
/// the run's lease, and says whether it can be relied on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct MirrorPointer {
    /// The object that holds it.
    pub key: String,
    /// When people were read in full last.
    pub read_in_full: DateTime<Utc>,
    /// Where changes of people come from.
    pub people: String,
    /// Where changes of groups come from; none where they are not read, or several
    /// queries were needed.
    #[serde(default)]
    pub groups: Option<String>,
    /// Which groups were followed.
    #[serde(default)]
    pub groups_of: String,
    /// Whether the platform is known as it was left: false from before the first
    /// write until all of them are accounted for.
    pub settled: bool,
    /// The newest change of the platform's users that was seen; none where it cannot
    /// tell what changed.
    #[serde(default)]
    pub newest_user: Option<DateTime<Utc>>,
    /// The same of its groups.
    #[serde(default)]
    pub newest_group: Option<DateTime<Utc>>,
    /// Where the platform is: another address is another platform.
    pub target: String,
    /// When the platform was read in full last.
    pub platform_in_full: DateTime<Utc>,
}

fn shard(id: TenantId) -> String {
    format!("sync#{}", id.uuid().as_bytes()[15] % SHARDS)
}

impl Store {
    /// A tenant's sync; none before it was first configured.
    pub async fn sync(&self, tenant: TenantId) -> Result<Option<Versioned<SyncState>>, StoreError> {
        let item = self.get(tenant, SYNC).await?;
        item.as_ref().map(versioned).transpose()
    }

    /// Stores it with the events that tell about it. The index knows it by its next
    /// slot, and not at all while it has none.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when it is of another version than `expected`.
    pub async fn put_sync(
        &self,
        tenant: TenantId,
        state: &SyncState,
        expected: Option<u64>,
        events: &[AuditEvent],
    ) -> Result<u64, StoreError> {
        let next = expected.map_or(1, |version| version + 1);
        let mut item = document(tenant, SYNC, state, next)?;
        if let Some(due) = state.due {
            item.insert(DUE.to_owned(), string(shard(tenant)));
            item.insert(DUE_AT.to_owned(), moment(due));
        }
        let mut items = vec![self.put(item, Some(Condition::version(expected)))?];
        for event in events {
            items.push(self.event(tenant, event)?);
        }
        self.write(None, items).await?;
        Ok(next)
    }

    /// Changes it, whoever else does at the moment. `change` may be asked several
    /// times; where it answers `false` nothing is stored.
    ///
    /// # Errors
    /// [`StoreError::Missing`] where it was never configured.
    pub async fn change_sync(
        &self,
        tenant: TenantId,
        events: &[AuditEvent],
        mut change: impl FnMut(&mut SyncState) -> bool,
    ) -> Result<SyncState, StoreError> {
        for _ in 0..TRIES {
            let Some(Versioned { mut value, version }) = self.sync(tenant).await? else {
                return Err(StoreError::Missing);
            };
            if !change(&mut value) {
                return Ok(value);
            }
            match self.put_sync(tenant, &value, Some(version), events).await {
                Ok(_) => return Ok(value),
                Err(StoreError::Conflict) => {}
                Err(error) => return Err(error),
            }
        }
        Err(StoreError::Contended)
    }

    /// Every sync whose slot has come, with that slot. Nothing that is not due is
    /// looked at.
    pub async fn due_syncs(&self, now: DateTime<Utc>) -> Result<Vec<(TenantId, Slot)>, StoreError> {
        let mut found = Vec::new();
        for shard in 0..SHARDS {
            let mut pages = self
                .client
                .query()
                .table_name(&self.table)
                .index_name(DUE_INDEX)
                .key_condition_expression("#due = :shard AND #at <= :now")
                .expression_attribute_names("#due", DUE)
                .expression_attribute_names("#at", DUE_AT)
                .expression_attribute_values(":shard", string(format!("sync#{shard}")))
                .expression_attribute_values(":now", moment(now))
                .into_paginator()
                .items()
                .send();
            while let Some(item) = pages.next().await {
                found.push(item?);
            }
        }
        let all = found.iter().map(|item| {
            let due = integer(item, DUE_AT).and_then(DateTime::from_timestamp_millis);
            let due = due.ok_or_else(|| unreadable(SYNC, "it has no time in the due index"))?;
            Ok((tenant(item)?, Slot::of_tick(due)))
        });
        Ok(readable(all))
    }

    /// Where what was read last is.
    pub async fn mirror(&self, tenant: TenantId) -> Result<Option<MirrorPointer>, StoreError> {
        let item = self.get(tenant, MIRROR).await?;
        item.as_ref().map(read).transpose()
    }

    /// Moves it, under the run's lease.
    pub async fn put_mirror(
        &self,
        fence: &Fence,
        pointer: &MirrorPointer,
    ) -> Result<(), StoreError> {
        let item = document(fence.tenant, MIRROR, pointer, 1)?;
        self.write(Some(fence), vec![self.put(item, None)?]).await
    }

    /// Forgets what was read: everything is read anew then.
    pub async fn forget_mirror(&self, tenant: TenantId) -> Result<(), StoreError> {
        let gone = self.delete(tenant, MIRROR)?;
        self.write(None, vec![gone]).await
    }
}
