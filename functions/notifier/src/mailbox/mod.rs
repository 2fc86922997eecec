//! Sends the e-mail that a mailbox may send now, most urgent first, and schedules a wakeup for the
//! rest.
//!
//! One lease per mailbox makes sure that only one function sends from it, so that its rate limit
//! holds and no mail is sent twice. Each e-mail is marked with the mailbox before it is sent. One
//! that is already marked when the lease is acquired was left behind by a function that crashed.

pub(crate) mod channel;
mod deliver;
mod recovery;

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use rollcall_app::Services;
use rollcall_clients::store::outbox::Waiting;
use rollcall_clients::store::{Fence, Lease, StoreError};
use rollcall_domain::base::ids::{CatalogId, TenantId};
use rollcall_domain::notices::delivery::{MailboxState, MailboxWakeup, SendPermit};
use rollcall_runtime::{Deadline, Failure};

use channel::MailChannel;
use deliver::NextStep;

/// Returns the current time.
pub type Clock = fn() -> DateTime<Utc>;

/// The number of e-mails that are read at a time, per catalog.
const PAGE_SIZE: usize = 60;
/// The delay of the next attempt if another function holds the lease. That function may have read
/// the list before the newest mail was queued.
const LEASE_RETRY_DELAY: Duration = Duration::from_secs(5);
/// The minimum time left for beginning an e-mail: getting the token, sending for at most thirty
/// seconds, and recording the outcome.
const MIN_TIME_PER_MAIL: Duration = Duration::from_secs(45);
/// SQS delays a message by at most fifteen minutes.
const MAX_WAKEUP_DELAY: TimeDelta = TimeDelta::minutes(15);
/// The tolerance for a wakeup message that arrives early or late.
const WAKEUP_TOLERANCE: TimeDelta = TimeDelta::seconds(2);

/// The result of processing a mailbox once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DeliveryResult {
    /// The number of e-mails sent.
    pub sent: u32,
    /// When the mailbox must be processed again; `None` if nothing is left to do.
    pub again: Option<DateTime<Utc>>,
}

const NOTHING: DeliveryResult = DeliveryResult {
    sent: 0,
    again: None,
};

/// Processes the mailbox of a catalog.
///
/// # Errors
/// Returns an error if the wakeup must be retried.
pub async fn process_mailbox(
    services: &Services,
    due: MailboxWakeup,
    now: impl Fn() -> DateTime<Utc>,
    deadline: Deadline,
) -> Result<DeliveryResult, Failure> {
    let Some((channel, catalogs)) = find_channel(services, due).await? else {
        // The e-mail waits until the catalog is connected again, which wakes the mailbox (S1-38).
        return Ok(NOTHING);
    };
    let name = channel.mailbox_name();
    let store = &services.store;
    let length = services.settings.lease;
    let lease = Lease::acquire(store, due.tenant, &format!("mailbox#{name}"), length).await;
    let Some(lease) = lease? else {
        services.wake_mailbox(due, LEASE_RETRY_DELAY).await?;
        return Ok(NOTHING);
    };
    let mut delivery = MailboxDelivery {
        services,
        tenant: due.tenant,
        channel,
        mailbox_name: name,
        catalogs,
        state: MailboxState::default(),
        sent: 0,
    };
    // Boxed, because the future of sending an e-mail is too large for the stack.
    let work = Box::pin(delivery.deliver_waiting(lease.fence(), &now, deadline));
    let done = lease.while_held(work).await;
    if let Err(error) = lease.release().await {
        tracing::warn!(%error, "the lease of a mailbox could not be released; it expires");
    }
    let again = done??;
    Ok(DeliveryResult {
        sent: delivery.sent,
        again,
    })
}

/// Returns the channel of a catalog's mail, and all catalogs of the tenant that use it.
async fn find_channel(
    services: &Services,
    due: MailboxWakeup,
) -> Result<Option<(MailChannel, Vec<CatalogId>)>, Failure> {
    let store = &services.store;
    let all = store.mail_connections(due.tenant).await;
    let all = all?;
    let plan = store.entitlement(due.tenant).await?;
    let activated = plan.is_some_and(|plan| plan.azure_communication_services);
    let own = all.iter().find(|(catalog, _)| *catalog == due.catalog);
    let Some(channel) = own.and_then(|(_, it)| MailChannel::of(it, activated)) else {
        return Ok(None);
    };
    let shared = all
        .iter()
        .filter(|(_, it)| MailChannel::of(it, activated) == Some(channel));
    Ok(Some((
        channel,
        shared.map(|(catalog, _)| *catalog).collect(),
    )))
}

/// The delivery of the waiting mail of one mailbox, under its lease.
struct MailboxDelivery<'a> {
    services: &'a Services,
    tenant: TenantId,
    channel: MailChannel,
    mailbox_name: String,
    catalogs: Vec<CatalogId>,
    state: MailboxState,
    sent: u32,
}

impl MailboxDelivery<'_> {
    async fn deliver_waiting(
        &mut self,
        fence: &Fence,
        now: &impl Fn() -> DateTime<Utc>,
        deadline: Deadline,
    ) -> Result<Option<DateTime<Utc>>, Failure> {
        let stored = self
            .services
            .store
            .mailbox_state(self.tenant, &self.mailbox_name);
        self.state = stored.await?;
        let at = self.send_all(fence, now, deadline).await?;
        // The wakeup is sent before it is recorded, so that a crash in between causes a duplicate
        // wakeup and not a missing one.
        self.schedule_wakeup(at, now()).await?;
        let put = self
            .services
            .store
            .put_mailbox_state(fence, &self.mailbox_name, &self.state);
        put.await?;
        Ok(at)
    }

    /// Sends a wakeup message for this time unless one is already scheduled. A recorded message
    /// that is due about now is not counted, because it is the one that is being handled. The
    /// message names a catalog that still uses the mailbox.
    async fn schedule_wakeup(
        &mut self,
        at: Option<DateTime<Utc>>,
        now: DateTime<Utc>,
    ) -> Result<(), Failure> {
        let (Some(at), Some(catalog)) = (at, self.catalogs.first()) else {
            return Ok(());
        };
        let at = at.min(now + MAX_WAKEUP_DELAY);
        let coming = self
            .state
            .wakes_at
            .filter(|wakes| *wakes > now + WAKEUP_TOLERANCE);
        if coming.is_some_and(|wakes| wakes <= at + WAKEUP_TOLERANCE) {
            return Ok(());
        }
        let wakeup = MailboxWakeup {
            tenant: self.tenant,
            catalog: *catalog,
        };
        let after = (at - now).to_std().unwrap_or_default();
        self.services.wake_mailbox(wakeup, after).await?;
        self.state.wakes_at = Some(at);
        Ok(())
    }

    /// Sends while rate limit, circuit breaker and deadline allow; returns when to continue.
    async fn send_all(
        &mut self,
        fence: &Fence,
        now: &impl Fn() -> DateTime<Utc>,
        deadline: Deadline,
    ) -> Result<Option<DateTime<Utc>>, StoreError> {
        loop {
            let (mails, later) = self.due(now()).await?;
            if mails.is_empty() {
                return Ok(later);
            }
            for (catalog, mut mail) in mails {
                if !deadline.allows(MIN_TIME_PER_MAIL) {
                    return Ok(Some(now()));
                }
                if let Some(until) = self.blocked_until(&mail, now()) {
                    return Ok(Some(later.map_or(until, |later| later.min(until))));
                }
                match self.deliver(fence, catalog, &mut mail, now).await? {
                    NextStep::Mail => {}
                    NextStep::Catalog => self.catalogs.retain(|other| *other != catalog),
                    NextStep::Wait(until) => return Ok(Some(until)),
                }
                if !self.catalogs.contains(&catalog) {
                    break;
                }
            }
        }
    }

    /// Returns the time before which the mailbox must not send this e-mail.
    fn blocked_until(&self, mail: &Waiting, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let recipients = recipients(mail);
        let turn = if self.channel.has_rate_limit() {
            self.state.permit(recipients, now)
        } else {
            let closed = self.state.breaker.paused_until(now);
            closed.map_or(SendPermit::Now, SendPermit::Wait)
        };
        match turn {
            SendPermit::Now => None,
            SendPermit::Wait(until) => Some(until),
        }
    }

    /// Returns the e-mails that are due, most urgent first, and when the first of the others is
    /// due. Recovers those that a crashed function left behind.
    async fn due(
        &mut self,
        now: DateTime<Utc>,
    ) -> Result<(Vec<(CatalogId, Waiting)>, Option<DateTime<Utc>>), StoreError> {
        let (mut due, mut later) = (Vec::new(), None);
        for catalog in self.catalogs.clone() {
            let mut after = None;
            let mut found = 0;
            loop {
                let store = &self.services.store;
                let page = store.mail_page(self.tenant, catalog, after.as_deref(), PAGE_SIZE);
                let page = page.await?;
                for mail in page.items {
                    if let Some(mailbox_name) = mail.mail.marked_by.clone() {
                        let again = self.recover(catalog, &mail, &mailbox_name, now).await?;
                        later = earlier(later, again);
                        continue;
                    }
                    if let Some(then) = mail.mail.not_before.filter(|then| *then > now) {
                        later = earlier(later, Some(then));
                    } else {
                        due.push((catalog, mail));
                        found += 1;
                    }
                }
                after = page.next;
                if after.is_none() || found >= PAGE_SIZE {
                    break;
                }
            }
        }
        due.sort_by_key(|(_, mail)| mail.rank());
        Ok((due, later))
    }
}

/// Returns the earlier of two optional times.
fn earlier(one: Option<DateTime<Utc>>, other: Option<DateTime<Utc>>) -> Option<DateTime<Utc>> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one.min(other)),
        (one, other) => one.or(other),
    }
}

/// Returns the number of recipients of an e-mail.
fn recipients(mail: &Waiting) -> u32 {
    u32::try_from(mail.mail.notice.recipients.len()).unwrap_or(u32::MAX)
}
