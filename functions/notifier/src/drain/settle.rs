//! Hands one mail over and settles how that ended.

use chrono::{DateTime, TimeDelta, Utc};
use rollcall_clients::outgoing::SendError;
use rollcall_clients::store::outbox::Waiting;
use rollcall_clients::store::{Fence, StoreError};
use rollcall_domain::connection::Cause;
use rollcall_domain::delivery::{MessageStatus, next_try};
use rollcall_domain::ids::CatalogId;
use rollcall_domain::notices::NoticeKind;
use rollcall_runtime::services::AccountError;

use super::{Pass, recipients};
use crate::carrier::Trouble;

/// Without a word from the other side a throttled mailbox rests so long.
const REST: TimeDelta = TimeDelta::minutes(1);
/// Something of ours is broken: operators are alarmed, mails wait.
const OURS: TimeDelta = TimeDelta::minutes(15);

/// Where to go on.
pub(super) enum Next {
    /// With the next mail.
    Mail,
    /// Without this catalog: its account works no longer.
    Catalog,
    /// Not before this moment.
    Wait(DateTime<Utc>),
}

impl Pass<'_> {
    /// Marks, sends, settles.
    pub(super) async fn one(
        &mut self,
        fence: &Fence,
        catalog: CatalogId,
        mail: &mut Waiting,
        now: &impl Fn() -> DateTime<Utc>,
    ) -> Result<Next, StoreError> {
        let store = &self.services.store;
        // Booked before it is sent: a function that dies in between has used it up.
        if self.carrier.has_pace() {
            self.state.pace.sent(recipients(mail), now());
        }
        match store.begin_mail(fence, mail, &self.lane, &self.state).await {
            // Somebody has settled it meanwhile.
            Err(StoreError::Conflict) => return Ok(Next::Mail),
            other => other?,
        }
        let notice = &mail.mail.notice;
        let sent = self
            .carrier
            .send(self.services, self.tenant, catalog, notice)
            .await;
        self.state.pace.answered(now());
        match sent {
            Ok(()) => {
                self.state.breaker.succeeded();
                self.sent += 1;
                store.mail_sent(mail).await?;
                Ok(Next::Mail)
            }
            Err(Trouble::Mail(error)) => self.refused(catalog, mail, error, now()).await,
            Err(Trouble::Account(error)) => self.no_account(mail, error, now()).await,
            Err(Trouble::Ours(problem)) => {
                tracing::error!(%problem, alarm = "mail-channel", "mail cannot be sent");
                let until = now() + OURS;
                store.mail_failed(mail, &problem, until, false).await?;
                Ok(Next::Wait(until))
            }
        }
    }

    /// The carrier did not take it, or perhaps did.
    async fn refused(
        &mut self,
        catalog: CatalogId,
        mail: &mut Waiting,
        error: SendError,
        now: DateTime<Utc>,
    ) -> Result<Next, StoreError> {
        let problem = error.to_string();
        match error {
            SendError::Throttled { retry_after } => {
                let asked = retry_after.and_then(|it| TimeDelta::from_std(it).ok());
                let until = now + asked.unwrap_or(REST);
                self.state.breaker.failed(now, Some(asked.unwrap_or(REST)));
                self.back(mail, &problem, until).await
            }
            SendError::NotSent(_) => {
                self.state.breaker.failed(now, None);
                self.ladder(catalog, mail, &problem, now).await
            }
            SendError::Unknown(_) if self.carrier.knows_repeats() => {
                self.state.breaker.failed(now, None);
                self.ladder(catalog, mail, &problem, now).await
            }
            SendError::Unknown(_) => {
                self.state.breaker.failed(now, None);
                tracing::warn!(notice = %mail.mail.notice.id, %problem, "it is not known whether the mail was sent");
                self.end(catalog, mail, MessageStatus::Doubtful, &problem, now)
                    .await
            }
            SendError::SignIn { status, code } => {
                let code = code.unwrap_or_else(|| format!("HTTP {status}"));
                self.account_refused(catalog, mail, &problem, code, now)
                    .await
            }
            SendError::Refused { code, .. } => {
                let code = code.unwrap_or_default();
                if let Some(cause) = cause(&code, mail) {
                    return self
                        .account_lost(catalog, mail, &problem, (cause, code), now)
                        .await;
                }
                self.end(catalog, mail, MessageStatus::Failed, &problem, now)
                    .await
            }
        }
    }

    /// The token opens nothing any more: a fresh one is tried once, then the
    /// account counts as lost.
    async fn account_refused(
        &mut self,
        catalog: CatalogId,
        mail: &mut Waiting,
        problem: &str,
        code: String,
        now: DateTime<Utc>,
    ) -> Result<Next, StoreError> {
        if !self.carrier.has_pace() {
            tracing::error!(%problem, alarm = "mail-channel", "mail cannot be sent");
            return self.back(mail, problem, now + OURS).await;
        }
        self.services.forget_tokens(self.tenant, catalog);
        let first_time = mail.mail.problem.as_deref() != Some(problem);
        if first_time {
            let store = &self.services.store;
            store.mail_failed(mail, problem, now, false).await?;
            return Ok(Next::Mail);
        }
        self.account_lost(catalog, mail, problem, (Cause::MailRefused, code), now)
            .await
    }

    /// The account works no longer; its mails wait.
    async fn account_lost(
        &mut self,
        catalog: CatalogId,
        mail: &mut Waiting,
        problem: &str,
        (cause, code): (Cause, String),
        now: DateTime<Utc>,
    ) -> Result<Next, StoreError> {
        self.services
            .store
            .mail_failed(mail, problem, now, false)
            .await?;
        let failed = self
            .services
            .account_failed(self.tenant, catalog, cause, Some(code));
        if let Err(error) = failed.await {
            tracing::error!(%error, "the loss of an account could not be noted");
        }
        Ok(Next::Catalog)
    }

    async fn no_account(
        &mut self,
        mail: &mut Waiting,
        error: AccountError,
        now: DateTime<Utc>,
    ) -> Result<Next, StoreError> {
        let problem = error.to_string();
        let store = &self.services.store;
        if let AccountError::NotConnected | AccountError::Lost(_) = error {
            store.mail_failed(mail, &problem, now, false).await?;
            return Ok(Next::Catalog);
        }
        self.state.breaker.failed(now, Some(REST));
        self.back(mail, &problem, now + REST).await
    }

    /// Surely not sent, through no fault of its own.
    async fn back(
        &self,
        mail: &mut Waiting,
        problem: &str,
        until: DateTime<Utc>,
    ) -> Result<Next, StoreError> {
        let store = &self.services.store;
        store.mail_failed(mail, problem, until, false).await?;
        Ok(Next::Wait(until))
    }

    /// Surely not sent; tried again for a day.
    async fn ladder(
        &self,
        catalog: CatalogId,
        mail: &mut Waiting,
        problem: &str,
        now: DateTime<Utc>,
    ) -> Result<Next, StoreError> {
        match next_try(mail.mail.failed + 1, now, None) {
            Some(then) => {
                let store = &self.services.store;
                store.mail_failed(mail, problem, then, true).await?;
                Ok(Next::Mail)
            }
            None => {
                self.end(catalog, mail, MessageStatus::Failed, problem, now)
                    .await
            }
        }
    }

    async fn end(
        &self,
        catalog: CatalogId,
        mail: &Waiting,
        how: MessageStatus,
        problem: &str,
        now: DateTime<Utc>,
    ) -> Result<Next, StoreError> {
        let store = &self.services.store;
        store.mail_ended(catalog, mail, how, problem, now).await?;
        Ok(Next::Mail)
    }
}

/// Whether a refusal is about the account and not about this mail: its mailbox
/// is gone, or not even the mail that greets it is taken (S1-31).
fn cause(code: &str, mail: &Waiting) -> Option<Cause> {
    if code == "MailboxNotEnabledForRESTAPI" {
        return Some(Cause::NoCloudMailbox);
    }
    let greets = matches!(mail.mail.notice.about, NoticeKind::AccountConnected { .. });
    greets.then_some(Cause::MailRefused)
}
