//! Limits an app's writes to one tenant to Microsoft's quota by waiting before they are throttled.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::{Instant, sleep};

/// The writes that an app may send to one tenant in [`WINDOW`] (identity and access limits of
/// Microsoft Graph). In the long run that is 20 writes a second: 400 adds (20 per PATCH) or
/// 20 removes (one per DELETE).
const WRITES_PER_WINDOW: u32 = 3_000;

/// The period of [`WRITES_PER_WINDOW`]: 2 min 30 s.
const WINDOW: Duration = Duration::from_secs(150);

/// The share of the pace that remains after a refused write, and the smallest share.
const SLOWED: f64 = 0.5;
const SLOWEST: f64 = 1.0 / 32.0;

/// The share of the full pace that is regained per second without a refused write: from the
/// slowest pace to the full one in about five minutes.
const REGAINED_PER_SECOND: f64 = 1.0 / 300.0;

/// The time in which refusals belong to requests that were sent together.
const ONE_ROUND: Duration = Duration::from_secs(1);

/// The longest `Retry-After` that is believed.
const LONGEST_PAUSE: Duration = Duration::from_hours(1);

/// The requests that a throttled response concerns (`x-ms-throttle-scope`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ThrottleScope {
    /// Writes only.
    Writes,
    /// Reads only, or reads and writes, or unknown.
    All,
}

impl ThrottleScope {
    /// The response header that names the requests that are throttled.
    pub(super) const HEADER: &str = "x-ms-throttle-scope";

    /// Reads the header, such as `Tenant_Application/Write/{app}/{tenant}`.
    pub(super) fn of(header: Option<&str>) -> Self {
        match header.and_then(|scope| scope.split('/').nth(1)) {
            Some(kind) if kind.eq_ignore_ascii_case("write") => Self::Writes,
            _ => Self::All,
        }
    }
}

/// A token bucket, like Microsoft's own: full at first, refilled evenly. Clones share the
/// bucket.
///
/// The published quota is an upper limit: Graph also throttles below it, and the cost of a request
/// is not published for every kind. So the bucket follows the responses: a refused request pauses
/// all of them for the requested time and halves the pace, which then recovers.
#[derive(Debug, Clone)]
pub struct Quota {
    bucket: Arc<Mutex<Bucket>>,
    size: f64,
    per_second: f64,
}

#[derive(Debug)]
struct Bucket {
    left: f64,
    filled_at: Option<Instant>,
    /// The current share of the full pace.
    pace: f64,
    /// The time of the last refusal that reduced the pace.
    slowed_at: Option<Instant>,
    /// No write is sent before this time.
    writes_paused_until: Option<Instant>,
    /// No read is sent before this time.
    reads_paused_until: Option<Instant>,
}

impl Default for Quota {
    /// Returns Microsoft's limit for one app in one tenant.
    fn default() -> Self {
        Self::new(WRITES_PER_WINDOW, WINDOW)
    }
}

impl Quota {
    /// Creates a quota of at most `writes` at once and per `window` in the long run.
    pub fn new(writes: u32, window: Duration) -> Self {
        let size = f64::from(writes.max(1));
        let bucket = Bucket {
            left: size,
            filled_at: None,
            pace: 1.0,
            slowed_at: None,
            writes_paused_until: None,
            reads_paused_until: None,
        };
        let per_second = size / window.as_secs_f64().max(0.001);
        Self {
            bucket: Arc::new(Mutex::new(bucket)),
            size,
            per_second,
        }
    }

    /// Waits until `writes` may be sent and takes them from the quota. Returns `false`, and
    /// takes nothing, if that would be after `deadline`.
    pub async fn take(&self, writes: u32, deadline: Option<Instant>) -> bool {
        loop {
            let Some(wait) = self.try_take(writes) else {
                return true;
            };
            if deadline.is_some_and(|end| Instant::now() + wait >= end) {
                return false;
            }
            sleep(wait).await;
        }
    }

    /// Returns whether `writes` may be sent without waiting.
    pub fn has(&self, writes: u32) -> bool {
        self.wait_for(writes).1.is_none()
    }

    /// Gives back writes that were taken but not sent.
    pub fn give_back(&self, writes: u32) {
        let mut bucket = self.lock();
        bucket.left = (bucket.left + f64::from(writes)).min(self.size);
    }

    /// Records that Graph refused a request because there were too many: nothing of its kind is
    /// sent for `wait`. The pace is halved once per pause, not once per request that was already
    /// on its way.
    pub(super) fn throttled(&self, wait: Duration, scope: ThrottleScope) {
        let (mut bucket, _) = self.wait_for(0);
        let now = Instant::now();
        let until = now + wait.min(LONGEST_PAUSE);
        let is_paused = bucket.writes_paused_until.is_some_and(|end| now < end);
        let same_round = |at: Instant| now.duration_since(at) < ONE_ROUND;
        if !is_paused && !bucket.slowed_at.is_some_and(same_round) {
            bucket.pace = (bucket.pace * SLOWED).max(SLOWEST);
            bucket.slowed_at = Some(now);
        }
        bucket.left = 0.0;
        bucket.writes_paused_until = bucket.writes_paused_until.max(Some(until));
        if scope == ThrottleScope::All {
            bucket.reads_paused_until = bucket.reads_paused_until.max(Some(until));
        }
    }

    /// Returns true if writes are sent below the full pace, because Graph refused some.
    pub fn is_slowed(&self) -> bool {
        self.lock().pace < 1.0
    }

    /// Returns how long no write may be sent, because Graph asked to wait.
    pub fn writes_pause(&self) -> Option<Duration> {
        remaining(self.lock().writes_paused_until)
    }

    /// Returns how long no read may be sent, because Graph asked to wait.
    pub fn reads_pause(&self) -> Option<Duration> {
        remaining(self.lock().reads_paused_until)
    }

    /// Takes the writes (`None`) or returns how long to wait.
    fn try_take(&self, writes: u32) -> Option<Duration> {
        let (mut bucket, wait) = self.wait_for(writes);
        if wait.is_none() {
            bucket.left -= f64::from(writes).min(self.size);
        }
        wait
    }

    /// Returns the refilled bucket and the time until it contains `writes`.
    fn wait_for(&self, writes: u32) -> (MutexGuard<'_, Bucket>, Option<Duration>) {
        let now = Instant::now();
        let mut bucket = self.lock();
        // A bucket is not refilled while it is paused.
        let pause = bucket.writes_paused_until.filter(|end| now < *end);
        let from = bucket.filled_at.max(bucket.writes_paused_until);
        let since = from.map_or(Duration::ZERO, |from| now.saturating_duration_since(from));
        let seconds = since.as_secs_f64();
        bucket.left = (bucket.left + seconds * self.per_second * bucket.pace).min(self.size);
        bucket.pace = (bucket.pace + seconds * REGAINED_PER_SECOND).min(1.0);
        bucket.filled_at = Some(now);
        if let Some(end) = pause {
            return (bucket, Some(end.duration_since(now) + TIMER_STEP));
        }
        // More writes than the bucket can contain wait until it is full.
        let missing = f64::from(writes).min(self.size) - bucket.left;
        if missing <= 1e-6 {
            return (bucket, None);
        }
        let per_second = self.per_second * bucket.pace;
        let wait = Duration::from_secs_f64(missing / per_second) + TIMER_STEP;
        (bucket, Some(wait))
    }

    fn lock(&self) -> MutexGuard<'_, Bucket> {
        self.bucket.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Timers round down; without this addition the bucket would still lack a write after a wait.
const TIMER_STEP: Duration = Duration::from_millis(1);

/// Returns the time until then, if it is in the future.
fn remaining(until: Option<Instant>) -> Option<Duration> {
    until?
        .checked_duration_since(Instant::now())
        .filter(|left| !left.is_zero())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_full_bucket_goes_at_once_and_then_twenty_a_second() {
        let (quota, start) = (Quota::default(), Instant::now());
        for _ in 0..WRITES_PER_WINDOW / 20 {
            assert!(quota.take(20, None).await);
        }
        assert_eq!(start.elapsed(), Duration::ZERO);
        for _ in 0..10 {
            assert!(quota.take(20, None).await);
        }
        let seconds = start.elapsed().as_secs_f64();
        assert!((10.0..10.1).contains(&seconds), "{seconds}");
    }

    #[tokio::test(start_paused = true)]
    async fn clones_share_the_bucket() {
        let (quota, start) = (Quota::new(10, Duration::from_secs(10)), Instant::now());
        assert!(quota.clone().take(10, None).await);
        assert!(quota.take(5, None).await);
        assert!(start.elapsed() >= Duration::from_secs(5));
    }

    #[tokio::test(start_paused = true)]
    async fn a_wait_past_the_deadline_is_refused_and_books_nothing() {
        let quota = Quota::new(10, Duration::from_secs(10));
        assert!(quota.take(10, None).await);
        let deadline = Instant::now() + Duration::from_secs(3);
        assert!(!quota.take(5, Some(deadline)).await);
        assert!(quota.take(2, Some(deadline)).await);
    }

    #[tokio::test(start_paused = true)]
    async fn what_was_not_sent_is_given_back() {
        let quota = Quota::new(10, Duration::from_secs(10));
        assert!(quota.take(10, None).await);
        quota.give_back(10);
        let now = Some(Instant::now() + Duration::from_millis(1));
        assert!(quota.take(10, now).await);
    }

    #[tokio::test(start_paused = true)]
    async fn a_batch_larger_than_the_bucket_waits_for_a_full_one() {
        let quota = Quota::new(3, Duration::from_secs(3));
        assert!(quota.take(20, None).await);
        assert!(quota.take(20, None).await);
    }

    #[tokio::test(start_paused = true)]
    async fn a_refused_write_pauses_all_and_halves_the_pace_once() {
        let (quota, start) = (Quota::new(100, Duration::from_secs(10)), Instant::now());
        for _ in 0..20 {
            quota.throttled(Duration::from_secs(5), ThrottleScope::Writes);
        }
        assert!(quota.is_slowed());
        assert_eq!(quota.reads_pause(), None);
        assert_eq!(quota.clone().writes_pause(), Some(Duration::from_secs(5)));
        // Ten writes at five a second, after the pause.
        assert!(quota.take(10, None).await);
        let seconds = start.elapsed().as_secs_f64();
        assert!((6.9..7.1).contains(&seconds), "{seconds}");
    }

    /// Without `Retry-After`, twenty refusals of one batch are one refusal.
    #[tokio::test(start_paused = true)]
    async fn refusals_without_a_pause_slow_once() {
        let (quota, start) = (Quota::new(100, Duration::from_secs(10)), Instant::now());
        for _ in 0..20 {
            quota.throttled(Duration::ZERO, ThrottleScope::All);
        }
        assert!(quota.take(10, None).await);
        let seconds = start.elapsed().as_secs_f64();
        assert!((1.9..2.1).contains(&seconds), "{seconds}");
    }

    #[tokio::test(start_paused = true)]
    async fn the_pace_recovers_and_never_stops() {
        let quota = Quota::new(100, Duration::from_secs(10));
        for _ in 0..20 {
            quota.throttled(Duration::from_secs(1), ThrottleScope::All);
            tokio::time::advance(Duration::from_secs(2)).await;
        }
        let start = Instant::now();
        assert!(quota.take(1, None).await);
        assert!(start.elapsed() < Duration::from_secs(4));
        tokio::time::advance(Duration::from_mins(6)).await;
        assert!(quota.has(100));
        assert!(!quota.is_slowed());
    }

    #[test]
    fn the_scope_of_a_refusal_is_read_from_its_header() {
        let scope = ThrottleScope::of;
        assert_eq!(
            scope(Some("Tenant_Application/Write/a/t")),
            ThrottleScope::Writes
        );
        assert_eq!(scope(Some("Tenant/ReadWrite/a/t")), ThrottleScope::All);
        assert_eq!(scope(Some("nonsense")), ThrottleScope::All);
        assert_eq!(scope(None), ThrottleScope::All);
    }
}
