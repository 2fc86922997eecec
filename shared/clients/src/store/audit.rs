//! Audit events, newest first; each is stored in the transaction that it describes.

use aws_sdk_dynamodb::types::TransactWriteItem;
use chrono::{DateTime, TimeDelta, Utc};
use rollcall_domain::base::audit::AuditEvent;
use rollcall_domain::base::ids::TenantId;
use uuid::Uuid;

use super::items::{document, number, read};
use super::page::{List, Page};
use super::{Condition, Fence, Store, StoreError, TTL_ATTRIBUTE};

const PREFIX: &str = "audit#";
/// Events expire after two years.
const KEPT_DAYS: i64 = 730;

fn key(at: DateTime<Utc>, unique: Uuid) -> String {
    let at = at.format("%Y-%m-%dT%H:%M:%S%.3fZ");
    format!("{PREFIX}{at}#{}", &unique.simple().to_string()[..12])
}

impl Store {
    /// Returns the write of an event; it never replaces another event.
    pub(super) fn event(
        &self,
        tenant: TenantId,
        event: &AuditEvent,
    ) -> Result<TransactWriteItem, StoreError> {
        let key = key(event.at, Uuid::new_v4());
        let mut item = document(tenant, &key, event, 1)?;
        let expires = event.at + TimeDelta::days(KEPT_DAYS);
        item.insert(TTL_ATTRIBUTE.to_owned(), number(expires.timestamp()));
        self.put(item, Some(Condition::absent()))
    }

    /// Stores an event that does not accompany the change of another item.
    pub async fn record(&self, tenant: TenantId, event: &AuditEvent) -> Result<(), StoreError> {
        self.write(None, vec![self.event(tenant, event)?]).await
    }

    /// Stores events while a lease is held.
    pub async fn record_under(
        &self,
        fence: &Fence,
        events: &[AuditEvent],
    ) -> Result<(), StoreError> {
        let items = events.iter().map(|event| self.event(fence.tenant, event));
        self.write(Some(fence), items.collect::<Result<_, _>>()?)
            .await
    }

    /// Stores an event like [`Store::record`], unless maintenance holds the lock (S4-113).
    ///
    /// # Errors
    /// [`StoreError::Locked`] if maintenance holds the lock.
    pub async fn record_unless_locked(
        &self,
        tenant: TenantId,
        event: &AuditEvent,
    ) -> Result<(), StoreError> {
        let mut writes = self.unless_locked(tenant)?;
        writes.also(self.event(tenant, event)?);
        self.commit(writes).await
    }

    /// Returns one page of events with their keys, newest first.
    ///
    /// # Errors
    /// [`StoreError::Cursor`] if `after` is not the key of an event.
    pub async fn audit_page(
        &self,
        tenant: TenantId,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Page<(String, AuditEvent)>, StoreError> {
        let list = List {
            prefix: PREFIX,
            backwards: true,
        };
        let page = self.page(tenant, list, after, limit).await?;
        let items = page.items.iter().map(|item| {
            let key = super::items::entity(item).to_owned();
            read(item).map(|event| (key, event))
        });
        Ok(Page {
            items: items.collect::<Result<_, _>>()?,
            next: page.next,
        })
    }
}
