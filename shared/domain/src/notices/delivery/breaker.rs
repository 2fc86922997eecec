//! When to try again: a ladder for one mail, a circuit breaker for a mailbox.

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

/// Minutes to wait after the first, second, … failed try of a mail.
pub const LADDER: [i64; 7] = [1, 5, 15, 60, 180, 360, 720];
/// After so many tries a mail has failed: about a day.
pub const MAX_TRIES: u32 = 8;

/// Failures in a row after which a mailbox is left alone.
const OPENS_AFTER: u32 = 3;
/// It is left alone so many minutes at first, twice as many each time after.
const FIRST_PAUSE: i64 = 2;
const LONGEST_PAUSE: i64 = 60;

/// When a mail that failed so many times is tried again; `None` when that was enough.
pub fn next_try(
    failed: u32,
    now: DateTime<Utc>,
    asked: Option<TimeDelta>,
) -> Option<DateTime<Utc>> {
    let step = usize::try_from(failed).ok()?.checked_sub(1)?;
    let minutes = LADDER.get(step)?;
    let own = TimeDelta::minutes(*minutes);
    Some(now + asked.map_or(own, |asked| asked.max(own)))
}

/// Whether a mailbox, or Microsoft behind it, is failing at the moment, whatever
/// is sent: then waiting mails do not use up their tries one after the other.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Breaker {
    /// Failures since the last success.
    #[serde(default)]
    failures: u32,
    /// Until when nothing is tried.
    #[serde(default)]
    open_until: Option<DateTime<Utc>>,
}

impl Breaker {
    /// From when on something may be tried, if not now. The first try after a
    /// pause decides: one more failure and the next pause is twice as long.
    pub fn closed_from(&self, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        self.open_until.filter(|until| *until > now)
    }

    /// Something went through.
    pub fn succeeded(&mut self) {
        *self = Self::default();
    }

    /// Something failed that has nothing to do with the mail itself; `asked` is
    /// how long the other side wants to be left alone.
    pub fn failed(&mut self, now: DateTime<Utc>, asked: Option<TimeDelta>) {
        self.failures = self.failures.saturating_add(1);
        let own = self.failures.checked_sub(OPENS_AFTER).map(|beyond| {
            let minutes = FIRST_PAUSE << beyond.min(5);
            TimeDelta::minutes(minutes.min(LONGEST_PAUSE))
        });
        if let Some(pause) = own.max(asked) {
            self.open_until = Some(now + pause);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::slot;

    #[test]
    fn a_mail_is_tried_for_about_a_day() {
        let mut now = slot();
        let mut failed = 0;
        loop {
            failed += 1;
            match next_try(failed, now, None) {
                Some(then) => now = then,
                None => break,
            }
        }
        assert_eq!(failed, MAX_TRIES);
        assert_eq!(usize::try_from(MAX_TRIES), Ok(LADDER.len() + 1));
        let took = (now - slot()).num_hours();
        assert!((20..=26).contains(&took), "{took} hours");
        let asked = Some(TimeDelta::hours(2));
        assert_eq!(
            next_try(1, slot(), asked),
            Some(slot() + TimeDelta::hours(2))
        );
    }

    #[test]
    fn a_mailbox_that_keeps_failing_is_left_alone_longer_and_longer() {
        let mut breaker = Breaker::default();
        let minutes = |breaker: &Breaker| {
            let until = breaker.closed_from(slot());
            until.map(|until| (until - slot()).num_minutes())
        };
        let mut pauses = Vec::new();
        for _ in 0..9 {
            breaker.failed(slot(), None);
            pauses.push(minutes(&breaker));
        }
        let expected = [
            None,
            None,
            Some(2),
            Some(4),
            Some(8),
            Some(16),
            Some(32),
            Some(60),
            Some(60),
        ];
        assert_eq!(pauses, expected);
        breaker.succeeded();
        assert_eq!(minutes(&breaker), None);
        breaker.failed(slot(), Some(TimeDelta::minutes(7)));
        assert_eq!(
            minutes(&breaker),
            Some(7),
            "what the other side asks for counts at once"
        );
    }
}
