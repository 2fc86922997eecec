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

use reqwest::{Method, RequestBuilder};
use rollcall_domain::base::ids::{ObjectId, UserId};
use rollcall_domain::membership::enrolment::GroupRoles;
use rollcall_domain::snapshot::ingest::Sets;
use rollcall_domain::snapshot::lms::RoleRow;
use tokio::time::Instant;

use crate::http::{Answer, ApiError, Base, Http, Secret};
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
        })
    }

    /// Returns the same client, which does not wait for a retry past `deadline`.
    #[must_use]
    pub fn with_deadline(mut self, deadline: Instant) -> Self {
        self.deadline = Some(deadline);
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

    /// Reads one URL; transient failures are retried.
    async fn get(&self, url: &str) -> Result<Answer, ApiError> {
        let attempt = || async {
            let request = self
                .request(Method::GET, url)
                .timeout(self.http.long_read_timeout());
            self.http.send(request).await?.success()
        };
        self.http.retry().run(self.deadline, attempt).await
    }
}

#[cfg(test)]
mod tests;
