//! Bounded retries that respect `Retry-After` and never wait past a deadline.

use std::time::{Duration, SystemTime};

use chrono::{DateTime, Utc};
use tokio::time::{Instant, sleep};

use super::ApiError;

/// Number and pauses of retries. The pauses double and have no jitter, so that a run is predictable
/// and testable; the tenants' own queues already spread the load.
#[derive(Debug, Clone, Copy)]
pub struct RetryPolicy {
    /// Pause before the second attempt.
    pub first_pause: Duration,
    /// Maximum of a doubled pause.
    pub longest_pause: Duration,
    /// Maximum `Retry-After`: beyond this the error is returned, and the caller can retry later.
    pub longest_wait: Duration,
    /// Total number of attempts, including the first.
    pub tries: u32,
}

impl Default for RetryPolicy {
    /// 0.5, 1, 2 and 4 s between five attempts, the limit used by Microsoft's own group-sync tool.
    /// A `Retry-After` may take at most two of a job's fifteen minutes.
    fn default() -> Self {
        Self {
            first_pause: Duration::from_millis(500),
            longest_pause: Duration::from_secs(30),
            longest_wait: Duration::from_mins(2),
            tries: 5,
        }
    }
}

/// An error that may be retryable.
pub(crate) trait Retryable: std::fmt::Display {
    /// Returns whether a retry may succeed.
    fn is_transient(&self) -> bool;
    /// Returns the delay requested by the server.
    fn retry_after(&self) -> Option<Duration>;
}

impl Retryable for ApiError {
    fn is_transient(&self) -> bool {
        ApiError::is_transient(self)
    }

    fn retry_after(&self) -> Option<Duration> {
        ApiError::retry_after(self)
    }
}

impl RetryPolicy {
    /// Returns the pause after the given attempt (starting at 1) if the server requested no other.
    pub fn pause(&self, after_try: u32) -> Duration {
        let doublings = after_try.saturating_sub(1).min(16);
        self.first_pause
            .saturating_mul(1 << doublings)
            .min(self.longest_pause)
    }

    /// Retries `attempt` while it fails transiently, attempts remain and the pause ends before
    /// `deadline`; returns the last error unchanged.
    pub(crate) async fn run<T, E, F, Fut>(
        &self,
        deadline: Option<Instant>,
        mut attempt: F,
    ) -> Result<T, E>
    where
        E: Retryable,
        F: FnMut() -> Fut,
        Fut: Future<Output = Result<T, E>>,
    {
        let mut tried = 0;
        loop {
            let error = match attempt().await {
                Ok(value) => return Ok(value),
                Err(error) => error,
            };
            tried += 1;
            let pause = error.retry_after().unwrap_or_else(|| self.pause(tried));
            let give_up = tried >= self.tries || !error.is_transient();
            if give_up || !self.may_wait(pause, deadline) {
                return Err(error);
            }
            tracing::debug!(%error, tried, pause_ms = pause.as_millis(), "retrying");
            sleep(pause).await;
        }
    }

    /// Returns whether a pause is short enough and ends before the deadline.
    pub fn may_wait(&self, pause: Duration, deadline: Option<Instant>) -> bool {
        pause <= self.longest_wait && deadline.is_none_or(|end| Instant::now() + pause < end)
    }
}

/// Waits for `work` until `deadline`; returns `None` if it takes longer, and drops `work`.
pub(crate) async fn within<T>(
    deadline: Option<Instant>,
    work: impl Future<Output = T>,
) -> Option<T> {
    match deadline {
        Some(deadline) => tokio::time::timeout_at(deadline, work).await.ok(),
        None => Some(work.await),
    }
}

/// Parses a `Retry-After` value: seconds, also fractional (Microsoft Graph sends `2.128`), or an
/// HTTP date (RFC 9110, section 10.2.3).
pub(crate) fn parse_retry_after(value: &str, now: SystemTime) -> Option<Duration> {
    let value = value.trim();
    if let Ok(seconds) = value.parse::<f64>() {
        return Duration::try_from_secs_f64(seconds).ok();
    }
    let at = DateTime::parse_from_rfc2822(value)
        .ok()?
        .with_timezone(&Utc);
    Some(
        (at - DateTime::<Utc>::from(now))
            .to_std()
            .unwrap_or_default(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unavailable(retry_after: Option<Duration>) -> ApiError {
        ApiError::from_body("GET", "/x".into(), 503, retry_after, b"")
    }

    async fn seconds_until_failure(policy: RetryPolicy, deadline: Option<Instant>) -> (u32, f64) {
        let (start, mut tries) = (Instant::now(), 0);
        let result: Result<(), ApiError> = policy
            .run(deadline, || {
                tries += 1;
                async { Err(unavailable(None)) }
            })
            .await;
        assert!(result.is_err());
        (tries, start.elapsed().as_secs_f64())
    }

    #[tokio::test(start_paused = true)]
    async fn five_tries_with_doubling_pauses_and_then_the_error() {
        let (tries, seconds) = seconds_until_failure(RetryPolicy::default(), None).await;
        assert_eq!(tries, 5);
        assert!((7.5..7.6).contains(&seconds), "{seconds}");
    }

    #[tokio::test(start_paused = true)]
    async fn no_pause_reaches_past_the_deadline() {
        let deadline = Instant::now() + Duration::from_secs(2);
        let (tries, seconds) = seconds_until_failure(RetryPolicy::default(), Some(deadline)).await;
        assert_eq!(tries, 3);
        assert!((1.5..1.6).contains(&seconds), "{seconds}");
    }

    #[tokio::test(start_paused = true)]
    async fn the_servers_wish_replaces_the_pause() {
        let (start, mut tries) = (Instant::now(), 0);
        let result = RetryPolicy::default()
            .run(None, || {
                tries += 1;
                let answer = if tries == 1 {
                    Err(unavailable(Some(Duration::from_millis(2_128))))
                } else {
                    Ok(tries)
                };
                async { answer }
            })
            .await;
        assert_eq!(result.expect("the second attempt failed"), 2);
        assert!((2.128..2.2).contains(&start.elapsed().as_secs_f64()));
    }

    #[tokio::test(start_paused = true)]
    async fn a_wish_for_an_hour_is_handed_to_the_caller() {
        let mut tries = 0;
        let result: Result<(), ApiError> = RetryPolicy::default()
            .run(None, || {
                tries += 1;
                async { Err(unavailable(Some(Duration::from_hours(1)))) }
            })
            .await;
        let error = result.expect_err("no error");
        assert_eq!(
            (tries, error.retry_after()),
            (1, Some(Duration::from_hours(1)))
        );
    }

    #[test]
    fn retry_after_is_read_as_seconds_fractions_or_a_date() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000_000);
        let read = |text| parse_retry_after(text, now);
        assert_eq!(read("30"), Some(Duration::from_secs(30)));
        assert_eq!(read(" 2.5 "), Some(Duration::from_millis(2_500)));
        assert_eq!(
            read("Sun, 09 Sep 2001 01:47:10 GMT"),
            Some(Duration::from_secs(30))
        );
        assert_eq!(read("Sun, 09 Sep 2001 01:46:00 GMT"), Some(Duration::ZERO));
        assert_eq!(read("-3"), None);
        assert_eq!(read("soon"), None);
    }
}
