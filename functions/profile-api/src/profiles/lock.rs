//! Checks whether maintenance is running for the tenant, before and after a read.

use rollcall_clients::store::{LeaseStamp, MAINTENANCE_LEASE};
use rollcall_domain::base::ids::TenantId;

use crate::error::ApiError;
use crate::state::ApiState;

/// Checks that maintenance is not running, because member lists are locked during it
/// (S4-113). Returns the stamp that [`still_unlocked`] compares with afterwards.
pub(crate) async fn unlocked(api: &ApiState, tenant: TenantId) -> Result<LeaseStamp, ApiError> {
    let store = &api.services.store;
    let stamp = store.lease_stamp(tenant, MAINTENANCE_LEASE).await;
    let stamp = stamp?;
    if stamp.held {
        Err(ApiError::Locked)
    } else {
        Ok(stamp)
    }
}

/// Checks that no maintenance has begun since, so that the data read in between is
/// consistent.
pub(crate) async fn still_unlocked(
    api: &ApiState,
    tenant: TenantId,
    since: LeaseStamp,
) -> Result<(), ApiError> {
    if unlocked(api, tenant).await? == since {
        Ok(())
    } else {
        Err(ApiError::Locked)
    }
}
