//! A connected Microsoft 365 account: its mail, its calendar and the rooms of its tenant.
//!
//! All requests use Microsoft Graph's `/me` with the account's own (delegated) token:
//! <https://learn.microsoft.com/graph/api/overview>. A mailbox processes four concurrent requests
//! of one app, so callers must limit themselves to three:
//! <https://learn.microsoft.com/graph/throttling-limits>.

mod account;
mod body;
mod draft;
mod events;
mod rooms;
mod schedule;
mod send;

use reqwest::Method;
use serde_json::Value;

use crate::http::{Answer, ApiError, Base, Http, Secret};
pub use account::{AccountFacts, MailboxPurpose};
pub use draft::EventDraft;
pub use events::EventFacts;
pub use rollcall_domain::course_session::RoomAnswer;
pub use rooms::Room;
pub use schedule::Availability;

/// Graph's error code for an account whose mailbox is not accessible:
/// <https://learn.microsoft.com/graph/resolve-auth-errors>.
const NO_MAILBOX: &str = "MailboxNotEnabledForRESTAPI";

/// A client for one connected account with a valid access token. A token expires after about an
/// hour; when it is rejected (401), create a new client with a new token.
#[derive(Debug, Clone)]
pub struct Mailbox {
    http: Http,
    base: Base,
    token: Secret,
}

impl Mailbox {
    /// Creates a client for the account of `token` at a cloud's Graph host (without `/v1.0`).
    /// Returns an error if the host is not a valid URL.
    pub fn new(http: Http, graph_url: &str, token: Secret) -> Result<Self, ApiError> {
        let base = Base::parse(graph_url)?;
        Ok(Self { http, base, token })
    }

    /// Reads `tail`, which starts with `/v1.0`; transient failures are retried.
    async fn get(&self, tail: &str) -> Result<Answer, ApiError> {
        self.call(Method::GET, &self.base.join(tail), None).await
    }

    /// Sends an idempotent request and retries transient failures.
    async fn call(
        &self,
        method: Method,
        url: &str,
        body: Option<&Value>,
    ) -> Result<Answer, ApiError> {
        let attempt = || async { self.once(method.clone(), url, body).await?.success() };
        self.http.retry().run(None, attempt).await
    }

    /// Sends one request once.
    async fn once(
        &self,
        method: Method,
        url: &str,
        body: Option<&Value>,
    ) -> Result<Answer, ApiError> {
        let request = self
            .http
            .request(method, url)
            .bearer_auth(self.token.expose())
            // All times are read in UTC; written times contain their own zone.
            .header("Prefer", "outlook.timezone=\"UTC\"");
        let request = match body {
            Some(body) => request.json(body),
            None => request,
        };
        self.http.send(request).await
    }
}

/// Returns whether an item is missing. A missing mailbox is a different error.
pub fn is_gone(error: &ApiError) -> bool {
    error.status() == Some(404) && error.code() != Some(NO_MAILBOX)
}

#[cfg(test)]
mod testing {
    use super::*;
    use crate::http::testing::{Act, Stub, quick};

    /// Returns a connected account whose Graph responds with `act`.
    pub(super) async fn connected(
        act: impl Fn(&str) -> Act + Send + Sync + 'static,
    ) -> (Stub, Mailbox) {
        let stub = Stub::start(act).await;
        let mailbox = Mailbox::new(quick(), &stub.url, Secret::new("a-token")).expect("no mailbox");
        (stub, mailbox)
    }

    /// Returns the request line without the protocol, and the body as JSON.
    pub(super) fn parts(request: &str) -> (String, Value) {
        let (head, body) = request.split_once("\r\n\r\n").expect("no empty line");
        let line = head.lines().next().unwrap_or_default();
        let line = line.trim_end_matches(" HTTP/1.1").to_owned();
        (line, serde_json::from_str(body).unwrap_or_default())
    }

    /// Returns an error in Graph's format.
    pub(super) fn error(code: &str) -> String {
        format!(r#"{{"error":{{"code":"{code}","message":"Words."}}}}"#)
    }
}
