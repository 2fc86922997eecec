//! Retries: a backoff for each message, and a circuit breaker for each mailbox.

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

/// Backoff in minutes after the first, second, … failed attempt of a message.
pub const LADDER: [i64; 7] = [1, 5, 15, 60, 180, 360, 720];
/// Maximum number of attempts of a message, over about a day.
pub const MAX_TRIES: u32 = 8;

/// Consecutive failures after which a mailbox is paused.
const OPENS_AFTER: u32 = 3;
/// Length of the first pause in minutes; it doubles with each further failure.
const FIRST_PAUSE: i64 = 2;
const LONGEST_PAUSE: i64 = 60;

/// Returns the time of the next attempt after `failed` attempts; `None` if there is none.
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

/// Circuit breaker of a mailbox: while all sending fails, waiting messages must not use up their
/// attempts.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Breaker {
    /// Number of failures since the last success.
    #[serde(default)]
    failures: u32,
    /// End of the pause.
    #[serde(default)]
    open_until: Option<DateTime<Utc>>,
}

impl Breaker {
    /// Returns the end of the pause, if sending is paused now. After the pause one more failure
    /// starts another pause, twice as long.
    pub fn paused_until(&self, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        self.open_until.filter(|until| *until > now)
    }

    /// Records a success.
    pub fn succeeded(&mut self) {
        *self = Self::default();
    }

    /// Records a failure that is not caused by the message itself; `asked` is the delay that the
    /// other side requested.
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
            let until = breaker.paused_until(slot());
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
            "the requested delay was not applied at once"
        );
    }
}
