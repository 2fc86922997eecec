//! The writing side of a tenant's directory: groups, their members, invitations to guests.

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

/// Changes one tenant's directory. No reader can be made into a writer, so
/// code that receives a [`GraphReader`] cannot write.
#[derive(Debug, Clone)]
pub struct GraphWriter {
    reader: GraphReader,
}

impl GraphWriter {
    /// A client of a cloud's Graph host, as for [`GraphReader::new`].
    pub fn new(http: Http, base_url: &str, tokens: TokenSource) -> Result<Self, ApiError> {
        let reader = GraphReader::new(http, base_url, tokens)?;
        Ok(Self { reader })
    }

    /// The same client, which waits for nothing that would end after `deadline`.
    #[must_use]
    pub fn with_deadline(self, deadline: Instant) -> Self {
        let reader = self.reader.with_deadline(deadline);
        Self { reader }
    }

    /// The same client on another write quota: one that several clients of the
    /// same app and tenant share, or a small one in a test.
    #[must_use]
    pub fn with_quota(self, quota: Quota) -> Self {
        let reader = self.reader.with_quota(quota);
        Self { reader }
    }

    /// The reading side, on the same connection.
    pub fn reader(&self) -> &GraphReader {
        &self.reader
    }

    fn transport(&self) -> &Transport {
        &self.reader.transport
    }
}
