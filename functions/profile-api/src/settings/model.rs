//! The stored settings and credentials of a tenant.

use rollcall_clients::store::tenants::Tenant;
use rollcall_clients::vault::StoredCredentials;
use rollcall_domain::base::ids::TenantId;

use crate::error::ApiError;
use crate::state::ApiState;

/// Returns the caller's tenant, which must have saved its settings.
pub(crate) async fn tenant(api: &ApiState, id: TenantId) -> Result<Tenant, ApiError> {
    let tenant = api.services.store.tenant(id).await;
    tenant?.ok_or(ApiError::NoSettings)
}

/// Returns which credentials are set. Bypasses the cache, because another process may have
/// replaced one.
pub(crate) async fn credentials(
    api: &ApiState,
    tenant: TenantId,
) -> Result<StoredCredentials, ApiError> {
    let credentials = &api.services.vault;
    credentials.forget(tenant);
    Ok(credentials.stored(tenant).await?)
}
