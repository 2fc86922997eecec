//! Mails of catalogs that wait for their turn, in the order in which they go out, and those nobody could deliver.
//!
//! A mail is marked before it is handed over and taken off the list afterwards.
//! Only the holder of the mailbox's lease sends, so one that is found marked was
//! left behind by a function that died: it may have arrived, is never sent again
//! by itself, and stays visible.

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

/// A mail that waits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiting {
    key: String,
    version: u64,
    /// What is known of it.
    pub mail: OutboxMail,
}

/// What is known of a mail.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OutboxMail {
    /// What it says and to whom.
    pub notice: Notice,
    /// When it was put on the list.
    pub queued_at: DateTime<Utc>,
    /// How often it was tried in vain.
    #[serde(default)]
    pub failed: u32,
    /// It is not tried before this.
    #[serde(default)]
    pub not_before: Option<DateTime<Utc>>,
    /// Why it failed last.
    #[serde(default)]
    pub problem: Option<String>,
    /// The lane on which it is being handed over, or was when a function died.
    #[serde(default)]
    pub marked_by: Option<String>,
    /// How it ended, once it is off the list.
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
    /// Its place on the list: what goes out first is the smaller.
    pub fn rank(&self) -> (Urgency, DateTime<Utc>) {
        (self.mail.notice.urgency, self.mail.queued_at)
    }
}

impl Store {
    /// Puts a catalog's mail on the list, once: `false` when it was there before,
    /// whatever became of it.
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

    /// The first mails of a catalog in the order in which they go out.
    pub async fn first_mails(
        &self,
        tenant: TenantId,
        catalog: CatalogId,
        limit: usize,
    ) -> Result<Vec<Waiting>, StoreError> {
        let page = self.mail_page(tenant, catalog, None, limit).await?;
        Ok(page.items)
    }

    /// One page of the mails of a catalog that wait.
    ///
    /// # Errors
    /// [`StoreError::Cursor`] when `after` is no key of this list.
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

    /// One page of the mails of a catalog that were given up or are doubtful,
    /// newest first.
    ///
    /// # Errors
    /// [`StoreError::Cursor`] when `after` is no key of this list.
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

    /// How many mails of a catalog wait.
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

    /// Marks a mail before it is handed over, and what its mailbox will have sent
    /// then, while the mailbox's lease is held.
    ///
    /// # Errors
    /// [`StoreError::LeaseLost`], or [`StoreError::Conflict`] when the mail is no
    /// longer as it was read.
    pub async fn begin_mail(
        &self,
        fence: &Fence,
        waiting: &mut Waiting,
        lane: &str,
        state: &MailboxState,
    ) -> Result<(), StoreError> {
        waiting.mail.marked_by = Some(lane.to_owned());
        let items = vec![
            self.line(waiting)?,
            self.mailbox_line(fence.tenant, lane, state)?,
        ];
        self.write(Some(fence), items).await?;
        waiting.version += 1;
        Ok(())
    }

    /// Takes a mail that was sent off the list. Whoever sent it may say so even
    /// if the lease is lost by now; if somebody has called it doubtful meanwhile,
    /// it stays so.
    pub async fn mail_sent(&self, waiting: &Waiting) -> Result<(), StoreError> {
        let notice = &waiting.mail.notice;
        let items = vec![
            self.delete_version(notice.tenant, &waiting.key, waiting.version)?,
            self.put(ledger(notice, "sent"), None)?,
        ];
        lenient(self.write(None, items).await)
    }

    /// Puts a mail that was surely not sent back, not to be tried before a moment.
    pub async fn mail_failed(
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

    /// Takes a mail off the list that is not tried again, and keeps it where
    /// administrators find it.
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

/// Somebody else settled it first; what they said stands.
fn lenient(written: Result<(), StoreError>) -> Result<(), StoreError> {
    match written {
        Err(StoreError::Conflict) => Ok(()),
        other => other,
    }
}
