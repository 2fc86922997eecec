//! The client of Microsoft Graph v1.0: users, groups, their members, the organisation.
//!
//! [`GraphReader`] reads and [`GraphWriter`] changes the directory; both use one transport.
//! Published at <https://learn.microsoft.com/graph/api/overview>; the quotas at
//! <https://learn.microsoft.com/graph/throttling-limits>.

mod batch;
mod batch_part;
mod check;
mod check_directory_sync;
mod delta;
mod directory;
mod directory_queries;
mod error;
mod group_facts;
mod groups;
mod members;
mod permissions;
mod quota;
mod reader;
mod stats;
mod transport;
mod users;
mod write;

pub use check::KnownPeople;
pub use check_directory_sync::SyncApp;
pub use delta::{DeltaLink, Followed, MAX_GROUPS as MAX_DELTA_GROUPS};
pub use directory::{DirectoryGroup, DirectoryPerson};
pub use directory_queries::Picture;
pub use error::GraphError;
pub use group_facts::{GroupFacts, GroupLookup};
pub use groups::DeletedGroup;
pub use members::Members;
pub use quota::Quota;
pub use reader::{GraphReader, OrganizationFacts};
pub use stats::GraphStats;
pub use transport::TokenSource;
pub use write::{AlwaysGo, EnsuredGroup, GraphWriter, GroupSpec, MemberOutcomes, WriteGate};

#[cfg(test)]
mod tests;
