//! The stored connection of a catalog's account, its lease and its options.

use rollcall_clients::store::Lease;
use rollcall_clients::store::connections::Versioned;
use rollcall_domain::base::ids::{CatalogId, TenantId};
use rollcall_domain::connection::MailConnection;

use crate::catalogs;
use crate::error::ApiError;
use crate::state::{ApiState, now};

/// Returns the connection of an existing catalog; an unconfigured one if none is stored.
pub(crate) async fn find(
    api: &ApiState,
    tenant: TenantId,
    catalog: CatalogId,
) -> Result<Versioned<MailConnection>, ApiError> {
    let stored = api.services.store.mail_connection(tenant, catalog).await;
    if let Some(found) = stored? {
        return Ok(found);
    }
    let title = catalogs::title(api, tenant, catalog).await?;
    let mut blank = MailConnection::not_configured(now());
    blank.title = title.ok_or(ApiError::Missing)?;
    Ok(Versioned {
        value: blank,
        version: 0,
    })
}

/// Acquires the lease for changes to a catalog's account and connection.
pub(crate) async fn lease(
    api: &ApiState,
    tenant: TenantId,
    catalog: CatalogId,
) -> Result<Lease, ApiError> {
    Ok(api.services.grant_lease(tenant, catalog).await?)
}

/// Returns true if Azure Communication Services are activated for the tenant (S1-28).
pub(crate) async fn may_use_acs(api: &ApiState, tenant: TenantId) -> Result<bool, ApiError> {
    if api.services.settings.acs_url.is_none() {
        return Ok(false);
    }
    let plan = api.services.store.entitlement(tenant).await?;
    Ok(plan.is_some_and(|plan| plan.azure_communication_services))
}
