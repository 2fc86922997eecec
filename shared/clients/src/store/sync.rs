//! The stored state of the directory sync: state, due time and pointer to the checkpoint.

use chrono::{DateTime, Utc};
use rollcall_domain::base::audit::AuditEvent;
use rollcall_domain::base::ids::TenantId;
use rollcall_domain::base::schedule::Slot;
use rollcall_domain::directory_sync::SyncState;
use serde::{Deserialize, Serialize};

use super::connections::{Versioned, readable, versioned};
use super::items::{document, integer, moment, read, string, tenant, unreadable};
use super::tenants::SHARDS;
use super::{Attempts, Condition, DUE_INDEX, Fence, Store, StoreError};

const SYNC: &str = "sync";
const MIRROR: &str = "sync-mirror";
/// The attributes of the due index.
const DUE: &str = "due";
const DUE_AT: &str = "due_at";

/// The pointer to the last checkpoint and the links from which changes are followed. It is
/// updated under the run's lease and records whether the checkpoint is reliable.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CheckpointPointer {
    /// The object that contains the checkpoint.
    pub key: String,
    /// The time of the last full read of all users.
    pub read_in_full: DateTime<Utc>,
    /// The delta link for changes of users.
    pub people: String,
    /// The delta link for changes of groups; `None` if groups are not read.
    #[serde(default)]
    pub groups: Option<String>,
    /// The groups that the link covers.
    #[serde(default)]
    pub groups_of: String,
    /// True if the platform's state is known: false from before the first write until the
    /// outcome of every write is recorded.
    pub settled: bool,
    /// The newest change of the platform's users that was read; `None` if the platform does
    /// not report changes.
    #[serde(default)]
    pub newest_user: Option<DateTime<Utc>>,
    /// The newest change of the platform's groups, likewise.
    #[serde(default)]
    pub newest_group: Option<DateTime<Utc>>,
    /// The address of the platform: another address means another platform.
    pub target: String,
    /// The time of the last full read of the platform.
    pub platform_in_full: DateTime<Utc>,
}

fn shard(id: TenantId) -> String {
    format!("sync#{}", id.uuid().as_bytes()[15] % SHARDS)
}

impl Store {
    /// Returns a tenant's sync state; `None` before its first configuration.
    pub async fn sync(&self, tenant: TenantId) -> Result<Option<Versioned<SyncState>>, StoreError> {
        let item = self.get(tenant, SYNC).await?;
        item.as_ref().map(versioned).transpose()
    }

    /// Stores the sync state with its audit events. The due index contains it under its next
    /// slot, and not at all if it has none.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] if the stored version is not `expected`.
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

    /// Changes the sync state and retries on conflicts. `change` may be called several times;
    /// nothing is stored if it returns `false`.
    ///
    /// # Errors
    /// [`StoreError::Missing`] if the sync was never configured.
    pub async fn change_sync(
        &self,
        tenant: TenantId,
        events: &[AuditEvent],
        mut change: impl FnMut(&mut SyncState) -> bool,
    ) -> Result<SyncState, StoreError> {
        let mut attempts = Attempts::default();
        loop {
            let stored = self.sync(tenant).await?.ok_or(StoreError::Missing)?;
            let Versioned { mut value, version } = stored;
            if !change(&mut value) {
                return Ok(value);
            }
            match self.put_sync(tenant, &value, Some(version), events).await {
                Ok(_) => return Ok(value),
                Err(error) => attempts.retry(error)?,
            }
        }
    }

    /// Returns every due sync with its slot; syncs that are not due are not read.
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

    /// Returns the pointer to the last checkpoint.
    pub async fn checkpoint_pointer(
        &self,
        tenant: TenantId,
    ) -> Result<Option<CheckpointPointer>, StoreError> {
        let item = self.get(tenant, MIRROR).await?;
        item.as_ref().map(read).transpose()
    }

    /// Stores the pointer under the run's lease.
    pub async fn put_checkpoint_pointer(
        &self,
        fence: &Fence,
        pointer: &CheckpointPointer,
    ) -> Result<(), StoreError> {
        let item = document(fence.tenant, MIRROR, pointer, 1)?;
        self.write(Some(fence), vec![self.put(item, None)?]).await
    }

    /// Deletes the pointer, so that the next run reads everything.
    pub async fn delete_checkpoint_pointer(&self, tenant: TenantId) -> Result<(), StoreError> {
        let gone = self.delete(tenant, MIRROR)?;
        self.write(None, vec![gone]).await
    }
}
