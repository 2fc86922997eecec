//! SCIM 2.0 (RFC 7643, RFC 7644): users and teams of a learning platform, read whole and changed one by one or in bulk.
//!
//! Proved against services nobody here wrote; what they do differently is
//! noted where it matters (decision 14).

mod bulk;
mod patch;
mod read;
mod request;
mod service_provider_config;
mod transport;
mod wire;
mod write;

use std::sync::Arc;

use rollcall_domain::directory_sync::Features;
use tokio::time::Instant;

use crate::http::{ApiError, Base, Http, Secret};
pub use read::Listed;
use transport::{Meter, RequestPacing};
pub use write::Written;

/// The extension of users with departments and managers (RFC 7643, section 4.3).
const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
/// The extension of groups with supervisors and an archive, which SCIM itself does
/// not have. A service that lists it in its schemas keeps both.
const TEAM: &str = "urn:rollcall:scim:schemas:extension:2.0:Team";
const USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
const GROUP: &str = "urn:ietf:params:scim:schemas:core:2.0:Group";

/// What a service says it can do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Described {
    /// What it keeps.
    pub features: Features,
    /// Whether single attributes can be changed; otherwise whole resources are replaced.
    pub patch: bool,
    /// Whether it finds resources by a filter.
    pub filter: bool,
    /// Most resources on a page.
    pub page: u32,
    /// Most operations of a bulk request and its longest body; none where there is no bulk.
    pub bulk: Option<(usize, usize)>,
}

/// One service, as one tenant uses it. Clones share the pace and the counters.
#[derive(Debug, Clone)]
pub struct Scim {
    http: Http,
    base: Base,
    token: Secret,
    deadline: Option<Instant>,
    pace: Arc<RequestPacing>,
    meter: Arc<Meter>,
}

impl Scim {
    /// A client of the service below this address, such as `https://lms.example/scim/v2`.
    pub fn new(http: Http, base_url: &str, token: Secret) -> Result<Self, ApiError> {
        Ok(Self {
            http,
            base: Base::parse(base_url)?,
            token,
            deadline: None,
            pace: Arc::default(),
            meter: Arc::default(),
        })
    }

    /// The same client, which waits for nothing that would end after `deadline`.
    #[must_use]
    pub fn with_deadline(mut self, deadline: Instant) -> Self {
        self.deadline = Some(deadline);
        self
    }

    /// How many requests were sent so far.
    pub fn requests(&self) -> u64 {
        self.meter.requests()
    }
}

#[cfg(test)]
mod tests;
