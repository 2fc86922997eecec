//! How long an invocation may still work.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// The moment by which an invocation must have stopped cleanly.
#[derive(Debug, Clone, Copy)]
pub struct Deadline(Instant);

/// Kept free before Lambda's own limit: to release the lock, store the report
/// and queue the continuation, each of which takes well under a second, even
/// when the services are slow.
pub const MARGIN: Duration = Duration::from_secs(20);

impl Deadline {
    /// So long from now.
    pub fn after(left: Duration) -> Self {
        Self(Instant::now() + left)
    }

    /// Lambda's limit (milliseconds since 1970) less the margin; short
    /// invocations keep a quarter of their time as margin instead.
    pub fn of_invocation(limit_ms: u64) -> Self {
        let now = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        let left = Duration::from_millis(limit_ms).saturating_sub(now);
        Self::after(left.saturating_sub(MARGIN.min(left / 4)))
    }

    /// What is left.
    pub fn left(&self) -> Duration {
        self.0.saturating_duration_since(Instant::now())
    }

    /// Whether at least so much is left.
    pub fn allows(&self, needed: Duration) -> bool {
        self.left() >= needed
    }

    /// The moment itself.
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
            .expect("after 1970");
        let limit = u64::try_from(now.as_millis()).expect("fits") + 900_000;
        let left = Deadline::of_invocation(limit).left();
        assert!(left <= Duration::from_secs(880) && left > Duration::from_secs(870));
    }
}
