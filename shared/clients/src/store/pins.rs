//! Decisions of people that the directory sync respects (C-26), each in an item of its own.

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
    /// All decisions of a tenant.
    pub async fn pins(&self, tenant: TenantId) -> Result<Pins, StoreError> {
        let mut pins = Vec::new();
        self.each_page(tenant, PIN, |page| {
            pins.extend(page.iter().map(read::<Pin>));
        })
        .await?;
        // One that cannot be read might be about anything: nothing is decided without it.
        pins.into_iter().collect::<Result<Pins, _>>()
    }

    /// One page of them.
    ///
    /// # Errors
    /// [`StoreError::Cursor`] when `after` is no key of this list.
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

    /// Stores decisions and takes others back, with the event that tells about it.
    /// Many are stored in several steps; done again, it ends the same.
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

    /// Whether there is such a decision.
    pub async fn is_pinned(&self, tenant: TenantId, of: &str) -> Result<bool, StoreError> {
        Ok(self.get(tenant, &key(of)).await?.is_some())
    }
}
