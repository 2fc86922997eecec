//! In-product notifications and the ledger of sent e-mails.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use rollcall_domain::base::ids::{ObjectId, TenantId};
use rollcall_domain::notices::Notice;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::items::{document, item, number, read, string, text, version};
use super::{Attempts, Condition, Store, StoreError, TTL_ATTRIBUTE, now};

const INBOX: &str = "notification#";
/// The key prefix of the ledger, which records by notice id whether an e-mail was sent.
pub(super) const LEDGER: &str = "mail#";
/// Days after which notifications and ledger entries expire: longer than any queue retains a
/// message and any job repeats a notice.
const KEPT_DAYS: i64 = 400;

/// A notification shown in the product.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct InProduct {
    /// The content.
    pub notice: Notice,
    /// The time at which it was stored.
    pub at: DateTime<Utc>,
    /// The users who have read it.
    #[serde(default)]
    pub read_by: BTreeSet<ObjectId>,
}

/// The ledger's entry for an e-mail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ledger {
    /// No attempt has been recorded: the caller sends the e-mail.
    Ours,
    /// It was sent.
    Sent,
    /// An earlier attempt began and recorded no result. A retry could deliver the e-mail twice,
    /// so it is marked doubtful instead.
    Doubtful,
}

impl Store {
    /// Stores a notice for the product, once.
    pub async fn add_notification(&self, notice: &Notice) -> Result<(), StoreError> {
        let key = format!("{INBOX}{}", notice.id);
        let mut item = document(
            notice.tenant,
            &key,
            &InProduct {
                notice: notice.clone(),
                at: now(),
                read_by: BTreeSet::new(),
            },
            1,
        )?;
        item.insert(TTL_ATTRIBUTE.to_owned(), number(expiry()));
        match self
            .write(None, vec![self.put(item, Some(Condition::absent()))?])
            .await
        {
            Ok(()) | Err(StoreError::Conflict) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Returns the notifications of a tenant, oldest first.
    pub async fn notifications(&self, tenant: TenantId) -> Result<Vec<InProduct>, StoreError> {
        let items = self.list(tenant, INBOX).await?;
        let mut all: Vec<InProduct> = items.iter().map(read).collect::<Result<_, _>>()?;
        all.sort_by_key(|notification| notification.at);
        Ok(all)
    }

    /// Records that a user has read a notification.
    ///
    /// # Errors
    /// [`StoreError::Missing`] if no notification has this id.
    pub async fn read_notification(
        &self,
        tenant: TenantId,
        notice: Uuid,
        by: ObjectId,
    ) -> Result<(), StoreError> {
        let key = format!("{INBOX}{notice}");
        let mut attempts = Attempts::default();
        loop {
            let item = self.get(tenant, &key).await?.ok_or(StoreError::Missing)?;
            let mut shown: InProduct = read(&item)?;
            if !shown.read_by.insert(by) {
                return Ok(());
            }
            let before = version(&item);
            let mut after = document(tenant, &key, &shown, before + 1)?;
            if let Some(expires) = item.get(TTL_ATTRIBUTE) {
                after.insert(TTL_ATTRIBUTE.to_owned(), expires.clone());
            }
            let put = self.put(after, Some(Condition::version(Some(before))))?;
            match self.write(None, vec![put]).await {
                Ok(()) => return Ok(()),
                Err(error) => attempts.retry(error)?,
            }
        }
    }

    /// Claims an e-mail before it is sent.
    pub async fn claim_mail(&self, tenant: TenantId, notice: Uuid) -> Result<Ledger, StoreError> {
        let key = format!("{LEDGER}{notice}");
        let mut entry = item(tenant, &key);
        entry.insert("status".to_owned(), string("sending"));
        entry.insert(TTL_ATTRIBUTE.to_owned(), number(expiry()));
        match self
            .write(None, vec![self.put(entry, Some(Condition::absent()))?])
            .await
        {
            Ok(()) => return Ok(Ledger::Ours),
            Err(StoreError::Conflict) => {}
            Err(error) => return Err(error),
        }
        let entry = self.get(tenant, &key).await?.unwrap_or_default();
        Ok(match text(&entry, "status") {
            Some("failed") => Ledger::Ours,
            Some("sent") => Ledger::Sent,
            _ => Ledger::Doubtful,
        })
    }

    /// Records the result of sending: `sent`, `failed` (certainly not sent, so that a retry
    /// is safe) or `doubtful`.
    pub async fn record_mail_outcome(
        &self,
        tenant: TenantId,
        notice: Uuid,
        status: &str,
    ) -> Result<(), StoreError> {
        let mut entry = item(tenant, format!("{LEDGER}{notice}"));
        entry.insert("status".to_owned(), string(status));
        entry.insert(TTL_ATTRIBUTE.to_owned(), number(expiry()));
        self.write(None, vec![self.put(entry, None)?]).await
    }
}

/// Returns the expiry of an entry that is created now, in seconds since 1970.
pub(super) fn expiry() -> i64 {
    (now() + chrono::TimeDelta::days(KEPT_DAYS)).timestamp()
}
