//! Delivery through a mailbox: rate limit, retries and circuit breaker.

mod breaker;
mod rate_limit;

pub use breaker::{Breaker, LADDER, MAX_TRIES, next_try};
pub use rate_limit::{MAX_PER_DAY, MAX_PER_MINUTE, SendPermit, SendRate};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::base::ids::{CatalogId, TenantId};

/// The stored state of a mailbox, shared by all functions that send.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct MailboxState {
    /// Recent sending, for the rate limit.
    #[serde(default, rename = "pace")]
    pub rate: SendRate,
    /// Recent failures, for the circuit breaker.
    #[serde(default)]
    pub breaker: Breaker,
    /// Arrival time of a queued wakeup message, so that no second one is queued.
    #[serde(default)]
    pub wakes_at: Option<DateTime<Utc>>,
}

/// A message that makes the notifier send the waiting messages of a catalog's mailbox.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct MailboxWakeup {
    /// The tenant.
    pub tenant: TenantId,
    /// The catalog; others that share its mailbox are served as well.
    pub catalog: CatalogId,
}

impl MailboxState {
    /// Returns whether a message with this number of recipients may be sent now, or when.
    pub fn permit(&self, recipients: u32, now: DateTime<Utc>) -> SendPermit {
        match (
            self.breaker.paused_until(now),
            self.rate.permit(recipients, now),
        ) {
            (Some(until), SendPermit::Wait(rate)) => SendPermit::Wait(until.max(rate)),
            (Some(until), SendPermit::Now) => SendPermit::Wait(until),
            (None, turn) => turn,
        }
    }
}

/// The status of a waiting message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = MessageStatus))]
#[serde(rename_all = "snake_case")]
pub enum MessageStatus {
    /// Waits for the rate limit of the mailbox.
    Queued,
    /// The catalog's connection does not work; sent once it does (S1-38).
    Held,
    /// Rejected temporarily; it is retried.
    Retrying,
    /// An earlier attempt has no recorded result. The message may have arrived, so it is not sent
    /// again automatically.
    Doubtful,
    /// Rejected permanently.
    Failed,
}
