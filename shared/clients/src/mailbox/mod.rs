//! A connected Microsoft 365 account: its mail, the rooms it sees and its calendar.
//!
//! Everything goes through Microsoft Graph's `/me` with the account's own
//! (delegated) token: <https://learn.microsoft.com/graph/api/overview>. A mailbox
//! answers four requests of one app at a time, so whoever calls keeps to three:
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

/// What Graph says of an account whose mailbox it cannot reach:
/// <https://learn.microsoft.com/graph/resolve-auth-errors>.
const NO_MAILBOX: &str = "MailboxNotEnabledForRESTAPI";

/// One connected account, with a token that is valid now. A token lives about
/// an hour; when it is refused (401), make a new one of these with a new token.
#[derive(Debug, Clone)]
pub struct Mailbox {
    http: Http,
    base: Base,
    token: Secret,
}

impl Mailbox {
    /// The account that `token` was given for, at a cloud's Graph host (without
    /// `/v1.0`). Fails if the host is no address.
    pub fn new(http: Http, graph_url: &str, token: Secret) -> Result<Self, ApiError> {
        let base = Base::parse(graph_url)?;
        Ok(Self { http, base, token })
    }

    /// Reads `tail`, which starts with `/v1.0`; transient failures are repeated.
    async fn get(&self, tail: &str) -> Result<Answer, ApiError> {
        self.call(Method::GET, &self.base.join(tail), None).await
    }

    /// Sends what may be repeated, until it succeeds, fails for good or runs out of tries.
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
            // All times are read in UTC; what is written names its own zone.
            .header("Prefer", "outlook.timezone=\"UTC\"");
        let request = match body {
            Some(body) => request.json(body),
            None => request,
        };
        self.http.send(request).await
    }
}

/// Whether a thing is gone. That the whole mailbox is gone is something else.
pub fn is_gone(error: &ApiError) -> bool {
    error.status() == Some(404) && error.code() != Some(NO_MAILBOX)
}

#[cfg(test)]
mod testing {
    use super::*;
    use crate::http::testing::{Act, Stub, quick};

    /// A connected account whose Graph says what `act` says.
    pub(super) async fn connected(
        act: impl Fn(&str) -> Act + Send + Sync + 'static,
    ) -> (Stub, Mailbox) {
        let stub = Stub::start(act).await;
        let mailbox = Mailbox::new(quick(), &stub.url, Secret::new("a-token")).expect("a mailbox");
        (stub, mailbox)
    }

    /// The request line without the protocol, and the body as JSON.
    pub(super) fn parts(request: &str) -> (String, Value) {
        let (head, body) = request.split_once("\r\n\r\n").expect("head and body");
        let line = head.lines().next().unwrap_or_default();
        let line = line.trim_end_matches(" HTTP/1.1").to_owned();
        (line, serde_json::from_str(body).unwrap_or_default())
    }

    /// An error as Graph words it.
    pub(super) fn error(code: &str) -> String {
        format!(r#"{{"error":{{"code":"{code}","message":"Words."}}}}"#)
    }
}
