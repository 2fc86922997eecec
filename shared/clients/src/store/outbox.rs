//! The queue of a catalog's e-mails in the order of sending, and its undelivered e-mails.
//!
//! An e-mail is marked before it is sent and removed from the queue afterwards. Only the holder
//! of the mailbox's lease sends, so a marked e-mail was left by a function that crashed: it may
//! have been delivered, is never retried automatically, and remains visible.

use aws_sdk_dynamodb::types::Select;
use chrono::{DateTime, Utc};
use rollcall_domain::base::ids::{CatalogId, TenantId};
use rollcall_domain::notices::delivery::{MailboxState, MessageStatus};
use rollcall_domain::notices::{Notice, Urgency};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::items::{document, entity, item, number, read, string, version};
use super::messages::{LEDGER, expiry};
use super::page::{List, Page};
use super::{Condition, Fence, Item, Store, StoreError, TTL_ATTRIBUTE};

const OUTBOX: &str = "outbox#";
const UNDELIVERED: &str = "undelivered#";

/// A queued e-mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiting {
    key: String,
    version: u64,
    /// Its content and state.
    pub mail: OutboxMail,
}

/// The content and state of an e-mail.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OutboxMail {
    /// The content and recipients.
    pub notice: Notice,
    /// The time at which it was queued.
    pub queued_at: DateTime<Utc>,
    /// The number of failed attempts.
    #[serde(default)]
    pub failed: u32,
    /// The earliest time of the next attempt.
    #[serde(default)]
    pub not_before: Option<DateTime<Utc>>,
    /// The reason of the last failure.
    #[serde(default)]
    pub problem: Option<String>,
    /// The channel that is sending it, or was when a function crashed.
    #[serde(default)]
    pub marked_by: Option<String>,
    /// The final status of an e-mail that was removed from the queue.
    #[serde(default)]
    pub ended: Option<MessageStatus>,
}

fn prefix(catalog: CatalogId) -> String {
    format!("{OUTBOX}{catalog}#")
}

fn key(catalog: CatalogId, urgency: Urgency, at: DateTime<Utc>, id: Uuid) -> String {
    let rank = match urgency {
        Urgency::Urgent => 0,
        Urgency::Normal => 1,
        Urgency::Bulk => 2,
    };
    format!(
        "{}{rank}#{:013}#{id}",
        prefix(catalog),
        at.timestamp_millis()
    )
}

fn waiting(item: &Item) -> Result<Waiting, StoreError> {
    Ok(Waiting {
        key: entity(item).to_owned(),
        version: version(item),
        mail: read(item)?,
    })
}

impl Waiting {
    /// Returns its sort order in the queue; the smallest is sent first.
    pub fn rank(&self) -> (Urgency, DateTime<Utc>) {
        (self.mail.notice.urgency, self.mail.queued_at)
    }
}

impl Store {
    /// Queues an e-mail of a catalog once; returns `false` if it was queued before, regardless
    /// of its status.
    pub async fn enqueue_mail(
        &self,
        catalog: CatalogId,
        notice: &Notice,
        at: DateTime<Utc>,
    ) -> Result<bool, StoreError> {
        let mail = OutboxMail {
            notice: notice.clone(),
            queued_at: at,
            failed: 0,
            not_before: None,
            problem: None,
            marked_by: None,
            ended: None,
        };
        let key = key(catalog, notice.urgency, at, notice.id);
        let line = document(notice.tenant, &key, &mail, 1)?;
        let items = vec![
            self.put(ledger(notice, "queued"), Some(Condition::absent()))?,
            self.put(line, Some(Condition::absent()))?,
        ];
        match self.write(None, items).await {
            Ok(()) => Ok(true),
            Err(StoreError::Conflict) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Returns the first e-mails of a catalog in the order of sending.
    pub async fn first_mails(
        &self,
        tenant: TenantId,
        catalog: CatalogId,
        limit: usize,
    ) -> Result<Vec<Waiting>, StoreError> {
        let page = self.mail_page(tenant, catalog, None, limit).await?;
        Ok(page.items)
    }

    /// Returns one page of a catalog's queued e-mails.
    ///
    /// # Errors
    /// [`StoreError::Cursor`] if `after` is not a key of this list.
    pub async fn mail_page(
        &self,
        tenant: TenantId,
        catalog: CatalogId,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Page<Waiting>, StoreError> {
        self.lines(tenant, &prefix(catalog), after, limit, false)
            .await
    }

    /// Returns one page of a catalog's e-mails that were given up or are doubtful, newest
    /// first.
    ///
    /// # Errors
    /// [`StoreError::Cursor`] if `after` is not a key of this list.
    pub async fn undelivered_page(
        &self,
        tenant: TenantId,
        catalog: CatalogId,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Page<Waiting>, StoreError> {
        let prefix = format!("{UNDELIVERED}{catalog}#");
        self.lines(tenant, &prefix, after, limit, true).await
    }

    async fn lines(
        &self,
        tenant: TenantId,
        prefix: &str,
        after: Option<&str>,
        limit: usize,
        backwards: bool,
    ) -> Result<Page<Waiting>, StoreError> {
        let list = List { prefix, backwards };
        let page = self.page(tenant, list, after, limit).await?;
        Ok(Page {
            items: page.items.iter().map(waiting).collect::<Result<_, _>>()?,
            next: page.next,
        })
    }

    /// Returns the number of queued e-mails of a catalog.
    pub async fn waiting(&self, tenant: TenantId, catalog: CatalogId) -> Result<u64, StoreError> {
        let (mut counted, mut start) = (0, None);
        loop {
            let query = self.query(tenant, &prefix(catalog)).select(Select::Count);
            let answer = query.set_exclusive_start_key(start).send().await?;
            counted += u64::try_from(answer.count).unwrap_or_default();
            start = answer.last_evaluated_key;
            if start.is_none() {
                return Ok(counted);
            }
        }
    }

    /// Marks an e-mail before it is sent, and stores the mailbox state that includes it, under
    /// the mailbox's lease.
    ///
    /// # Errors
    /// [`StoreError::LeaseLost`], or [`StoreError::Conflict`] if the e-mail has changed since
    /// it was read.
    pub async fn begin_mail(
        &self,
        fence: &Fence,
        waiting: &mut Waiting,
        mailbox_name: &str,
        state: &MailboxState,
    ) -> Result<(), StoreError> {
        waiting.mail.marked_by = Some(mailbox_name.to_owned());
        let items = vec![
            self.line(waiting)?,
            self.mailbox_line(fence.tenant, mailbox_name, state)?,
        ];
        self.write(Some(fence), items).await?;
        waiting.version += 1;
        Ok(())
    }

    /// Removes a sent e-mail from the queue. This does not require the lease, which may be lost
    /// by now; if another invocation has marked the e-mail doubtful, that status remains.
    pub async fn mail_sent(&self, waiting: &Waiting) -> Result<(), StoreError> {
        let notice = &waiting.mail.notice;
        let items = vec![
            self.delete_version(notice.tenant, &waiting.key, waiting.version)?,
            self.put(ledger(notice, "sent"), None)?,
        ];
        lenient(self.write(None, items).await)
    }

    /// Puts an e-mail that was certainly not sent back into the queue; `not_before` is the
    /// earliest time of a retry.
    pub async fn requeue_mail(
        &self,
        waiting: &mut Waiting,
        problem: &str,
        not_before: DateTime<Utc>,
        counts: bool,
    ) -> Result<(), StoreError> {
        let mail = &mut waiting.mail;
        mail.marked_by = None;
        mail.failed += u32::from(counts);
        mail.problem = Some(problem.chars().take(500).collect());
        mail.not_before = Some(not_before);
        let items = vec![self.line(waiting)?];
        lenient(self.write(None, items).await)
    }

    /// Removes an e-mail that is not retried from the queue and stores it in the list of
    /// undelivered e-mails for administrators.
    pub async fn mail_ended(
        &self,
        catalog: CatalogId,
        waiting: &Waiting,
        how: MessageStatus,
        problem: &str,
        at: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let mut mail = waiting.mail.clone();
        mail.ended = Some(how);
        mail.problem = Some(problem.chars().take(500).collect());
        let tenant = mail.notice.tenant;
        let id = mail.notice.id;
        let key = format!("{UNDELIVERED}{catalog}#{:013}#{id}", at.timestamp_millis());
        let mut kept = document(tenant, &key, &mail, 1)?;
        kept.insert(TTL_ATTRIBUTE.to_owned(), number(expiry()));
        let status = match how {
            MessageStatus::Doubtful => "doubtful",
            _ => "given-up",
        };
        let items = vec![
            self.delete_version(tenant, &waiting.key, waiting.version)?,
            self.put(kept, None)?,
            self.put(ledger(&mail.notice, status), None)?,
        ];
        lenient(self.write(None, items).await)
    }

    fn line(
        &self,
        waiting: &Waiting,
    ) -> Result<aws_sdk_dynamodb::types::TransactWriteItem, StoreError> {
        let tenant = waiting.mail.notice.tenant;
        let item = document(tenant, &waiting.key, &waiting.mail, waiting.version + 1)?;
        self.put(item, Some(Condition::version(Some(waiting.version))))
    }
}

fn ledger(notice: &Notice, status: &str) -> Item {
    let mut entry = item(notice.tenant, format!("{LEDGER}{}", notice.id));
    entry.insert("status".to_owned(), string(status));
    entry.insert(TTL_ATTRIBUTE.to_owned(), number(expiry()));
    entry
}

/// Ignores a conflict: another invocation recorded the status first, and it remains.
fn lenient(written: Result<(), StoreError>) -> Result<(), StoreError> {
    match written {
        Err(StoreError::Conflict) => Ok(()),
        other => other,
    }
}
