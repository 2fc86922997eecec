//! Sends single requests: token attached and renewed once, writes booked, transient failures repeated.

use reqwest::{Method, RequestBuilder};
use serde_json::Value;

use super::{Graph, GraphError};
use crate::entra::AccessToken;
use crate::http::{Answer, ApiError};

/// One request below the configured host.
pub(super) struct Call<'a> {
    pub(super) method: Method,
    /// Path and query from `/v1.0` on, percent-encoded.
    pub(super) tail: &'a str,
    pub(super) body: Option<&'a Value>,
    /// Value of a `Prefer` header.
    pub(super) prefer: Option<&'static str>,
    /// Whether Graph may answer from its index: it counts for nobody else.
    pub(super) eventual: bool,
}

impl Graph {
    /// Reads `tail`, which starts with `/v1.0`.
    pub(super) async fn get(&self, tail: &str) -> Result<Answer, GraphError> {
        self.call(&Call {
            method: Method::GET,
            tail,
            body: None,
            prefer: None,
            eventual: false,
        })
        .await
    }

    /// Sends one request until it succeeds, fails for good or runs out of tries.
    pub(super) async fn call(&self, call: &Call<'_>) -> Result<Answer, GraphError> {
        let attempt = || async {
            if call.method != Method::GET {
                self.book_write(call).await?;
            }
            let (answer, _) = self.authorised(call).await?;
            Ok(answer.success()?)
        };
        self.http.retry().run(self.deadline, attempt).await
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

    /// Sends one request once; a refused token is renewed once. The token that
    /// was used comes back too, since parts of a batch can refuse it as well.
    pub(super) async fn authorised(
        &self,
        call: &Call<'_>,
    ) -> Result<(Answer, AccessToken), GraphError> {
        let token = self.token().await?;
        let answer = self.send(call, &token).await?;
        if answer.status != 401 {
            return Ok((answer, token));
        }
        self.forget(&token);
        let token = self.token().await?;
        let answer = self.send(call, &token).await?;
        Ok((answer, token))
    }

    /// Makes the next request ask for a new token.
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
        self.meter.http_request();
        self.http.send(self.build(call, token)).await
    }

    fn build(&self, call: &Call<'_>, token: &AccessToken) -> RequestBuilder {
        let mut request = self
            .http
            .request(call.method.clone(), &self.base.join(call.tail))
            .bearer_auth(token.secret().expose())
            // Throttled before anything a person waits for.
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
}
