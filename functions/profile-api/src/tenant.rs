//! `GET /v1/tenant`: the status of the caller's tenant.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::State;
use chrono::{DateTime, Utc};
use rollcall_clients::store::tenants::SnapshotPointer;
use rollcall_clients::store::{MAINTENANCE_LEASE, Store, StoreError};
use rollcall_domain::audience::settings::Onboarding;
use rollcall_domain::base::ids::{SnapshotId, TenantId};
use rollcall_domain::base::run::{Run, RunStatus};
use rollcall_domain::base::schedule::{Job, Slot};
use rollcall_domain::snapshot::sanity::Counts;
use rollcall_runtime::auth::Caller;
use serde::Serialize;
use utoipa::ToSchema;

use crate::error::ApiError;
use crate::state::ApiState;

/// The number of run records that are searched for one with profile counts.
const RECENT: usize = 10;

/// The status of a tenant.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct TenantStatus {
    tenant: TenantId,
    settings_present: bool,
    onboarding: Onboarding,
    /// The current snapshot; null before the first refresh.
    snapshot: Option<SnapshotInUse>,
    /// When the lock of the running maintenance expires; null if no maintenance is running.
    maintenance_lock_until: Option<DateTime<Utc>>,
    /// The newest run of each job that has run.
    last_runs: BTreeMap<Job, LastRun>,
    /// The number of profiles by their status after the newest run that evaluated them.
    profiles: BTreeMap<String, u64>,
}

/// The current snapshot, without its storage location.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct SnapshotInUse {
    id: SnapshotId,
    taken_at: DateTime<Utc>,
    counts: Counts,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct LastRun {
    slot: Slot,
    status: RunStatus,
    started_at: DateTime<Utc>,
    finished_at: Option<DateTime<Utc>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

/// Returns the tenant's status: current snapshot, lock, last runs and profiles by status.
#[utoipa::path(get, path = "/v1/tenant", tag = "Tenant",
    responses((status = 200, description = "The tenant's status", body = TenantStatus)))]
pub(crate) async fn show(
    State(api): State<ApiState>,
    caller: Caller,
) -> Result<Json<TenantStatus>, ApiError> {
    // Boxed, because several concurrent reads make the future too large for the stack.
    let status = Box::pin(status(&api.services.store, caller.tenant)).await?;
    Ok(Json(status.ok_or(ApiError::NoSettings)?))
}

/// Returns `None` for a tenant that never saved its settings.
async fn status(store: &Store, id: TenantId) -> Result<Option<TenantStatus>, StoreError> {
    let Some(tenant) = store.tenant(id).await? else {
        return Ok(None);
    };
    let (snapshot, maintenance_lock_until, refresh, maintenance, membership) = tokio::try_join!(
        store.snapshot_pointer(id),
        store.held_until(id, MAINTENANCE_LEASE),
        recent(store, id, Job::Refresh),
        recent(store, id, Job::Maintenance),
        recent(store, id, Job::Membership),
    )?;
    // A skipped run has no counts, so those of the previous run still apply.
    let counting = maintenance.iter().chain(&membership);
    let counting = counting.filter(|run| !statuses(run).is_empty());
    let newest = counting.max_by_key(|run| run.request.slot);
    Ok(Some(TenantStatus {
        tenant: id,
        settings_present: true,
        onboarding: tenant.onboarding,
        snapshot: snapshot.map(SnapshotInUse::from),
        maintenance_lock_until,
        profiles: newest.map(statuses).unwrap_or_default(),
        last_runs: [refresh, maintenance, membership]
            .into_iter()
            .filter_map(|runs| runs.into_iter().next())
            .map(|run| (run.request.job, LastRun::from(run)))
            .collect(),
    }))
}

/// Returns the newest runs of a job.
async fn recent(store: &Store, tenant: TenantId, job: Job) -> Result<Vec<Run>, StoreError> {
    let page = store.run_page(tenant, job, None, RECENT).await?;
    Ok(page.items)
}

/// Returns the number of profiles by status from the run's record; counting them would
/// read all profiles.
fn statuses(run: &Run) -> BTreeMap<String, u64> {
    let counts = run.counts.iter();
    counts
        .filter_map(|(name, count)| Some((name.strip_prefix("profiles.")?.to_owned(), *count)))
        .collect()
}

impl From<SnapshotPointer> for SnapshotInUse {
    fn from(pointer: SnapshotPointer) -> Self {
        Self {
            id: pointer.id,
            taken_at: pointer.taken_at,
            counts: pointer.counts,
        }
    }
}

impl From<Run> for LastRun {
    fn from(run: Run) -> Self {
        Self {
            slot: run.request.slot,
            status: run.status,
            started_at: run.started_at,
            finished_at: run.finished_at,
            note: run.note,
            error: run.error,
        }
    }
}
