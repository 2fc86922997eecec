//! The plan of a tenant, entered by operators.

use rollcall_domain::base::audit::AuditEvent;
use rollcall_domain::base::ids::TenantId;
use rollcall_domain::connection::entitlement::Entitlement;

use super::items::{document, read};
use super::{Store, StoreError};

const ENTITY: &str = "entitlement";

impl Store {
    /// Returns the tenant's plan; `None` if no operator has entered one.
    pub async fn entitlement(&self, tenant: TenantId) -> Result<Option<Entitlement>, StoreError> {
        self.get(tenant, ENTITY)
            .await?
            .as_ref()
            .map(read)
            .transpose()
    }

    /// Stores the tenant's plan; the last write wins. Maintenance does not read the plan, so
    /// the write does not require its lock to be free.
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
