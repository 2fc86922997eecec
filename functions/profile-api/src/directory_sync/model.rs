//! The stored state, credentials, runs and reports of the directory sync.

use rollcall_clients::objects::{ObjectError, part_key};
use rollcall_clients::store::connections::Versioned;
use rollcall_clients::vault::SyncCredentials;
use rollcall_domain::base::ids::{ObjectId, TenantId};
use rollcall_domain::base::run::Run;
use rollcall_domain::base::schedule::Job;
use rollcall_domain::directory_sync::{SyncReport, SyncState};
use rollcall_runtime::auth::Caller;

use super::guards::not_configured;
use super::run_view::slot_of;
use crate::error::ApiError;
use crate::state::ApiState;

/// Returns the tenant's sync, which must be configured.
pub(crate) async fn find(
    api: &ApiState,
    tenant: TenantId,
) -> Result<Versioned<SyncState>, ApiError> {
    let found = api.services.store.sync(tenant).await?;
    found.ok_or_else(not_configured)
}

/// Returns the stored credentials of the sync.
pub(crate) async fn credentials(
    api: &ApiState,
    tenant: TenantId,
) -> Result<SyncCredentials, ApiError> {
    Ok(api.services.vault.sync_credentials(tenant).await?)
}

/// Returns the reports of a run, one for each invocation. Expired reports are omitted.
pub(crate) async fn reports(api: &ApiState, run: &Run) -> Result<Vec<SyncReport>, ApiError> {
    let mut parts = Vec::new();
    if run.report.is_none() {
        return Ok(parts);
    }
    for part in 0..=run.request.continuation {
        let key = part_key(run.request.tenant, &Run::key(&run.request), part);
        let bytes = match api.services.objects.get(&key).await {
            Ok(bytes) => bytes,
            Err(ObjectError::Missing(_)) => continue,
            Err(error) => return Err(error.into()),
        };
        let report = serde_json::from_slice(&bytes);
        parts.push(report.map_err(|source| ApiError::UnreadableReport { key, source })?);
    }
    Ok(parts)
}

/// Returns a run by its id.
pub(crate) async fn find_run(api: &ApiState, caller: &Caller, id: &str) -> Result<Run, ApiError> {
    let slot = slot_of(id).ok_or(ApiError::Missing)?;
    let store = &api.services.store;
    let run = store.run_at(caller.tenant, Job::DirectorySync, slot).await;
    run?.ok_or_else(|| crate::runs::not_begun(slot))
}

/// Returns true if a user was a Super admin when they last used the API.
pub(crate) async fn is_super_admin(
    api: &ApiState,
    caller: &Caller,
    id: ObjectId,
) -> Result<bool, ApiError> {
    let admin = api.services.store.admin(caller.tenant, id).await;
    let admin = admin?;
    Ok(admin.is_some_and(|admin| admin.roles.contains("SuperAdmin")))
}
