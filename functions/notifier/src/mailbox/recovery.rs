//! Recovers e-mails that were marked by a function that crashed before it recorded the outcome.

use chrono::{DateTime, Utc};
use rollcall_clients::store::StoreError;
use rollcall_clients::store::outbox::Waiting;
use rollcall_domain::base::ids::CatalogId;
use rollcall_domain::notices::delivery::{MessageStatus, next_try};

use super::MailboxDelivery;

impl MailboxDelivery<'_> {
    /// Recovers an e-mail that was marked without a recorded outcome; returns when to process it
    /// again, if at all.
    pub(super) async fn recover(
        &self,
        catalog: CatalogId,
        mail: &Waiting,
        mailbox_name: &str,
        now: DateTime<Utc>,
    ) -> Result<Option<DateTime<Utc>>, StoreError> {
        let store = &self.services.store;
        // The catalog has changed its channel. While the previous mailbox is leased, the function
        // that marked the e-mail may still be sending it.
        if mailbox_name != self.mailbox_name {
            let lease = format!("mailbox#{mailbox_name}");
            if let Some(until) = store.held_until(self.tenant, &lease).await? {
                return Ok(Some(until.max(now)));
            }
        }
        let tries = mail.mail.failed + 1;
        if self.channel.detects_duplicates(mailbox_name) && next_try(tries, now, None).is_some() {
            let mut mail = mail.clone();
            let cut_off = "the previous attempt was interrupted";
            store.requeue_mail(&mut mail, cut_off, now, true).await?;
            return Ok(Some(now));
        }
        let notice = mail.mail.notice.id;
        tracing::warn!(%notice, "an earlier attempt recorded no outcome; the e-mail is not sent again");
        let problem =
            "Sending was interrupted. The e-mail may have arrived, so it is not sent again.";
        store
            .mail_ended(catalog, mail, MessageStatus::Doubtful, problem, now)
            .await?;
        Ok(None)
    }
}
