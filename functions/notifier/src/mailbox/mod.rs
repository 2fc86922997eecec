//! Sends what a mailbox may send now, the most urgent first, and asks to be woken for the rest.
//!
//! One lease per mailbox makes sure that only one function sends from it, so
//! its pace is kept and no mail goes out twice. What was marked and not settled
//! when the lease was taken was left behind by a function that died.

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

use crate::{failure, wake};
use channel::MailChannel;
use deliver::NextStep;

/// Tells the moment.
pub type Clock = fn() -> DateTime<Utc>;

/// Mails read at a time, of each catalog.
const AT_A_TIME: usize = 60;
/// Another function is sending: what was put on the list behind its back is
/// looked at after so long.
const LOOK_AGAIN: Duration = Duration::from_secs(5);
/// A mail is begun only if so much time is left: its token, its hand-over of thirty
/// seconds at most, and its settling fit into it.
const ONE_MAIL: Duration = Duration::from_secs(45);
/// SQS delays a message by fifteen minutes at most.
const LONGEST_SLEEP: TimeDelta = TimeDelta::minutes(15);
/// A message that wakes us may arrive so much early or late.
const UNPUNCTUAL: TimeDelta = TimeDelta::seconds(2);

/// How a mailbox stands after it was looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DeliveryPass {
    /// Mails handed over.
    pub sent: u32,
    /// When it should be looked at again; none when nothing is left to do.
    pub again: Option<DateTime<Utc>>,
}

const NOTHING: DeliveryPass = DeliveryPass {
    sent: 0,
    again: None,
};

/// Looks at the mailbox of a catalog.
///
/// # Errors
/// When it must be tried again.
pub async fn drain(
    services: &Services,
    due: MailboxWakeup,
    now: impl Fn() -> DateTime<Utc>,
    deadline: Deadline,
) -> Result<DeliveryPass, Failure> {
    let Some((carrier, catalogs)) = lane(services, due).await? else {
        // Held until the catalog is connected again, which asks anew (S1-38).
        return Ok(NOTHING);
    };
    let name = carrier.lane();
    let store = &services.store;
    let length = services.settings.lease;
    let lease = Lease::acquire(store, due.tenant, &format!("mailbox#{name}"), length).await;
    let Some(lease) = lease.map_err(failure)? else {
        wake(services, due, LOOK_AGAIN).await?;
        return Ok(NOTHING);
    };
    let mut pass = Pass {
        services,
        tenant: due.tenant,
        carrier,
        lane: name,
        catalogs,
        state: MailboxState::default(),
        sent: 0,
    };
    // Boxed, since a mail on its way makes a future too large for the stack.
    let work = Box::pin(pass.work(lease.fence(), &now, deadline));
    let done = lease.while_held(work).await;
    let done = done.map_err(failure).and_then(|done| done);
    if let Err(error) = lease.release().await {
        tracing::warn!(%error, "the lease of a mailbox was not given back; it expires");
    }
    let again = done?;
    Ok(DeliveryPass {
        sent: pass.sent,
        again,
    })
}

/// What carries a catalog's mail, and all catalogs of the tenant that it carries.
async fn lane(
    services: &Services,
    due: MailboxWakeup,
) -> Result<Option<(MailChannel, Vec<CatalogId>)>, Failure> {
    let store = &services.store;
    let all = store.mail_connections(due.tenant).await;
    let all = all.map_err(failure)?;
    let plan = store.entitlement(due.tenant).await.map_err(failure)?;
    let activated = plan.is_some_and(|plan| plan.azure_communication_services);
    let own = all.iter().find(|(catalog, _)| *catalog == due.catalog);
    let Some(carrier) = own.and_then(|(_, it)| MailChannel::of(it, activated)) else {
        return Ok(None);
    };
    let shared = all
        .iter()
        .filter(|(_, it)| MailChannel::of(it, activated) == Some(carrier));
    Ok(Some((
        carrier,
        shared.map(|(catalog, _)| *catalog).collect(),
    )))
}

/// One look at a mailbox, under its lease.
struct Pass<'a> {
    services: &'a Services,
    tenant: TenantId,
    carrier: MailChannel,
    lane: String,
    catalogs: Vec<CatalogId>,
    state: MailboxState,
    sent: u32,
}

impl Pass<'_> {
    async fn work(
        &mut self,
        fence: &Fence,
        now: &impl Fn() -> DateTime<Utc>,
        deadline: Deadline,
    ) -> Result<Option<DateTime<Utc>>, Failure> {
        let stored = self.services.store.mailbox_state(self.tenant, &self.lane);
        self.state = stored.await.map_err(failure)?;
        let at = self.send_all(fence, now, deadline).await.map_err(failure)?;
        // Asked first, then noted: asked twice is better than noted and never asked.
        self.ask_again(at, now()).await?;
        let put = self
            .services
            .store
            .put_mailbox_state(fence, &self.lane, &self.state);
        put.await.map_err(failure)?;
        Ok(at)
    }

    /// Sends a message so that somebody looks again in time, unless one is on its
    /// way; one that is due about now is the one that woke us. It names a catalog
    /// that still uses the mailbox.
    async fn ask_again(
        &mut self,
        at: Option<DateTime<Utc>>,
        now: DateTime<Utc>,
    ) -> Result<(), Failure> {
        let (Some(at), Some(catalog)) = (at, self.catalogs.first()) else {
            return Ok(());
        };
        let at = at.min(now + LONGEST_SLEEP);
        let coming = self
            .state
            .wakes_at
            .filter(|wakes| *wakes > now + UNPUNCTUAL);
        if coming.is_some_and(|wakes| wakes <= at + UNPUNCTUAL) {
            return Ok(());
        }
        let drain = MailboxWakeup {
            tenant: self.tenant,
            catalog: *catalog,
        };
        let after = (at - now).to_std().unwrap_or_default();
        wake(self.services, drain, after).await?;
        self.state.wakes_at = Some(at);
        Ok(())
    }

    /// Sends while the mailbox's pace, its troubles and the time allow; when to go on.
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
                if !deadline.allows(ONE_MAIL) {
                    return Ok(Some(now()));
                }
                if let Some(until) = self.not_yet(&mail, now()) {
                    return Ok(Some(later.map_or(until, |later| later.min(until))));
                }
                match self.one(fence, catalog, &mut mail, now).await? {
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

    /// Until when the mailbox has to rest before this mail.
    fn not_yet(&self, mail: &Waiting, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let recipients = recipients(mail);
        let turn = if self.carrier.has_pace() {
            self.state.permit(recipients, now)
        } else {
            let closed = self.state.breaker.closed_from(now);
            closed.map_or(SendPermit::Now, SendPermit::Wait)
        };
        match turn {
            SendPermit::Now => None,
            SendPermit::Wait(until) => Some(until),
        }
    }

    /// The mails whose turn it is, the most urgent first; and when the first of
    /// the others is due. Those left behind by a function that died are settled.
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
                let page = store.mail_page(self.tenant, catalog, after.as_deref(), AT_A_TIME);
                let page = page.await?;
                for mail in page.items {
                    if let Some(lane) = mail.mail.marked_by.clone() {
                        let again = self.left_behind(catalog, &mail, &lane, now).await?;
                        later = sooner(later, again);
                        continue;
                    }
                    if let Some(then) = mail.mail.not_before.filter(|then| *then > now) {
                        later = sooner(later, Some(then));
                    } else {
                        due.push((catalog, mail));
                        found += 1;
                    }
                }
                after = page.next;
                if after.is_none() || found >= AT_A_TIME {
                    break;
                }
            }
        }
        due.sort_by_key(|(_, mail)| mail.rank());
        Ok((due, later))
    }
}

/// The earlier of two moments, if there is one.
fn sooner(one: Option<DateTime<Utc>>, other: Option<DateTime<Utc>>) -> Option<DateTime<Utc>> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one.min(other)),
        (one, other) => one.or(other),
    }
}

/// How many people a mail reaches.
fn recipients(mail: &Waiting) -> u32 {
    u32::try_from(mail.mail.notice.recipients.len()).unwrap_or(u32::MAX)
}
