//! The directory sync: what was chosen, how it stands, its runs, and what people decide about its changes.

pub(crate) mod changes;
pub(crate) mod connect;
mod input;
pub(crate) mod lifecycle;
pub(crate) mod operator_schedule;
mod persist;
pub(crate) mod pins;
pub(crate) mod review;
mod run_view;
pub(crate) mod runs;
pub(crate) mod save;
pub(crate) mod show;

use rollcall_clients::store::connections::Versioned;
use rollcall_clients::vault::SyncCredentials;
use rollcall_domain::base::ids::TenantId;
use rollcall_domain::directory_sync::SyncState;

use crate::ApiState;
use crate::error::ApiError;

/// The subject under which the audit knows it.
pub(super) const SUBJECT: (&str, &str) = ("directory-sync", "Directory sync");

impl ApiState {
    /// The tenant's sync, which must have been configured.
    async fn sync(&self, tenant: TenantId) -> Result<Versioned<SyncState>, ApiError> {
        let found = self.services.store.sync(tenant).await?;
        found.ok_or_else(not_configured)
    }

    async fn sync_credentials(&self, tenant: TenantId) -> Result<SyncCredentials, ApiError> {
        Ok(self.services.vault.sync_credentials(tenant).await?)
    }
}

/// Nobody has configured it yet.
fn not_configured() -> ApiError {
    let detail = "The directory sync is not configured yet; save its configuration to begin.";
    ApiError::not_found("not-configured", detail)
}

/// It cannot be done as the sync stands now.
fn conflict(kind: &'static str, detail: &str) -> ApiError {
    ApiError::conflict(kind, detail)
}
