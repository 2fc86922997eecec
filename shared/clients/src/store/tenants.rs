//! Tenants: settings, onboarding, the snapshot pointer, the fan-out index.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use rollcall_domain::audience::settings::{Onboarding, Settings, first_refresh_due};
use rollcall_domain::base::audit::AuditEvent;
use rollcall_domain::base::ids::{SnapshotId, TenantId};
use rollcall_domain::snapshot::sanity::{Counts, RecentCounts};
use serde::{Deserialize, Serialize};

use super::items::{document, moment, read, string, tenant, text, version};
use super::transaction::{ConditionFailure, Transaction};
use super::{Condition, Fence, Item, Store, StoreError, now};

const ENTITY: &str = "tenant";
const SNAPSHOT: &str = "snapshot";
/// The index key of tenants whose first refresh is due.
const ONBOARDING: &str = "onboarding";
/// The number of index keys over which active tenants are distributed, so that no single key
/// receives all reads of a tick.
pub const SHARDS: u8 = 8;

/// A tenant's settings and its onboarding state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tenant {
    /// Its id.
    pub id: TenantId,
    /// The settings that an administrator saved.
    pub settings: Settings,
    /// The onboarding state.
    pub onboarding: Onboarding,
    /// The version of the settings that a conditional save expects.
    pub version: u64,
}

/// The pointer to the snapshot in use. It is moved only after the upload is complete.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SnapshotPointer {
    /// The snapshot.
    pub id: SnapshotId,
    /// The time at which the refresh began to read.
    pub taken_at: DateTime<Utc>,
    /// Its object key.
    pub key: String,
    /// The object key of its schema.
    pub schema_key: String,
    /// Its counts, to compare the next snapshot with.
    pub counts: Counts,
    /// The number of users that have a value, by source.
    #[serde(default)]
    pub filled: BTreeMap<String, u64>,
    /// The counts of the snapshots of the last day before it, unless an administrator accepted
    /// smaller data.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub recent: Vec<RecentCounts>,
}

/// The kind of a save: the tenant's first, or a later one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Saved {
    /// The first save: a refresh is due within five minutes (S4-103).
    First,
    /// A later change.
    Again,
}

fn active_key(id: TenantId) -> String {
    format!("active#{}", id.uuid().as_bytes()[15] % SHARDS)
}

/// Copies the onboarding state, or initializes it on the first save.
fn onboarding(item: &mut Item, before: Option<&Item>) -> Saved {
    if let Some(before) = before {
        for name in ["onboarding", "fanout", "first_refresh_due"] {
            if let Some(value) = before.get(name) {
                item.insert(name.to_owned(), value.clone());
            }
        }
        return Saved::Again;
    }
    item.insert("onboarding".to_owned(), string("awaiting_first_refresh"));
    item.insert("fanout".to_owned(), string(ONBOARDING));
    let due = moment(first_refresh_due(now()));
    item.insert("first_refresh_due".to_owned(), due);
    Saved::First
}

/// Returns the condition that the settings have this version and the onboarding state has not
/// changed since it was read: a refresh that makes the tenant ready does not change the
/// version.
fn same_settings(expected: Option<u64>, before: Option<&Item>) -> Condition {
    let mut condition = Condition::version(expected);
    let far = before.and_then(|before| text(before, "onboarding"));
    if let (Some(far), Some(values)) = (far, &mut condition.values) {
        condition.expression.push_str(" AND onboarding = :far");
        values.insert(":far".to_owned(), string(far));
    }
    condition
}

impl Store {
    /// Returns the tenant, if its settings were ever saved.
    pub async fn tenant(&self, id: TenantId) -> Result<Option<Tenant>, StoreError> {
        let Some(item) = self.get(id, ENTITY).await? else {
            return Ok(None);
        };
        let onboarding = match text(&item, "onboarding") {
            Some("ready") => Onboarding::Ready,
            _ => Onboarding::AwaitingFirstRefresh,
        };
        Ok(Some(Tenant {
            id,
            settings: read(&item)?,
            onboarding,
            version: version(&item),
        }))
    }

    /// Saves settings unless maintenance holds the lock (S4-112). `expected` is
    /// the version that was read, `None` for the first save.
    pub async fn save_settings(
        &self,
        id: TenantId,
        settings: &Settings,
        expected: Option<u64>,
    ) -> Result<Saved, StoreError> {
        self.change_settings(id, settings, expected, None, &[])
            .await
    }

    /// Saves settings with their audit events; under a lease if the caller itself holds the
    /// maintenance lock to write credentials as well.
    ///
    /// # Errors
    /// [`StoreError::Locked`], or [`StoreError::Conflict`] if the stored version is not
    /// `expected`.
    pub async fn change_settings(
        &self,
        id: TenantId,
        settings: &Settings,
        expected: Option<u64>,
        fence: Option<&Fence>,
        events: &[AuditEvent],
    ) -> Result<Saved, StoreError> {
        let before = self.get(id, ENTITY).await?;
        let next = expected.map_or(1, |version| version + 1);
        let mut item = document(id, ENTITY, settings, next)?;
        let saved = onboarding(&mut item, before.as_ref());
        let mut writes = match fence {
            None => self.unless_locked(id)?,
            Some(fence) => {
                let mut writes = Transaction::default();
                let lease = self.check(id, &fence.entity(), fence.condition())?;
                writes.add(lease, ConditionFailure::LeaseLost);
                writes
            }
        };
        let condition = same_settings(expected, before.as_ref());
        writes.add(self.put(item, Some(condition))?, ConditionFailure::Conflict);
        for event in events {
            writes.also(self.event(id, event)?);
        }
        self.commit(writes).await.map(|()| saved)
    }

    /// Marks the tenant ready and adds it to the index of active tenants. Returns `true` only
    /// the first time, when the notice is due (S4-104).
    pub async fn mark_ready(&self, id: TenantId) -> Result<bool, StoreError> {
        let sent = self
            .client
            .update_item()
            .table_name(&self.table)
            .key(super::PARTITION_KEY, string(id))
            .key(super::SORT_KEY, string(ENTITY))
            .update_expression("SET onboarding = :ready, fanout = :active REMOVE first_refresh_due")
            .condition_expression("onboarding <> :ready")
            .expression_attribute_values(":ready", string("ready"))
            .expression_attribute_values(":active", string(active_key(id)))
            .send()
            .await;
        match sent {
            Ok(_) => Ok(true),
            Err(error) if error.as_service_error().is_some_and(aws_sdk_dynamodb::operation::update_item::UpdateItemError::is_conditional_check_failed_exception) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    /// Returns every active tenant: its settings were saved (S4-091) and its first refresh
    /// succeeded.
    pub async fn active_tenants(&self) -> Result<Vec<TenantId>, StoreError> {
        let mut found = Vec::new();
        for shard in 0..SHARDS {
            found.extend(self.fanout(&format!("active#{shard}")).await?);
        }
        Ok(found)
    }

    /// Returns the tenants that wait for their first refresh.
    pub async fn onboarding_tenants(&self) -> Result<Vec<TenantId>, StoreError> {
        self.fanout(ONBOARDING).await
    }

    async fn fanout(&self, key: &str) -> Result<Vec<TenantId>, StoreError> {
        self.fanned(key).await?.iter().map(tenant).collect()
    }

    /// Returns the snapshot in use; `None` before the first successful refresh (S4-107).
    pub async fn snapshot_pointer(
        &self,
        id: TenantId,
    ) -> Result<Option<SnapshotPointer>, StoreError> {
        self.get(id, SNAPSHOT).await?.as_ref().map(read).transpose()
    }

    /// Moves the pointer under the refresh's lease.
    pub async fn set_snapshot_pointer(
        &self,
        fence: &Fence,
        pointer: &SnapshotPointer,
    ) -> Result<(), StoreError> {
        let item = document(fence.tenant, SNAPSHOT, pointer, 1)?;
        self.write(Some(fence), vec![self.put(item, None)?]).await
    }
}
