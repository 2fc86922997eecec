//! How mails leave a mailbox: at which pace, how failures are repeated, when to stop trying for a while.

mod breaker;
mod rate_limit;

pub use breaker::{Breaker, LADDER, MAX_TRIES, next_try};
pub use rate_limit::{MAX_PER_DAY, MAX_PER_MINUTE, SendPermit, SendRate};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::base::ids::{CatalogId, TenantId};

/// What is remembered of one mailbox between invocations, whichever function sent.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct MailboxState {
    /// What was sent lately.
    #[serde(default)]
    pub pace: SendRate,
    /// Whether sending fails at the moment.
    #[serde(default)]
    pub breaker: Breaker,
    /// When a message that wakes the sender arrives, so that one is enough.
    #[serde(default)]
    pub wakes_at: Option<DateTime<Utc>>,
}

/// Asks the notifier to send what a catalog's mailbox may send now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct MailboxWakeup {
    /// Whose.
    pub tenant: TenantId,
    /// Which catalog; others that share its mailbox are served as well.
    pub catalog: CatalogId,
}

impl MailboxState {
    /// Whether a mail to so many recipients may go now, or from when on.
    pub fn permit(&self, recipients: u32, now: DateTime<Utc>) -> SendPermit {
        match (
            self.breaker.closed_from(now),
            self.pace.permit(recipients, now),
        ) {
            (Some(until), SendPermit::Wait(pace)) => SendPermit::Wait(until.max(pace)),
            (Some(until), SendPermit::Now) => SendPermit::Wait(until),
            (None, turn) => turn,
        }
    }
}

/// Where a mail that waits stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = MessageStatus))]
#[serde(rename_all = "snake_case")]
pub enum MessageStatus {
    /// Its turn comes when the mailbox's pace allows.
    Queued,
    /// The catalog's connection does not work; it is sent once it does (S1-38).
    Held,
    /// It was refused for a while and is tried again.
    Retrying,
    /// An earlier try never said how it ended: it may have arrived, so it is not
    /// sent again by itself.
    Doubtful,
    /// It was refused for good.
    Failed,
}
