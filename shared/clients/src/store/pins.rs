//! Decisions of administrators that the directory sync respects (C-26), one item each.

use rollcall_domain::base::audit::AuditEvent;
use rollcall_domain::base::ids::TenantId;
use rollcall_domain::directory_sync::{Pin, Pins};

use super::items::{document, read};
use super::page::{List, Page};
use super::{Store, StoreError};

const PIN: &str = "pin#";

fn key(of: &str) -> String {
    format!("{PIN}{of}")
}

impl Store {
    /// Returns all decisions of a tenant.
    pub async fn pins(&self, tenant: TenantId) -> Result<Pins, StoreError> {
        let mut pins = Vec::new();
        self.each_page(tenant, PIN, |page| {
            pins.extend(page.iter().map(read::<Pin>));
        })
        .await?;
        // An unreadable decision could concern any record, so the call fails.
        pins.into_iter().collect::<Result<Pins, _>>()
    }

    /// Returns one page of the decisions of a tenant.
    ///
    /// # Errors
    /// [`StoreError::Cursor`] if `after` is not a key of this list.
    pub async fn pin_page(
        &self,
        tenant: TenantId,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Page<Pin>, StoreError> {
        let list = List {
            prefix: PIN,
            backwards: false,
        };
        let page = self.page(tenant, list, after, limit).await?;
        Ok(Page {
            items: page.items.iter().map(read).collect::<Result<_, _>>()?,
            next: page.next,
        })
    }

    /// Stores and deletes decisions, with the audit event. Large sets are written in several
    /// transactions; repeating the call has no further effect.
    pub async fn decide(
        &self,
        tenant: TenantId,
        reject: &[Pin],
        accept: &[String],
        event: &AuditEvent,
    ) -> Result<(), StoreError> {
        let mut items = vec![self.event(tenant, event)?];
        for pin in reject {
            items.push(self.put(document(tenant, &key(&pin.key), pin, 1)?, None)?);
        }
        for of in accept {
            items.push(self.delete(tenant, &key(of))?);
        }
        self.write(None, items).await
    }

    /// Returns true if a decision with this key exists.
    pub async fn is_pinned(&self, tenant: TenantId, of: &str) -> Result<bool, StoreError> {
        Ok(self.get(tenant, &key(of)).await?.is_some())
    }
}
