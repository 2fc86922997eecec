//! Rate limit of a mailbox, which keeps sending below the limits of Exchange Online.
//!
//! The limits are 30 messages a minute and 10,000 recipients in any 24 hours
//! (<https://learn.microsoft.com/office365/servicedescriptions/exchange-online-service-description/exchange-online-limits>).
//! Exchange does not reject messages above a limit but delays or drops them, which this service
//! could not detect.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// Maximum number of messages per minute.
pub const MAX_PER_MINUTE: usize = 30;
/// Maximum number of recipients in 24 hours.
pub const MAX_PER_DAY: u32 = 10_000;

/// Length of a counting interval of the day in minutes; an interval that is partly older than a day
/// counts completely.
const SLICE_MINUTES: i64 = 10;
const MINUTE: i64 = 60_000;
const SLICE: i64 = SLICE_MINUTES * MINUTE;
const DAY: i64 = 24 * 60 * MINUTE;

/// The permission to send a message now or later.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SendPermit {
    /// It may be sent now.
    Now,
    /// It must not be sent before this time.
    Wait(DateTime<Utc>),
}

/// The recent sending of a mailbox.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SendRate {
    /// Times of the messages of the last minute, in Unix milliseconds, oldest first.
    #[serde(default)]
    minute: Vec<i64>,
    /// Number of recipients per ten-minute interval of the last day.
    #[serde(default)]
    day: BTreeMap<i64, u32>,
}

impl SendRate {
    /// Returns whether a message with this number of recipients may be sent now, or when.
    pub fn permit(&self, recipients: u32, now: DateTime<Utc>) -> SendPermit {
        let at = now.timestamp_millis();
        match self.minute_opens(at).max(self.day_opens(recipients, at)) {
            opens if opens <= at => SendPermit::Now,
            opens => SendPermit::Wait(DateTime::from_timestamp_millis(opens).unwrap_or(now)),
        }
    }

    /// Records a message that was sent, or may have been sent.
    pub fn sent(&mut self, recipients: u32, now: DateTime<Utc>) {
        let at = now.timestamp_millis();
        self.minute.retain(|sent| sent + MINUTE > at);
        self.minute.push(at);
        self.minute.sort_unstable();
        self.day.retain(|slice, _| (slice + 1) * SLICE + DAY > at);
        *self.day.entry(at.div_euclid(SLICE)).or_default() += recipients;
    }

    /// Records the response to the last message: it may have been in transit until then, and
    /// Exchange counts it from its arrival.
    pub fn answered(&mut self, now: DateTime<Utc>) {
        if let Some(last) = self.minute.last_mut() {
            *last = (*last).max(now.timestamp_millis());
        }
    }

    /// Returns the time at which the last minute has room for another message.
    fn minute_opens(&self, at: i64) -> i64 {
        let in_way = self.minute.iter().rev().nth(MAX_PER_MINUTE - 1);
        in_way.map_or(at, |sent| sent + MINUTE)
    }

    /// Returns the time at which the last day has room for this number of recipients.
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
        let mut rate = SendRate::default();
        for n in 0..30 {
            assert_eq!(rate.permit(1, after(n * 100)), SendPermit::Now, "{n}");
            rate.sent(1, after(n * 100));
        }
        assert_eq!(
            rate.permit(1, after(3_000)),
            SendPermit::Wait(after(60_000))
        );
        assert_eq!(rate.permit(1, after(60_000)), SendPermit::Now);
        rate.sent(1, after(60_000));
        assert_eq!(
            rate.permit(1, after(60_000)),
            SendPermit::Wait(after(60_100))
        );
    }

    #[test]
    fn ten_thousand_recipients_a_day() {
        let mut rate = SendRate::default();
        for minute in 0..20 {
            rate.sent(500, after(minute * 60_000));
        }
        let SendPermit::Wait(until) = rate.permit(1, after(30 * 60_000)) else {
            panic!("the daily limit was not applied")
        };
        assert!(until > after(24 * 3_600_000) && until <= after(24 * 3_600_000 + SLICE));
        assert_eq!(rate.permit(1, until), SendPermit::Now);
    }

    #[test]
    fn a_single_mail_that_could_never_fit_is_not_held_for_ever() {
        assert_eq!(
            SendRate::default().permit(MAX_PER_DAY + 1, slot()),
            SendPermit::Now
        );
    }

    proptest! {
        /// A sender that follows the rate limit never exceeds the limits per minute or day, and may
        /// send after the returned time.
        #[test]
        fn no_one_who_obeys_meets_a_limit(steps in prop::collection::vec((0i64..120_000, 1u32..400), 1..400)) {
            let (mut rate, mut now) = (SendRate::default(), slot());
            let mut sent: Vec<(i64, u32)> = Vec::new();
            for (pause, recipients) in steps {
                now += TimeDelta::milliseconds(pause);
                if let SendPermit::Wait(until) = rate.permit(recipients, now) {
                    prop_assert!(until > now);
                    now = until;
                }
                prop_assert_eq!(rate.permit(recipients, now), SendPermit::Now);
                rate.sent(recipients, now);
                let at = now.timestamp_millis();
                sent.push((at, recipients));
                let minute = sent.iter().filter(|(then, _)| then + MINUTE > at).count();
                let day: u32 = sent.iter().filter(|(then, _)| then + DAY > at).map(|(_, n)| n).sum();
                prop_assert!(minute <= MAX_PER_MINUTE && day <= MAX_PER_DAY);
            }
        }
    }
}
