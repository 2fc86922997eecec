//! Sends one e-mail and records the outcome.

use chrono::{DateTime, TimeDelta, Utc};
use rollcall_app::mail_account::AccountError;
use rollcall_clients::mail::SendError;
use rollcall_clients::store::outbox::Waiting;
use rollcall_clients::store::{Fence, StoreError};
use rollcall_clients::vault::VaultError;
use rollcall_domain::base::ids::CatalogId;
use rollcall_domain::connection::Cause;
use rollcall_domain::notices::delivery::{MessageStatus, next_try};
use rollcall_domain::notices::{NoticeKind, render};

use super::channel::{ChannelError, ReadyChannel, outgoing};
use super::{MailboxDelivery, recipients};

/// The default wait after throttling, if the response has no `Retry-After`.
const DEFAULT_PAUSE: TimeDelta = TimeDelta::minutes(1);
/// The time that mail waits after an internal error that operators are alerted to.
const OPERATOR_ERROR_PAUSE: TimeDelta = TimeDelta::minutes(15);

/// The next step after one e-mail.
pub(super) enum NextStep {
    /// Continue with the next e-mail.
    Mail,
    /// Continue without this catalog: its account no longer works.
    Catalog,
    /// Stop, and continue at this time.
    Wait(DateTime<Utc>),
}

impl MailboxDelivery<'_> {
    /// Prepares the channel, marks the e-mail, sends it and records the outcome.
    pub(super) async fn deliver(
        &mut self,
        fence: &Fence,
        catalog: CatalogId,
        mail: &mut Waiting,
        now: &impl Fn() -> DateTime<Utc>,
    ) -> Result<NextStep, StoreError> {
        let store = &self.services.store;
        let channel = self.channel;
        let ready_channel = match channel.prepare(self.services, self.tenant, catalog).await {
            Ok(ready_channel) => ready_channel,
            Err(error) => return self.handle_channel_error(error, now()),
        };
        let notice = &mail.mail.notice;
        let out = match render(notice) {
            Ok(rendered) => outgoing(notice, rendered),
            Err(problem) => {
                let failed = MessageStatus::Failed;
                return self
                    .record_end(catalog, mail, failed, &problem, now())
                    .await;
            }
        };
        if let Some(problem) = ready_channel.reason_to_drop(&mail.mail.notice.about, now()) {
            let failed = MessageStatus::Failed;
            return self.record_end(catalog, mail, failed, problem, now()).await;
        }
        // The e-mail is counted before it is sent. After a crash in between the count is too high,
        // which never exceeds the rate limit.
        if channel.has_rate_limit() {
            self.state.rate.sent(recipients(mail), now());
        }
        match store
            .begin_mail(fence, mail, &self.mailbox_name, &self.state)
            .await
        {
            // Another invocation has recorded the outcome in the meantime.
            Err(StoreError::Conflict) => return Ok(NextStep::Mail),
            other => other?,
        }
        let sent = ready_channel.send(&out).await;
        self.state.rate.answered(now());
        match sent {
            Ok(()) => {
                self.state.breaker.succeeded();
                self.sent += 1;
                store.mail_sent(mail).await?;
                Ok(NextStep::Mail)
            }
            Err(error) => {
                self.handle_send_error(catalog, mail, &ready_channel, error, now())
                    .await
            }
        }
    }

    /// Handles a channel that is not ready; no mail was changed.
    fn handle_channel_error(
        &mut self,
        error: ChannelError,
        now: DateTime<Utc>,
    ) -> Result<NextStep, StoreError> {
        match error {
            ChannelError::Account(AccountError::NotConnected | AccountError::Lost(_)) => {
                Ok(NextStep::Catalog)
            }
            // Only this catalog is affected: the other catalogs of the account continue.
            ChannelError::Account(AccountError::Vault(VaultError::Unreadable(what))) => {
                tracing::error!(what, alarm = "mail-channel", "a grant is unreadable");
                Ok(NextStep::Catalog)
            }
            ChannelError::Account(AccountError::Store(error)) => Err(error),
            ChannelError::Account(error) => {
                if let AccountError::App(_) = &error {
                    tracing::error!(%error, alarm = "service-credential", "this service's own app cannot be used");
                }
                self.state.breaker.failed(now, Some(DEFAULT_PAUSE));
                Ok(NextStep::Wait(now + DEFAULT_PAUSE))
            }
            ChannelError::CommunicationServices(error) => {
                Ok(NextStep::Wait(alert_operators(&error.to_string(), now)))
            }
        }
    }

    /// Handles a send error. After [`SendError::Unknown`] the e-mail may nevertheless have been
    /// sent.
    async fn handle_send_error(
        &mut self,
        catalog: CatalogId,
        mail: &mut Waiting,
        ready_channel: &ReadyChannel,
        error: SendError,
        now: DateTime<Utc>,
    ) -> Result<NextStep, StoreError> {
        let problem = error.to_string();
        match error {
            SendError::Throttled { retry_after } => {
                let asked = retry_after.and_then(|it| TimeDelta::from_std(it).ok());
                let pause = asked.unwrap_or(DEFAULT_PAUSE);
                self.state.breaker.failed(now, Some(pause));
                self.defer(mail, &problem, now + pause).await
            }
            SendError::NotSent(_) => {
                self.state.breaker.failed(now, None);
                self.retry_later(catalog, mail, &problem, now).await
            }
            SendError::Unknown(_) if self.channel.detects_duplicates(&self.mailbox_name) => {
                self.state.breaker.failed(now, None);
                self.retry_later(catalog, mail, &problem, now).await
            }
            SendError::Unknown(_) => {
                self.state.breaker.failed(now, None);
                tracing::warn!(notice = %mail.mail.notice.id, %problem, "it is not known whether the mail was sent");
                self.record_end(catalog, mail, MessageStatus::Doubtful, &problem, now)
                    .await
            }
            SendError::SignIn { .. } | SendError::Refused { status: 404, .. }
                if !self.channel.has_rate_limit() =>
            {
                let until = alert_operators(&problem, now);
                self.defer(mail, &problem, until).await
            }
            SendError::SignIn { status, code } => {
                let code = code.unwrap_or_else(|| format!("HTTP {status}"));
                self.sign_in_refused(catalog, mail, ready_channel, &problem, code, now)
                    .await
            }
            SendError::Refused { status, code, .. } => {
                let code = code.unwrap_or_default();
                match self.cause(status, mail) {
                    Some(cause) => {
                        let of = ready_channel.connected_at();
                        self.account_lost(catalog, mail, of, &problem, (cause, code), now)
                            .await
                    }
                    None => {
                        self.record_end(catalog, mail, MessageStatus::Failed, &problem, now)
                            .await
                    }
                }
            }
        }
    }

    /// Returns the cause if a refusal concerns the account and not only this e-mail: the mailbox no
    /// longer exists, or even the e-mail that announces the account is rejected (S1-31).
    fn cause(&self, status: u16, mail: &Waiting) -> Option<Cause> {
        if !self.channel.has_rate_limit() {
            return None;
        }
        if status == 404 {
            return Some(Cause::NoCloudMailbox);
        }
        let greets = matches!(mail.mail.notice.about, NoticeKind::AccountConnected { .. });
        greets.then_some(Cause::MailRefused)
    }

    /// Handles a rejected token: the e-mail is retried once with a new token, then the account is
    /// considered lost.
    async fn sign_in_refused(
        &mut self,
        catalog: CatalogId,
        mail: &mut Waiting,
        ready_channel: &ReadyChannel,
        problem: &str,
        code: String,
        now: DateTime<Utc>,
    ) -> Result<NextStep, StoreError> {
        self.services.forget_tokens(self.tenant, catalog);
        let first_time = mail.mail.problem.as_deref() != Some(problem);
        if first_time {
            let store = &self.services.store;
            store.requeue_mail(mail, problem, now, false).await?;
            return Ok(NextStep::Mail);
        }
        let of = ready_channel.connected_at();
        let why = (Cause::MailRefused, code);
        self.account_lost(catalog, mail, of, problem, why, now)
            .await
    }

    /// Records that the account no longer works. The catalog's mail waits until an account is
    /// connected again.
    async fn account_lost(
        &mut self,
        catalog: CatalogId,
        mail: &mut Waiting,
        of: Option<DateTime<Utc>>,
        problem: &str,
        (cause, code): (Cause, String),
        now: DateTime<Utc>,
    ) -> Result<NextStep, StoreError> {
        self.services
            .store
            .requeue_mail(mail, problem, now, false)
            .await?;
        let failed = self
            .services
            .account_failed(self.tenant, catalog, of, cause, Some(code));
        match failed.await {
            Ok(()) => Ok(NextStep::Catalog),
            Err(AccountError::Store(error)) => Err(error),
            Err(error) => {
                // The loss is recorded; the next tick sends the notices that are missing.
                tracing::error!(%error, "the loss of an account could not be reported");
                Ok(NextStep::Catalog)
            }
        }
    }

    /// Defers an e-mail that was not sent, without counting the attempt as a failure of the e-mail.
    async fn defer(
        &self,
        mail: &mut Waiting,
        problem: &str,
        until: DateTime<Utc>,
    ) -> Result<NextStep, StoreError> {
        let store = &self.services.store;
        store.requeue_mail(mail, problem, until, false).await?;
        Ok(NextStep::Wait(until))
    }

    /// Schedules a retry of an e-mail that was not sent; gives up after one day.
    async fn retry_later(
        &self,
        catalog: CatalogId,
        mail: &mut Waiting,
        problem: &str,
        now: DateTime<Utc>,
    ) -> Result<NextStep, StoreError> {
        match next_try(mail.mail.failed + 1, now, None) {
            Some(then) => {
                let store = &self.services.store;
                store.requeue_mail(mail, problem, then, true).await?;
                Ok(NextStep::Mail)
            }
            None => {
                self.record_end(catalog, mail, MessageStatus::Failed, problem, now)
                    .await
            }
        }
    }

    async fn record_end(
        &self,
        catalog: CatalogId,
        mail: &Waiting,
        how: MessageStatus,
        problem: &str,
        now: DateTime<Utc>,
    ) -> Result<NextStep, StoreError> {
        let store = &self.services.store;
        store.mail_ended(catalog, mail, how, problem, now).await?;
        Ok(NextStep::Mail)
    }
}

/// Alerts operators to an internal error and returns when the e-mail is retried.
fn alert_operators(problem: &str, now: DateTime<Utc>) -> DateTime<Utc> {
    tracing::error!(
        problem,
        alarm = "mail-channel",
        "Communication Services cannot be used"
    );
    now + OPERATOR_ERROR_PAUSE
}
