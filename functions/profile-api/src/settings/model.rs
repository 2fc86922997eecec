//! The settings and credentials of a tenant as they are stored.

use rollcall_clients::store::tenants::Tenant;
use rollcall_clients::vault::StoredCredentials;
use rollcall_domain::base::ids::TenantId;

use crate::error::ApiError;
use crate::state::ApiState;

/// The caller's tenant, which must have saved its settings.
pub(crate) async fn tenant(api: &ApiState, id: TenantId) -> Result<Tenant, ApiError> {
    let tenant = api.services.store.tenant(id).await;
    tenant?.ok_or(ApiError::NoSettings)
}

/// Which credentials are set, as the vault has them now: another process may
/// have replaced one a moment ago.
pub(crate) async fn credentials(
    api: &ApiState,
    tenant: TenantId,
) -> Result<StoredCredentials, ApiError> {
    let credentials = &api.services.vault;
    credentials.forget(tenant);
    Ok(credentials.stored(tenant).await?)
}
