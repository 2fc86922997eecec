//! Sends single requests: adds and renews the token, respects the quota, retries transient errors.

use std::sync::Arc;
use std::time::Duration;

use reqwest::{Method, RequestBuilder};
use rollcall_domain::base::ids::TenantId;
use serde_json::Value;
use tokio::time::Instant;

use super::quota::ThrottleScope;
use super::stats::{BatchSize, Meter};
use super::{GraphError, Quota};
use crate::entra::{AccessToken, Entra};
use crate::http::{Answer, ApiError, Base, Http, Links, Secret};

/// One request below the configured host.
pub(super) struct Call<'a> {
    pub(super) method: Method,
    /// Path and query starting with `/v1.0`, percent-encoded.
    pub(super) tail: &'a str,
    pub(super) body: Option<&'a Value>,
    /// The value of the `Prefer` header.
    pub(super) prefer: Option<&'static str>,
    /// True if Graph may respond from its index, which counts and filters require.
    pub(super) eventual: bool,
    /// The size of a `$batch`; `None` for any other request.
    pub(super) batch: Option<BatchSize>,
}

/// The source of tokens for one tenant: the app's credential.
#[derive(Debug, Clone)]
pub struct TokenSource {
    pub(super) entra: Entra,
    pub(super) tenant: TenantId,
    pub(super) client_id: String,
    pub(super) secret: Secret,
}

impl TokenSource {
    /// Creates a source for the app `client_id`, acting in `tenant` without a user.
    pub fn new(entra: Entra, tenant: TenantId, client_id: &str, secret: Secret) -> Self {
        Self {
            entra,
            tenant,
            client_id: client_id.to_owned(),
            secret,
        }
    }
}

/// The connection to one tenant's directory. Clones share the token, the write quota and the
/// counters.
#[derive(Debug, Clone)]
pub(super) struct Transport {
    pub(super) http: Http,
    pub(super) base: Base,
    pub(super) tokens: TokenSource,
    pub(super) scope: String,
    pub(super) quota: Quota,
    pub(super) meter: Arc<Meter>,
    pub(super) deadline: Option<Instant>,
}

impl Transport {
    pub(super) fn new(http: Http, base_url: &str, tokens: TokenSource) -> Result<Self, ApiError> {
        let base = Base::parse(base_url)?;
        let scope = base.join("/.default");
        let (quota, meter) = (Quota::default(), Arc::default());
        Ok(Self {
            http,
            base,
            tokens,
            scope,
            quota,
            meter,
            deadline: None,
        })
    }

    /// Reads `tail`, which starts with `/v1.0`.
    pub(super) async fn get(&self, tail: &str) -> Result<Answer, GraphError> {
        self.call(&Call {
            method: Method::GET,
            tail,
            body: None,
            prefer: None,
            eventual: false,
            batch: None,
        })
        .await
    }

    /// Sends one request and retries it until it succeeds, fails permanently or exhausts its
    /// attempts.
    pub(super) async fn call(&self, call: &Call<'_>) -> Result<Answer, GraphError> {
        let attempt = || async {
            if call.method == Method::GET {
                self.wait_for_reads().await?;
            } else {
                self.book_write(call).await?;
            }
            let (answer, _) = self.authorised(call).await?;
            Ok(answer.success()?)
        };
        self.http.retry().run(self.deadline, attempt).await
    }

    /// Waits while Graph asks for a pause of reads.
    ///
    /// # Errors
    /// Returns a 429 with the remaining pause if it is longer than a client should wait.
    pub(super) async fn wait_for_reads(&self) -> Result<(), GraphError> {
        while let Some(pause) = self.quota.reads_pause() {
            if !self.http.retry().may_wait(pause, self.deadline) {
                return Err(
                    ApiError::from_body("GET", "/v1.0".to_owned(), 429, Some(pause), b"").into(),
                );
            }
            tokio::time::sleep(pause).await;
        }
        Ok(())
    }

    /// Records a 429 for all requests of this app to this tenant, also those of clones. Without
    /// `Retry-After` only the pace is reduced, and the caller's own pause applies.
    pub(super) fn note_throttling(&self, wait: Option<Duration>, scope: ThrottleScope) {
        tracing::debug!(
            wait_ms = wait.map(|it| it.as_millis()),
            ?scope,
            "Microsoft Graph throttles"
        );
        self.quota.throttled(wait.unwrap_or_default(), scope);
    }

    async fn book_write(&self, call: &Call<'_>) -> Result<(), ApiError> {
        if self.quota.take(1, self.deadline).await {
            self.meter.writes(1);
            return Ok(());
        }
        let path = call.tail.split('?').next().unwrap_or_default().to_owned();
        Err(ApiError::Timeout {
            method: crate::http::method_name(&call.method),
            path,
        })
    }

    /// Sends one request once; a rejected token is renewed once. Returns the token as well,
    /// because the parts of a batch can reject it too.
    pub(super) async fn authorised(
        &self,
        call: &Call<'_>,
    ) -> Result<(Answer, AccessToken), GraphError> {
        let token = self.token().await?;
        let answer = self.send(call, &token).await?;
        if answer.status == 429 {
            let scope = answer.headers.get(ThrottleScope::HEADER);
            let scope = ThrottleScope::of(scope.and_then(|it| it.to_str().ok()));
            self.note_throttling(answer.retry_after(), scope);
        }
        if answer.status != 401 {
            return Ok((answer, token));
        }
        self.forget(&token);
        let token = self.token().await?;
        let answer = self.send(call, &token).await?;
        Ok((answer, token))
    }

    /// Removes a rejected token from the cache, so that the next request obtains a new one.
    pub(super) fn forget(&self, refused: &AccessToken) {
        let from = &self.tokens;
        from.entra.forget(
            from.tenant,
            &from.client_id,
            &from.secret,
            &self.scope,
            refused,
        );
    }

    async fn token(&self) -> Result<AccessToken, GraphError> {
        let from = &self.tokens;
        let asked = from
            .entra
            .app_token(from.tenant, &from.client_id, &from.secret, &self.scope);
        Ok(asked.await?)
    }

    async fn send(&self, call: &Call<'_>, token: &AccessToken) -> Result<Answer, ApiError> {
        self.meter.http_request(call.batch);
        self.http.send(self.build(call, token)).await
    }

    fn build(&self, call: &Call<'_>, token: &AccessToken) -> RequestBuilder {
        let mut request = self
            .http
            .request(call.method.clone(), &self.base.join(call.tail))
            .bearer_auth(token.secret().expose())
            // Graph throttles these requests before interactive ones.
            .header("x-ms-throttle-priority", "Low");
        if let Some(prefer) = call.prefer {
            request = request.header("Prefer", prefer);
        }
        if call.eventual {
            request = request.header("ConsistencyLevel", "eventual");
        }
        match call.body {
            Some(body) => request.json(body),
            None => request,
        }
    }

    /// Returns a next-page link as a tail of the configured URL, to which it must belong.
    pub(super) fn tail_of(&self, links: &mut Links, link: &str) -> Result<String, ApiError> {
        links.admit(&self.base, link)?;
        let tail = link
            .strip_prefix(self.base.as_str())
            .filter(|tail| tail.starts_with("/v1.0/"));
        tail.map(str::to_owned)
            .ok_or_else(|| ApiError::ForeignLink {
                expected_host: self.base.as_str().to_owned(),
                found_host: "another part of the same host".to_owned(),
            })
    }
}
