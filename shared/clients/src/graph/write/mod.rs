//! The write client of a tenant's directory: groups, their members, invitations of guests.

mod classify;
mod groups;
mod invitations;
mod members;
mod outcome;

use tokio::time::Instant;

use super::transport::{TokenSource, Transport};
use super::{GraphReader, Quota};
use crate::http::{ApiError, Http};
pub use groups::{EnsuredGroup, GroupSpec};
pub use outcome::{AlwaysGo, MemberOutcomes, WriteGate};

/// Changes one tenant's directory. A reader cannot be converted into a writer, so code that
/// receives a [`GraphReader`] cannot write.
#[derive(Debug, Clone)]
pub struct GraphWriter {
    reader: GraphReader,
}

impl GraphWriter {
    /// Creates a client of a cloud's Graph host, as [`GraphReader::new`] does.
    pub fn new(http: Http, base_url: &str, tokens: TokenSource) -> Result<Self, ApiError> {
        let reader = GraphReader::new(http, base_url, tokens)?;
        Ok(Self { reader })
    }

    /// Returns the client with a deadline; it starts no wait that would end after it.
    #[must_use]
    pub fn with_deadline(self, deadline: Instant) -> Self {
        let reader = self.reader.with_deadline(deadline);
        Self { reader }
    }

    /// Returns the client with another write quota, shared by several clients of the same app
    /// and tenant, or small in a test.
    #[must_use]
    pub fn with_quota(self, quota: Quota) -> Self {
        let reader = self.reader.with_quota(quota);
        Self { reader }
    }

    /// Returns the read-only client on the same connection.
    pub fn reader(&self) -> &GraphReader {
        &self.reader
    }

    /// Returns how long no write may be sent, because Graph asked to wait; `None` if it did not.
    pub fn throttled_for(&self) -> Option<std::time::Duration> {
        self.transport().quota.writes_pause()
    }

    fn transport(&self) -> &Transport {
        &self.reader.transport
    }
}
