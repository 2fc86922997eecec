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

/// A token bucket, like Microsoft's own: full at first, refilled evenly. Clones share the
/// bucket.
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
        let mut bucket = self.bucket.lock().unwrap_or_else(PoisonError::into_inner);
        bucket.left = (bucket.left + f64::from(writes)).min(self.size);
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
        let mut bucket = self.bucket.lock().unwrap_or_else(PoisonError::into_inner);
        let since = bucket
            .filled_at
            .map_or(Duration::ZERO, |at| now.duration_since(at));
        bucket.left = (bucket.left + since.as_secs_f64() * self.per_second).min(self.size);
        bucket.filled_at = Some(now);
        // More writes than the bucket can contain wait until it is full.
        let missing = f64::from(writes).min(self.size) - bucket.left;
        if missing <= 1e-6 {
            return (bucket, None);
        }
        // Timers round down, so without an extra millisecond the bucket would still lack a
        // write.
        let wait = Duration::from_secs_f64(missing / self.per_second) + Duration::from_millis(1);
        (bucket, Some(wait))
    }
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
}
