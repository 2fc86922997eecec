//! Whether maintenance is at work on the tenant, before and after something was read.

use rollcall_clients::store::{LeaseStamp, MAINTENANCE_LEASE};
use rollcall_domain::base::ids::TenantId;

use crate::error::ApiError;
use crate::state::ApiState;

/// Lists of members are not given out while maintenance works (S4-113): says
/// so now, and gives what [`still_unlocked`] compares with in the end.
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

/// Whether maintenance neither works now nor has begun since: what was read
/// in between was not half changed.
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
