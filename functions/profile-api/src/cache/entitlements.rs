//! Whether a tenant's plan includes the service (S4-001), remembered for a minute.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use rollcall_clients::store::StoreError;
use rollcall_domain::base::ids::TenantId;

use crate::state::ApiState;

/// A changed plan counts after this long at the latest.
const REMEMBERED: Duration = Duration::from_mins(1);
/// So many tenants are remembered.
const MAX_TENANTS: usize = 10_000;

/// What was found out lately.
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

    /// Forgets a tenant whose plan was just changed here.
    pub(crate) fn forget(&self, tenant: TenantId) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.remove(&tenant);
    }
}

/// Whether the tenant may use the service. Where nobody operates plans, all may.
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
