//! Stops requests to a third party that does not respond, so that it costs the run two requests and
//! not some for each profile.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::ApiError;

/// Consecutive timeouts after which nothing more is sent. The second one is the retry of the first.
const TIMEOUTS: u32 = 2;
/// Consecutive requests that were answered with a server error, each after its retries, after which
/// nothing more is sent. One failing object must not stop the requests for all others.
const SERVER_ERRORS: u32 = 3;
/// The pause before the next invocation unless the third party asks for another.
const PAUSE: Duration = Duration::from_mins(5);

/// The circuit breaker of a client; clones share its state. It remains open for the life of the
/// client, which is one invocation: the next invocation tries again.
#[derive(Debug, Clone, Default)]
pub(crate) struct CircuitBreaker(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    timeouts: u32,
    server_errors: u32,
    open: Option<Open>,
}

#[derive(Debug, Clone, Copy)]
struct Open {
    reason: &'static str,
    pause: Duration,
}

impl State {
    /// Opens the breaker unless it is open; the first reason and its pause count.
    fn open(&mut self, reason: &'static str, pause: Duration) {
        self.open.get_or_insert(Open { reason, pause });
    }
}

impl CircuitBreaker {
    /// Returns how long to wait before the next attempt if nothing more is sent.
    pub(crate) fn open_for(&self) -> Option<Duration> {
        self.with(|state| state.open.map(|open| open.pause))
    }

    /// Returns an error if nothing more is sent.
    pub(crate) fn admit(&self) -> Result<(), ApiError> {
        match self.with(|state| state.open) {
            Some(Open { reason, .. }) => Err(ApiError::Suspended { reason }),
            None => Ok(()),
        }
    }

    /// Records one attempt, before it is retried. `longest_wait` is the longest pause that the
    /// client itself waits for.
    pub(crate) fn record_attempt<T>(&self, result: &Result<T, ApiError>, longest_wait: Duration) {
        let throttled = result
            .as_ref()
            .err()
            .and_then(ApiError::retry_after)
            .filter(|pause| *pause > longest_wait);
        let silent = matches!(
            result,
            Err(ApiError::Timeout { .. } | ApiError::Transport { .. })
        );
        self.with(|state| {
            state.timeouts = if silent { state.timeouts + 1 } else { 0 };
            if state.timeouts >= TIMEOUTS {
                state.open("earlier requests received no response", PAUSE);
            }
            if let Some(pause) = throttled {
                state.open("a longer pause was asked for", pause);
            }
        });
    }

    /// Records the final result of a request, after its retries.
    pub(crate) fn record_request<T>(&self, result: &Result<T, ApiError>) {
        let failed = result
            .as_ref()
            .is_err_and(|error| error.status().is_some_and(|status| status >= 500));
        self.with(|state| {
            state.server_errors = if failed { state.server_errors + 1 } else { 0 };
            if state.server_errors >= SERVER_ERRORS {
                state.open("earlier requests were answered with server errors", PAUSE);
            }
        });
    }

    fn with<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        change(&mut state)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WAIT: Duration = Duration::from_mins(2);

    fn timeout() -> Result<(), ApiError> {
        Err(ApiError::Timeout {
            method: "GET",
            path: "/x".into(),
        })
    }

    fn status(status: u16, pause: Option<u64>) -> Result<(), ApiError> {
        let pause = pause.map(Duration::from_secs);
        Err(ApiError::from_body("GET", "/x".into(), status, pause, b""))
    }

    #[test]
    fn two_timeouts_in_a_row_open_it() {
        let breaker = CircuitBreaker::default();
        for result in [timeout(), Ok(()), timeout(), status(404, None), timeout()] {
            breaker.record_attempt(&result, WAIT);
            assert!(breaker.admit().is_ok(), "opened by {result:?}");
        }
        breaker.record_attempt(&timeout(), WAIT);
        let refused = breaker.admit().expect_err("still sends");
        assert!(
            refused.is_deferral() && !refused.is_transient(),
            "{refused}"
        );
        assert_eq!(breaker.open_for(), Some(PAUSE));
    }

    #[test]
    fn three_server_errors_in_a_row_open_it() {
        let breaker = CircuitBreaker::default();
        for result in [
            status(503, None),
            status(500, None),
            Ok(()),
            status(502, None),
        ] {
            breaker.record_request(&result);
        }
        breaker.record_request(&status(500, None));
        assert!(breaker.admit().is_ok(), "opened too early");
        breaker.record_request(&status(500, None));
        assert!(breaker.admit().is_err(), "still sends");
    }

    #[test]
    fn only_a_pause_that_is_too_long_to_wait_for_opens_it_and_is_passed_on() {
        let breaker = CircuitBreaker::default();
        breaker.record_attempt(&status(429, Some(120)), WAIT);
        breaker.record_attempt(&status(429, None), WAIT);
        assert_eq!(breaker.open_for(), None);
        breaker.record_attempt(&status(429, Some(400)), WAIT);
        assert_eq!(breaker.open_for(), Some(Duration::from_secs(400)));
    }
}
