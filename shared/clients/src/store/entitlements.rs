//! Which plan a tenant has, entered by operators.

use rollcall_domain::base::audit::AuditEvent;
use rollcall_domain::base::ids::TenantId;
use rollcall_domain::connection::entitlement::Entitlement;

use super::items::{document, read};
use super::{Store, StoreError};

const ENTITY: &str = "entitlement";

impl Store {
    /// The tenant's plan; `None` when no operator ever entered one.
    pub async fn entitlement(&self, tenant: TenantId) -> Result<Option<Entitlement>, StoreError> {
        self.get(tenant, ENTITY)
            .await?
            .as_ref()
            .map(read)
            .transpose()
    }

    /// Stores the tenant's plan. The last one written counts; maintenance does
    /// not look at it, so its lock does not matter.
    pub async fn put_entitlement(
        &self,
        tenant: TenantId,
        entitlement: &Entitlement,
        event: &AuditEvent,
    ) -> Result<(), StoreError> {
        let item = document(tenant, ENTITY, entitlement, 1)?;
        let items = vec![self.put(item, None)?, self.event(tenant, event)?];
        self.write(None, items).await
    }
}
