//! A cache of snapshots in memory, so that previews are fast.

use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use rollcall_app::snapshots::SnapshotError;
use rollcall_clients::store::tenants::SnapshotPointer;
use rollcall_domain::base::ids::TenantId;
use rollcall_domain::membership::plan::diff::Accounts;
use rollcall_domain::rules::Fields;
use rollcall_domain::snapshot::Snapshot;
use rollcall_domain::snapshot::name_order::NameOrder;

use crate::error::ApiError;
use crate::state::ApiState;

/// The maximum total size of cached snapshots in stored bytes. In memory they take about
/// six times as much, which the function's memory in `template.yaml` allows for.
const MAX_STORED: usize = 160 * 1_024 * 1_024;

/// A tenant's snapshot with data derived from it.
#[derive(Debug)]
pub(crate) struct CachedSnapshot {
    pub(crate) pointer: SnapshotPointer,
    pub(crate) snapshot: Snapshot,
    pub(crate) fields: Fields,
    accounts: OnceLock<Accounts>,
    order: OnceLock<NameOrder>,
    stored: usize,
}

impl CachedSnapshot {
    /// Returns the learners' Entra accounts, computed on first use.
    pub(crate) fn accounts(&self) -> &Accounts {
        self.accounts
            .get_or_init(|| Accounts::of(&self.snapshot.people))
    }

    /// Returns the order of learners by name, computed on first use.
    pub(crate) fn order(&self) -> &NameOrder {
        self.order.get_or_init(|| NameOrder::of(&self.snapshot))
    }
}

/// The cached snapshots, the most recently used one last.
#[derive(Debug, Clone, Default)]
pub(crate) struct SnapshotCache(Arc<Mutex<Vec<Arc<CachedSnapshot>>>>);

impl SnapshotCache {
    fn recall(&self, tenant: TenantId, pointer: &SnapshotPointer) -> Option<Arc<CachedSnapshot>> {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let index = kept.iter().position(|data| {
            data.snapshot.header.tenant == tenant && data.pointer.id == pointer.id
        })?;
        let data = kept.remove(index);
        kept.push(Arc::clone(&data));
        Some(data)
    }

    /// Caches a snapshot in place of an older one of its tenant, and evicts the least
    /// recently used ones while the total size is too large.
    fn insert(&self, data: &Arc<CachedSnapshot>) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let tenant = data.snapshot.header.tenant;
        kept.retain(|other| other.snapshot.header.tenant != tenant);
        let mut all: usize = kept.iter().map(|data| data.stored).sum::<usize>() + data.stored;
        while all > MAX_STORED && !kept.is_empty() {
            all -= kept.remove(0).stored;
        }
        kept.push(Arc::clone(data));
    }
}

/// Returns the current snapshot. Its pointer is read each time, so that a refresh takes
/// effect immediately.
pub(crate) async fn current(
    api: &ApiState,
    tenant: TenantId,
) -> Result<Arc<CachedSnapshot>, ApiError> {
    let pointer = api.services.store.snapshot_pointer(tenant).await;
    let pointer = pointer?.ok_or(ApiError::NotReady)?;
    if let Some(data) = api.snapshots.recall(tenant, &pointer) {
        return Ok(data);
    }
    let loaded = api.services.load_snapshot(tenant, &pointer).await;
    let loaded = loaded.map_err(|error| match error {
        SnapshotError::Object(error) => ApiError::Object(error),
        error => ApiError::UnreadableSnapshot {
            id: pointer.id.clone(),
            problem: error.to_string(),
        },
    })?;
    let snapshot = loaded.snapshot;
    let data = Arc::new(CachedSnapshot {
        fields: Fields::of(&snapshot),
        snapshot,
        pointer,
        accounts: OnceLock::new(),
        order: OnceLock::new(),
        stored: loaded.stored_bytes,
    });
    api.snapshots.insert(&data);
    Ok(data)
}
