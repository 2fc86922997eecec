//! Sends requests: token attached, everybody pauses while the service asks for it, transient failures repeated.

use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use reqwest::Method;
use serde_json::Value;
use tokio::time::{Instant, sleep_until};

use super::Scim;
use crate::http::{Answer, ApiError};

/// The media type of everything that is sent (RFC 7644, section 8.1).
const MEDIA_TYPE: &str = "application/scim+json";
/// Longest answer that is read: the service is one that a tenant named.
const MOST_BYTES: usize = 32 * 1024 * 1024;
/// How long everybody pauses when the service asks for it and does not say how long.
const PAUSE: Duration = Duration::from_secs(1);

/// Whether trying again makes sense: what is not implemented stays so.
pub(super) fn may_pass(error: &ApiError) -> bool {
    error.is_transient() && error.status() != Some(501)
}

/// Requests counted.
#[derive(Debug, Default)]
pub(super) struct Meter(AtomicU64);

impl Meter {
    pub(super) fn requests(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// Until when nobody sends: a rate limit is the service's, not one request's.
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
    /// Reads below the service's address.
    pub(super) async fn get(&self, tail: &str) -> Result<Answer, ApiError> {
        self.send(Method::GET, tail, None, true).await
    }

    /// Sends a change that may be sent twice without harm.
    pub(super) async fn change(
        &self,
        method: Method,
        tail: &str,
        body: &Value,
    ) -> Result<Answer, ApiError> {
        self.send(method, tail, Some(body), true).await
    }

    /// Sends a change that must not be made twice: it is repeated only where the
    /// service surely did nothing with it.
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
            // Waiting in line costs no try: a limit is no failure.
            tried += u32::from(!refused_unread);
            let pause = if refused_unread {
                // Who asks for no pause at all would be asked without end.
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
            tracing::debug!(%error, tried, "trying again");
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
