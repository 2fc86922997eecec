//! Sends requests with the token, pauses all of them on a rate limit, and retries if transient.

use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use reqwest::Method;
use serde_json::Value;
use tokio::time::{Instant, sleep_until};

use super::Scim;
use crate::http::{Answer, ApiError};

/// Media type of every request body (RFC 7644, section 8.1).
const MEDIA_TYPE: &str = "application/scim+json";
/// Maximum response size, because the service is chosen by the tenant.
const MOST_BYTES: usize = 32 * 1024 * 1024;
/// Default pause of all requests if a rate limit comes without a duration.
const PAUSE: Duration = Duration::from_secs(1);

/// Returns whether a retry makes sense; 501 (not implemented) is permanent.
pub(super) fn may_pass(error: &ApiError) -> bool {
    error.is_transient() && error.status() != Some(501)
}

/// Counts requests.
#[derive(Debug, Default)]
pub(super) struct Meter(AtomicU64);

impl Meter {
    pub(super) fn requests(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// The time until which no request is sent: a rate limit applies to the service, not to one
/// request.
#[derive(Debug, Default)]
pub(super) struct RequestPacing(Mutex<Option<Instant>>);

impl RequestPacing {
    fn until(&self) -> Option<Instant> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn pause(&self, pause: Duration) {
        let until = Instant::now() + pause;
        let mut held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *held = Some(held.map_or(until, |held| held.max(until)));
    }
}

impl Scim {
    /// Sends a GET request to a path below the base URL.
    pub(super) async fn get(&self, tail: &str) -> Result<Answer, ApiError> {
        self.send(Method::GET, tail, None, true).await
    }

    /// Sends an idempotent change.
    pub(super) async fn change(
        &self,
        method: Method,
        tail: &str,
        body: &Value,
    ) -> Result<Answer, ApiError> {
        self.send(method, tail, Some(body), true).await
    }

    /// Sends a change that is not idempotent: it is retried only if the service certainly did not
    /// process it.
    pub(super) async fn change_once(
        &self,
        method: Method,
        tail: &str,
        body: &Value,
    ) -> Result<Answer, ApiError> {
        self.send(method, tail, Some(body), false).await
    }

    async fn send(
        &self,
        method: Method,
        tail: &str,
        body: Option<&Value>,
        repeatable: bool,
    ) -> Result<Answer, ApiError> {
        let policy = self.http.retry();
        let mut tried = 0;
        loop {
            if let Some(until) = self.pace.until() {
                let pause = until.saturating_duration_since(Instant::now());
                if !pause.is_zero() && !policy.may_wait(pause, self.deadline) {
                    let path = tail.split('?').next().unwrap_or_default().to_owned();
                    return Err(ApiError::Timeout {
                        method: crate::http::method_name(&method),
                        path,
                    });
                }
                sleep_until(until).await;
            }
            let error = match self.send_once(&method, tail, body).await {
                Ok(answer) => return Ok(answer),
                Err(error) => error,
            };
            let refused_unread = error.status() == Some(429);
            // A rate limit is not a failure, so waiting for it does not use up an attempt.
            tried += u32::from(!refused_unread);
            let pause = if refused_unread {
                // A minimum pause, because a pause of zero would retry in a tight loop.
                let pause = error.retry_after().unwrap_or(PAUSE).max(policy.first_pause);
                self.pace.pause(pause);
                pause
            } else {
                error.retry_after().unwrap_or_else(|| policy.pause(tried))
            };
            let hopeless = !may_pass(&error) || !(repeatable || refused_unread);
            if tried >= policy.tries || hopeless || !policy.may_wait(pause, self.deadline) {
                return Err(error);
            }
            tracing::debug!(%error, tried, "retrying");
            tokio::time::sleep(pause).await;
        }
    }

    async fn send_once(
        &self,
        method: &Method,
        tail: &str,
        body: Option<&Value>,
    ) -> Result<Answer, ApiError> {
        self.meter.0.fetch_add(1, Ordering::Relaxed);
        let mut request = self
            .http
            .request(method.clone(), &self.base.join(tail))
            .bearer_auth(self.token.expose())
            .header("Accept", "application/scim+json, application/json");
        if method == Method::GET {
            request = request.timeout(self.http.long_read_timeout());
        }
        if let Some(body) = body {
            request = request
                .header("Content-Type", MEDIA_TYPE)
                .body(body.to_string());
        }
        let answer = self.http.send_within(request, MOST_BYTES).await?;
        answer.success().map_err(|error| error.hiding(&self.token))
    }
}
