//! The remaining time of an invocation.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// The time by which an invocation must have stopped cleanly.
#[derive(Debug, Clone, Copy)]
pub struct Deadline(Instant);

/// The time reserved before Lambda's own limit to release the lock, store the report and queue the
/// continuation. Each takes well under a second, but services may be slow.
pub const MARGIN: Duration = Duration::from_secs(20);

impl Deadline {
    /// Returns the deadline this far from now.
    pub fn after(left: Duration) -> Self {
        Self(Instant::now() + left)
    }

    /// Returns Lambda's limit (milliseconds since 1970) minus the margin, which is at most a
    /// quarter of the remaining time.
    pub fn of_invocation(limit_ms: u64) -> Self {
        let now = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        let left = Duration::from_millis(limit_ms).saturating_sub(now);
        Self::after(left.saturating_sub(MARGIN.min(left / 4)))
    }

    /// Returns the remaining time.
    pub fn left(&self) -> Duration {
        self.0.saturating_duration_since(Instant::now())
    }

    /// Returns true if at least this much time remains.
    pub fn allows(&self, needed: Duration) -> bool {
        self.left() >= needed
    }

    /// Returns the deadline as an instant.
    pub fn instant(&self) -> Instant {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_past_limit_leaves_nothing() {
        assert_eq!(Deadline::of_invocation(0).left(), Duration::ZERO);
        assert!(!Deadline::of_invocation(0).allows(Duration::from_millis(1)));
    }

    #[test]
    fn a_long_invocation_keeps_the_margin_free() {
        let now = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .expect("time before 1970");
        let limit = u64::try_from(now.as_millis()).expect("time out of range") + 900_000;
        let left = Deadline::of_invocation(limit).left();
        assert!(left <= Duration::from_secs(880) && left > Duration::from_secs(870));
    }
}
