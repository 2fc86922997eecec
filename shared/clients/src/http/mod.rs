//! The shared HTTP client: timeouts, retries, paging and errors without secrets.

mod circuit_breaker;
mod error;
mod odata;
mod paging;
mod public_resolver;
mod retry;
mod secret;
#[cfg(test)]
pub(crate) mod testing;

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use reqwest::header::{HeaderMap, RETRY_AFTER};
use reqwest::{Method, RequestBuilder, Response};
use serde::de::DeserializeOwned;

pub(crate) use circuit_breaker::CircuitBreaker;
pub use error::ApiError;
pub(crate) use error::{cut, is_transient_status, method_name, vendor_error};
pub(crate) use odata::quoted;
pub(crate) use paging::{Base, Links};
pub use retry::RetryPolicy;
pub(crate) use retry::{Retryable, parse_retry_after, within};
pub use secret::Secret;

/// Maximum size of a body. Learn365's largest page (10,000 users with all fields) is about 20 MB; a
/// larger body is an error, not data.
const MAX_BODY_BYTES: usize = 128 * 1024 * 1024;

/// Timeouts and retries of the client.
#[derive(Debug, Clone, Copy)]
pub struct HttpSettings {
    /// Timeout for connecting.
    pub connect_timeout: Duration,
    /// Timeout for a complete response, unless the request sets a longer one.
    pub request_timeout: Duration,
    /// Timeout for reading large pages. Two minutes is what other exporters of the learning
    /// platform use.
    pub long_read_timeout: Duration,
    /// The retries of transient failures.
    pub retry: RetryPolicy,
}

impl Default for HttpSettings {
    fn default() -> Self {
        Self {
            connect_timeout: Duration::from_secs(5),
            request_timeout: Duration::from_secs(30),
            long_read_timeout: Duration::from_mins(2),
            retry: RetryPolicy::default(),
        }
    }
}

/// The shared HTTP client; clones share its connections.
///
/// Redirects are disabled: none of the services uses them, and following one could send a
/// credential to another host. Proxies from the environment are disabled as well, because
/// configuration comes from one place.
#[derive(Debug, Clone)]
pub struct Http {
    client: reqwest::Client,
    request_timeout: Duration,
    long_read_timeout: Duration,
    retry: RetryPolicy,
}

impl Http {
    /// Creates the client (TLS by rustls, platform trust store).
    pub fn new(settings: HttpSettings) -> Result<Self, ApiError> {
        Self::build(settings, reqwest::Client::builder())
    }

    /// Creates a client for hosts configured by tenants: it connects to public addresses only,
    /// whatever a name resolves to.
    pub fn to_public_hosts(settings: HttpSettings) -> Result<Self, ApiError> {
        let builder = reqwest::Client::builder();
        Self::build(
            settings,
            builder.dns_resolver(Arc::new(public_resolver::PublicOnly)),
        )
    }

    fn build(settings: HttpSettings, builder: reqwest::ClientBuilder) -> Result<Self, ApiError> {
        let client = builder
            .connect_timeout(settings.connect_timeout)
            .timeout(settings.request_timeout)
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .user_agent(concat!("rollcall/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(|error| ApiError::Setup(error.without_url().to_string()))?;
        let HttpSettings {
            request_timeout,
            long_read_timeout,
            retry,
            ..
        } = settings;
        Ok(Self {
            client,
            request_timeout,
            long_read_timeout,
            retry,
        })
    }

    /// Returns how transient failures are retried.
    pub fn retry(&self) -> RetryPolicy {
        self.retry
    }

    /// Returns the timeout for a small answer.
    pub(crate) fn request_timeout(&self) -> Duration {
        self.request_timeout
    }

    /// Returns the timeout for a large page.
    pub(crate) fn long_read_timeout(&self) -> Duration {
        self.long_read_timeout
    }

    pub(crate) fn request(&self, method: Method, url: &str) -> RequestBuilder {
        self.client.request(method, url)
    }

    /// Sends a request once and returns the complete response, whatever its status.
    pub(crate) async fn send(&self, request: RequestBuilder) -> Result<Answer, ApiError> {
        self.send_within(request, MAX_BODY_BYTES).await
    }

    /// Sends a request once; a response larger than `most` bytes is an error.
    pub(crate) async fn send_within(
        &self,
        request: RequestBuilder,
        most: usize,
    ) -> Result<Answer, ApiError> {
        let request = request
            .build()
            .map_err(|error| ApiError::Setup(error.without_url().to_string()))?;
        let method = method_name(request.method());
        let path = request.url().path().to_owned();
        let broken = |error| ApiError::from_reqwest(method, path.clone(), error);
        let response = self.client.execute(request).await.map_err(broken)?;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        match read_body(response, most).await.map_err(broken)? {
            Some(body) => Ok(Answer {
                method,
                path,
                status,
                headers,
                body,
            }),
            None => Err(ApiError::Decode {
                method,
                path,
                expected: "an answer of reasonable size",
                detail: format!("it is longer than {most} bytes"),
            }),
        }
    }
}

/// Returns the body, or `None` if it is too large.
async fn read_body(mut response: Response, most: usize) -> Result<Option<Vec<u8>>, reqwest::Error> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await? {
        if body.len() + chunk.len() > most {
            return Ok(None);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(Some(body))
}

/// A response with the method and path of its request.
pub(crate) struct Answer {
    pub(crate) method: &'static str,
    pub(crate) path: String,
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    /// Returns the response if its status is a success, otherwise the error.
    pub(crate) fn success(self) -> Result<Self, ApiError> {
        if (200..300).contains(&self.status) {
            return Ok(self);
        }
        let wait = self.retry_after();
        Err(ApiError::from_body(
            self.method,
            self.path,
            self.status,
            wait,
            &self.body,
        ))
    }

    /// Returns the delay requested by the server.
    pub(crate) fn retry_after(&self) -> Option<Duration> {
        let value = self.headers.get(RETRY_AFTER)?.to_str().ok()?;
        parse_retry_after(value, SystemTime::now())
    }

    /// Deserializes the body as `expected` (a noun phrase for the error).
    pub(crate) fn json<T: DeserializeOwned>(&self, expected: &'static str) -> Result<T, ApiError> {
        serde_json::from_slice(&self.body).map_err(|error| self.not(expected, position(&error)))
    }

    /// Returns the error of a response that is not as expected.
    pub(crate) fn not(&self, expected: &'static str, detail: String) -> ApiError {
        ApiError::Decode {
            method: self.method,
            path: self.path.clone(),
            expected,
            detail,
        }
    }
}

/// Returns the position of a JSON error. The parser's message may quote values, so only the kind of
/// error and the position are used.
pub(crate) fn position(error: &serde_json::Error) -> String {
    let kind = match error.classify() {
        serde_json::error::Category::Io => "unreadable",
        serde_json::error::Category::Syntax => "not JSON",
        serde_json::error::Category::Data => "an unexpected type or a missing field",
        serde_json::error::Category::Eof => "cut off",
    };
    format!("{kind} at line {}, column {}", error.line(), error.column())
}

#[cfg(test)]
mod tests {
    use super::testing::{Act, Stub, quick, reply};
    use super::*;

    async fn get(http: &Http, url: &str) -> Result<Answer, ApiError> {
        http.send(http.request(Method::GET, url)).await?.success()
    }

    #[tokio::test]
    async fn a_request_names_the_service_and_its_version() {
        let stub = Stub::start(|_| reply(200, "", "{}")).await;
        get(&quick(), &stub.url).await.expect("no response");
        let agent = format!("user-agent: rollcall/{}", env!("CARGO_PKG_VERSION"));
        assert!(stub.requests()[0].contains(&agent), "{:?}", stub.requests());
    }

    #[tokio::test]
    async fn a_redirect_is_an_error_and_is_not_followed() {
        let elsewhere = Stub::start(|_| reply(200, "", "{}")).await;
        let location = format!("Location: {}\r\n", elsewhere.url);
        let stub = Stub::start(move |_| reply(302, &location, "")).await;
        let error = get(&quick(), &stub.url).await.err().expect("no error");
        assert_eq!(error.status(), Some(302));
        assert!(elsewhere.requests().is_empty());
    }

    #[tokio::test]
    async fn silence_is_a_timeout() {
        let stub = Stub::start(|_| Act::Silence).await;
        let error = get(&quick(), &stub.url).await.err().expect("no error");
        assert!(matches!(error, ApiError::Timeout { .. }), "{error:?}");
        assert!(error.is_transient());
    }

    #[tokio::test]
    async fn a_body_that_ends_early_is_no_answer() {
        let cut = "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"value\":[";
        let stub = Stub::start(move |_| Act::Answer(cut.into())).await;
        let error = get(&quick(), &stub.url).await.err().expect("no error");
        assert!(matches!(error, ApiError::Transport { .. }), "{error:?}");
    }

    #[tokio::test]
    async fn an_error_shows_neither_query_nor_credential() {
        let http = quick();
        let url = "http://127.0.0.1:1/path?key=query-secret";
        let request = http.request(Method::GET, url).bearer_auth("header-secret");
        let error = http.send(request).await.err().expect("a server responded");
        let shown = format!("{error} {error:?}");
        assert!(shown.contains("/path"), "{shown}");
        assert!(!shown.contains("secret"), "{shown}");
    }

    #[tokio::test]
    async fn json_that_is_not_expected_is_reported_by_its_position_only() {
        let stub = Stub::start(|_| reply(200, "", "{\"mail\": \"kay@contoso.com\"}")).await;
        let answer = get(&quick(), &stub.url).await.expect("no response");
        let error = answer
            .json::<Vec<u8>>("a list of numbers")
            .expect_err("invalid JSON was accepted");
        let shown = format!("{error} {error:?}");
        assert!(shown.contains("line 1, column"), "{shown}");
        assert!(!shown.contains("kay"), "{shown}");
    }
}
