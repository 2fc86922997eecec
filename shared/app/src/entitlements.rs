//! Checks which features a tenant's plan includes.

use chrono::Utc;
use rollcall_clients::store::StoreError;
use rollcall_domain::base::ids::TenantId;

use super::Services;

impl Services {
    /// Returns true if the tenant's plan includes the service (S4-001). In a deployment without an
    /// operator tenant, every tenant may use it.
    pub async fn is_entitled(&self, tenant: TenantId) -> Result<bool, StoreError> {
        if self.settings.operator_tenant.is_none() {
            return Ok(true);
        }
        let plan = self.store.entitlement(tenant).await?;
        Ok(plan.is_some_and(|plan| plan.includes_service(Utc::now())))
    }

    /// Returns true if the tenant's plan includes the directory sync (S2-02). In a deployment
    /// without an operator tenant, every tenant may use it.
    pub async fn has_sync(&self, tenant: TenantId) -> Result<bool, StoreError> {
        if self.settings.operator_tenant.is_none() {
            return Ok(true);
        }
        let plan = self.store.entitlement(tenant).await?;
        Ok(plan.is_some_and(|plan| plan.includes_sync(Utc::now())))
    }
}
