//! A cache of whether a tenant's plan includes the service (S4-001), for one minute.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use rollcall_clients::store::StoreError;
use rollcall_domain::base::ids::TenantId;

use crate::state::ApiState;

/// The lifetime of an entry; a changed plan takes effect within this time.
const REMEMBERED: Duration = Duration::from_mins(1);
/// The maximum number of cached tenants.
const MAX_TENANTS: usize = 10_000;

/// The entitlements that were read recently.
#[derive(Debug, Clone, Default)]
pub(crate) struct EntitlementCache(Arc<Mutex<HashMap<TenantId, (Instant, bool)>>>);

impl EntitlementCache {
    fn recall(&self, tenant: TenantId) -> Option<bool> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (at, entitled) = known.get(&tenant)?;
        (at.elapsed() < REMEMBERED).then_some(*entitled)
    }

    fn remember(&self, tenant: TenantId, entitled: bool) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= MAX_TENANTS {
            known.clear();
        }
        known.insert(tenant, (Instant::now(), entitled));
    }

    /// Removes a tenant whose plan was just changed.
    pub(crate) fn forget(&self, tenant: TenantId) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.remove(&tenant);
    }
}

/// Returns true if the tenant may use the service. Without an operator tenant, all may.
pub(crate) async fn is_entitled(api: &ApiState, tenant: TenantId) -> Result<bool, StoreError> {
    if api.services.settings.operator_tenant.is_none() {
        return Ok(true);
    }
    if let Some(known) = api.entitlements.recall(tenant) {
        return Ok(known);
    }
    let entitled = api.services.is_entitled(tenant).await?;
    api.entitlements.remember(tenant, entitled);
    Ok(entitled)
}
