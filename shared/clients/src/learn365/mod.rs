//! A Learn365 (formerly LMS365) client: reads the six sets of a refresh and enrols groups.
//!
//! Uses the OData API under `/odata/v2` with HTTP Basic, user `api` and the key as password:
//! <https://api.365.systems/Documentation/html/index.html>.

mod check;
mod convert;
mod dedup;
mod enums;
mod read;
mod wire;
mod write;

use std::time::Duration;

use reqwest::{Method, RequestBuilder};
use rollcall_domain::base::ids::{ObjectId, UserId};
use rollcall_domain::membership::enrolment::GroupRoles;
use rollcall_domain::snapshot::ingest::Sets;
use rollcall_domain::snapshot::lms::RoleRow;
use tokio::time::Instant;

use crate::http::{Answer, ApiError, Base, CircuitBreaker, Http, Secret, within};
pub use check::KeyTest;
use read::Query;
pub use write::{CatalogRemoval, Enrolment, Unenrolment};

/// A client for the learning platform of one tenant.
#[derive(Debug, Clone)]
pub struct Learn365 {
    http: Http,
    base: Base,
    key: Secret,
    deadline: Option<Instant>,
    breaker: Option<CircuitBreaker>,
}

/// A group in the platform's user list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LmsGroup {
    /// The id of its row in the user list.
    pub id: UserId,
    /// The claims login name required by enrolment calls; always read, never constructed.
    pub login_name: String,
}

impl Learn365 {
    /// Creates a client for a region's host (such as `https://us-api.365.systems`) with an API key.
    pub fn new(http: Http, base_url: &str, key: Secret) -> Result<Self, ApiError> {
        Ok(Self {
            http,
            base: Base::parse(base_url)?,
            key,
            deadline: None,
            breaker: None,
        })
    }

    /// Returns the same client, which sends and waits for nothing past `deadline`.
    #[must_use]
    pub fn with_deadline(mut self, deadline: Instant) -> Self {
        self.deadline = Some(deadline);
        self
    }

    /// Returns the same client with a circuit breaker: once the platform has stopped responding, it
    /// sends nothing more. For a caller with many small independent requests; a whole set that is
    /// read needs every retry.
    #[must_use]
    pub fn with_circuit_breaker(mut self) -> Self {
        self.breaker = Some(CircuitBreaker::default());
        self
    }

    /// Reads the six sets of a refresh (S4-098) completely, or returns an error (S4-100).
    ///
    /// Rows are written directly from the page into columns; of each of the three sets read
    /// concurrently, at most two pages are in memory. All pages are read and the rows are compared
    /// with the platform's own count; a set that changed during the reading is read once more. An
    /// empty user list is an error, because the key's owner is a user.
    pub async fn read_all(&self) -> Result<Sets, ApiError> {
        // Boxed, because a future of six sets is large.
        Box::pin(read::read_all_sets(self)).await
    }

    /// Finds the row of an Entra group in the platform's user list.
    ///
    /// Returns `None` until the platform has synchronised the group, which takes some time after
    /// [`Learn365::add_group_to_catalog`].
    pub async fn find_group(&self, object: ObjectId) -> Result<Option<LmsGroup>, ApiError> {
        let query = Query::filtered(format!("DirectoryObjectId eq {object}"));
        let rows: Vec<(bool, LmsGroup)> = read::set::<convert::Users, _>(self, &query).await?;
        let found = rows.iter().find(|(is_group, _)| *is_group);
        Ok(found.or(rows.first()).map(|(_, group)| group.clone()))
    }

    /// Returns the courses and catalogs that contain a group, managed here or not (C-08: a removal
    /// from a catalog removes all of them).
    pub async fn group_roles(&self, user: UserId) -> Result<GroupRoles, ApiError> {
        let query = Query::filtered(format!("UserId eq {user}"));
        let rows: Vec<RoleRow> = read::set::<convert::Roles, _>(self, &query).await?;
        Ok(GroupRoles::of(&rows))
    }

    /// Builds a request with the key; `url` is absolute and already validated.
    fn request(&self, method: Method, url: &str) -> RequestBuilder {
        self.http
            .request(method, url)
            .basic_auth("api", Some(self.key.expose()))
    }

    /// Returns how long to wait before the next attempt, once the circuit breaker has opened: the
    /// platform has stopped responding or has asked for a long pause. All further calls of this
    /// client return [`ApiError::Suspended`].
    pub fn suspended_for(&self) -> Option<Duration> {
        self.breaker.as_ref()?.open_for()
    }

    /// Reads one URL; transient failures are retried.
    async fn get(&self, url: &str, timeout: Duration) -> Result<Answer, ApiError> {
        self.send(|| self.request(Method::GET, url).timeout(timeout))
            .await
    }

    /// Sends a request, with retries, until the deadline.
    async fn send(&self, build: impl Fn() -> RequestBuilder) -> Result<Answer, ApiError> {
        let attempt = || async {
            if let Some(breaker) = &self.breaker {
                breaker.admit()?;
            }
            let sent = within(self.deadline, self.http.send(build())).await;
            let Some(sent) = sent else {
                // The cut is ours and says nothing about the platform.
                return Err(ApiError::Suspended {
                    reason: "the time of this invocation has run out",
                });
            };
            let answered = sent.and_then(Answer::success);
            if let Some(breaker) = &self.breaker {
                breaker.record_attempt(&answered, self.http.retry().longest_wait);
            }
            answered
        };
        let answered = self.http.retry().run(self.deadline, attempt).await;
        if let Some(breaker) = &self.breaker {
            breaker.record_request(&answered);
        }
        answered
    }
}

#[cfg(test)]
mod tests;
