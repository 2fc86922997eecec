//! Snapshots kept in memory between requests, so that previews answer at once.

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

/// Stored bytes of all kept snapshots together; in memory they take about six
/// times as much, which the function's memory in `template.yaml` allows for.
const MAX_STORED: usize = 160 * 1_024 * 1_024;

/// A tenant's data, ready to be asked.
#[derive(Debug)]
pub(crate) struct Data {
    pub(crate) pointer: SnapshotPointer,
    pub(crate) snapshot: Snapshot,
    pub(crate) fields: Fields,
    accounts: OnceLock<Accounts>,
    order: OnceLock<NameOrder>,
    stored: usize,
}

impl Data {
    /// The learners' Entra accounts, worked out when first needed.
    pub(crate) fn accounts(&self) -> &Accounts {
        self.accounts
            .get_or_init(|| Accounts::of(&self.snapshot.people))
    }

    /// The order of people by name, worked out when first needed.
    pub(crate) fn order(&self) -> &NameOrder {
        self.order.get_or_init(|| NameOrder::of(&self.snapshot))
    }
}

/// The snapshots at hand, the one used last behind all others.
#[derive(Debug, Clone, Default)]
pub(crate) struct SnapshotCache(Arc<Mutex<Vec<Arc<Data>>>>);

impl SnapshotCache {
    fn recall(&self, tenant: TenantId, pointer: &SnapshotPointer) -> Option<Arc<Data>> {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let place = kept.iter().position(|data| {
            data.snapshot.header.tenant == tenant && data.pointer.id == pointer.id
        })?;
        let data = kept.remove(place);
        kept.push(Arc::clone(&data));
        Some(data)
    }

    /// Keeps a snapshot instead of an older one of its tenant, and lets go of
    /// those not used for longest while all together are too large.
    fn insert(&self, data: &Arc<Data>) {
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

/// The data in use. Its pointer is read each time, so that a refresh counts at once.
pub(crate) async fn current(api: &ApiState, tenant: TenantId) -> Result<Arc<Data>, ApiError> {
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
    let data = Arc::new(Data {
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
