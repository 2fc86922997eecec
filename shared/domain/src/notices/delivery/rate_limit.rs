//! Exchange Online's limits on one mailbox, kept so that none is ever met.
//!
//! 30 messages a minute and 10,000 recipients in any 24 hours
//! (<https://learn.microsoft.com/office365/servicedescriptions/exchange-online-service-description/exchange-online-limits>).
//! What is over is not refused but delayed or dropped by Exchange, so nobody
//! would learn of it.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// Messages a mailbox may send in any minute.
pub const MAX_PER_MINUTE: usize = 30;
/// Recipients a mailbox may reach in any 24 hours.
pub const MAX_PER_DAY: u32 = 10_000;

/// The day is counted in slices of so many minutes; the slice that is partly
/// older than a day still counts whole.
const SLICE_MINUTES: i64 = 10;
const MINUTE: i64 = 60_000;
const SLICE: i64 = SLICE_MINUTES * MINUTE;
const DAY: i64 = 24 * 60 * MINUTE;

/// Whether it is a mail's turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SendPermit {
    /// Send it.
    Now,
    /// Not before this moment.
    Wait(DateTime<Utc>),
}

/// What a mailbox sent lately.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SendRate {
    /// When each message of the last minute was sent, in milliseconds since 1970, oldest first.
    #[serde(default)]
    minute: Vec<i64>,
    /// Recipients by slice of ten minutes, for a day.
    #[serde(default)]
    day: BTreeMap<i64, u32>,
}

impl SendRate {
    /// Whether a message to so many recipients may go now, or from when on.
    pub fn permit(&self, recipients: u32, now: DateTime<Utc>) -> SendPermit {
        let at = now.timestamp_millis();
        match self.minute_opens(at).max(self.day_opens(recipients, at)) {
            opens if opens <= at => SendPermit::Now,
            opens => SendPermit::Wait(DateTime::from_timestamp_millis(opens).unwrap_or(now)),
        }
    }

    /// Notes a message that was handed over, or perhaps was.
    pub fn sent(&mut self, recipients: u32, now: DateTime<Utc>) {
        let at = now.timestamp_millis();
        self.minute.retain(|sent| sent + MINUTE > at);
        self.minute.push(at);
        self.minute.sort_unstable();
        self.day.retain(|slice, _| (slice + 1) * SLICE + DAY > at);
        *self.day.entry(at.div_euclid(SLICE)).or_default() += recipients;
    }

    /// Notes when the message that was handed over last was answered: it may have
    /// been on its way until then, and Exchange counts it from its arrival.
    pub fn answered(&mut self, now: DateTime<Utc>) {
        if let Some(last) = self.minute.last_mut() {
            *last = (*last).max(now.timestamp_millis());
        }
    }

    /// When fewer than the most of a minute will lie in the last one.
    fn minute_opens(&self, at: i64) -> i64 {
        let in_way = self.minute.iter().rev().nth(MAX_PER_MINUTE - 1);
        in_way.map_or(at, |sent| sent + MINUTE)
    }

    /// When so many recipients will fit into the last day.
    fn day_opens(&self, recipients: u32, at: i64) -> i64 {
        let ends = |slice: i64| (slice + 1) * SLICE + DAY;
        let counted = || self.day.iter().filter(|(slice, _)| ends(**slice) > at);
        let mut sum: u32 = counted().map(|(_, count)| count).sum();
        for (slice, count) in counted() {
            if sum.saturating_add(recipients) <= MAX_PER_DAY {
                break;
            }
            sum -= count;
            if sum.saturating_add(recipients) <= MAX_PER_DAY || sum == 0 {
                return ends(*slice);
            }
        }
        at
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;
    use proptest::prelude::*;

    use super::*;
    use crate::testing::slot;

    fn after(ms: i64) -> DateTime<Utc> {
        slot() + TimeDelta::milliseconds(ms)
    }

    #[test]
    fn thirty_a_minute_and_then_one_by_one() {
        let mut pace = SendRate::default();
        for n in 0..30 {
            assert_eq!(pace.permit(1, after(n * 100)), SendPermit::Now, "{n}");
            pace.sent(1, after(n * 100));
        }
        assert_eq!(
            pace.permit(1, after(3_000)),
            SendPermit::Wait(after(60_000))
        );
        assert_eq!(pace.permit(1, after(60_000)), SendPermit::Now);
        pace.sent(1, after(60_000));
        assert_eq!(
            pace.permit(1, after(60_000)),
            SendPermit::Wait(after(60_100))
        );
    }

    #[test]
    fn ten_thousand_recipients_a_day() {
        let mut pace = SendRate::default();
        for minute in 0..20 {
            pace.sent(500, after(minute * 60_000));
        }
        let SendPermit::Wait(until) = pace.permit(1, after(30 * 60_000)) else {
            panic!("the day is full")
        };
        assert!(until > after(24 * 3_600_000) && until <= after(24 * 3_600_000 + SLICE));
        assert_eq!(pace.permit(1, until), SendPermit::Now);
    }

    #[test]
    fn a_single_mail_that_could_never_fit_is_not_held_for_ever() {
        assert_eq!(
            SendRate::default().permit(MAX_PER_DAY + 1, slot()),
            SendPermit::Now
        );
    }

    proptest! {
        /// Whoever obeys never has more than allowed in any minute or day, and
        /// what it is told to wait for is worth waiting for.
        #[test]
        fn nobody_who_obeys_meets_a_limit(steps in prop::collection::vec((0i64..120_000, 1u32..400), 1..400)) {
            let (mut pace, mut now) = (SendRate::default(), slot());
            let mut sent: Vec<(i64, u32)> = Vec::new();
            for (pause, recipients) in steps {
                now += TimeDelta::milliseconds(pause);
                if let SendPermit::Wait(until) = pace.permit(recipients, now) {
                    prop_assert!(until > now);
                    now = until;
                }
                prop_assert_eq!(pace.permit(recipients, now), SendPermit::Now);
                pace.sent(recipients, now);
                let at = now.timestamp_millis();
                sent.push((at, recipients));
                let minute = sent.iter().filter(|(then, _)| then + MINUTE > at).count();
                let day: u32 = sent.iter().filter(|(then, _)| then + DAY > at).map(|(_, n)| n).sum();
                prop_assert!(minute <= MAX_PER_MINUTE && day <= MAX_PER_DAY);
            }
        }
    }
}
