//! Learn365 (formerly LMS365): the six sets of a refresh, and enrolling groups.
//!
//! The OData API under `/odata/v2`, HTTP Basic with user `api` and the key as
//! password. Published at <https://api.365.systems/Documentation/html/index.html>.

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

/// One tenant's learning platform.
#[derive(Debug, Clone)]
pub struct Learn365 {
    http: Http,
    base: Base,
    key: Secret,
    deadline: Option<Instant>,
}

/// A group as the platform's user list knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LmsGroup {
    /// Its row in the user list.
    pub id: UserId,
    /// The claims login name that enrolment calls take; never built, always read.
    pub login_name: String,
}

impl Learn365 {
    /// A client of the region's host (such as `https://us-api.365.systems`) with an API key.
    pub fn new(http: Http, base_url: &str, key: Secret) -> Result<Self, ApiError> {
        Ok(Self {
            http,
            base: Base::parse(base_url)?,
            key,
            deadline: None,
        })
    }

    /// The same client, which waits for no retry that would end after `deadline`.
    #[must_use]
    pub fn with_deadline(mut self, deadline: Instant) -> Self {
        self.deadline = Some(deadline);
        self
    }

    /// Reads the six sets of a refresh (S4-098), complete, or fails (S4-100).
    ///
    /// Rows go straight from the page into columns; of each of the three sets
    /// read at once no more than two pages are in memory. Every page is followed and the rows are counted against the platform's
    /// own count; a set that changed under the reading is read once more. No
    /// users at all is an error, since the key's owner is one.
    pub async fn read_all(&self) -> Result<Sets, ApiError> {
        // Six sets in one future make a large one.
        Box::pin(read::read_all_sets(self)).await
    }

    /// Finds the row of an Entra group in the platform's user list.
    ///
    /// `None` until the platform has taken note of the group, which is some time
    /// after [`Learn365::add_group_to_catalog`].
    pub async fn find_group(&self, object: ObjectId) -> Result<Option<LmsGroup>, ApiError> {
        let query = Query::filtered(format!("DirectoryObjectId eq {object}"));
        let rows: Vec<(bool, LmsGroup)> = read::set::<convert::Users, _>(self, &query).await?;
        let found = rows.iter().find(|(is_group, _)| *is_group);
        Ok(found.or(rows.first()).map(|(_, group)| group.clone()))
    }

    /// Reads the courses and catalogs in which a group stands, managed here or
    /// not (C-08: what a removal from a catalog would take with it).
    pub async fn group_roles(&self, user: UserId) -> Result<GroupRoles, ApiError> {
        let query = Query::filtered(format!("UserId eq {user}"));
        let rows: Vec<RoleRow> = read::set::<convert::Roles, _>(self, &query).await?;
        Ok(GroupRoles::of(&rows))
    }

    /// A request with the key attached; `url` is absolute and already checked.
    fn request(&self, method: Method, url: &str) -> RequestBuilder {
        self.http
            .request(method, url)
            .basic_auth("api", Some(self.key.expose()))
    }

    /// Reads one URL, repeated while it fails transiently.
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
