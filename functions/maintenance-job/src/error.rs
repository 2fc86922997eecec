//! Why a maintenance run, or the part of it about one profile, failed.

use rollcall_app::clients::ConnectError;
use rollcall_app::jobs::budget::Interrupted;
use rollcall_app::snapshots::SnapshotError;
use rollcall_clients::graph::GraphError;
use rollcall_clients::objects::ObjectError;
use rollcall_clients::store::StoreError;
use rollcall_domain::base::ids::ObjectId;
use tokio::task::JoinError;

use rust_xlsxwriter::XlsxError;

/// Why a step stopped the whole run.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StepError {
    /// Time ran out or the lease was lost.
    #[error(transparent)]
    Interrupted(#[from] Interrupted),
    /// The state table failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The object store failed.
    #[error(transparent)]
    Object(#[from] ObjectError),
    /// A notice could not be queued.
    #[error(transparent)]
    Queue(#[from] rollcall_clients::queue::QueueError),
    /// A client could not be made.
    #[error(transparent)]
    Connect(#[from] ConnectError),
    /// The members of groups could not be read.
    #[error("Microsoft Graph: {0}")]
    Graph(#[from] GraphError),
    /// The snapshot cannot be used.
    #[error(transparent)]
    Snapshot(#[from] SnapshotError),
    /// The report is not writable.
    #[error(transparent)]
    Report(#[from] serde_json::Error),
    /// Work on another thread failed.
    #[error(transparent)]
    Thread(#[from] JoinError),
}

/// Why a profile's group cannot be managed in this run.
#[derive(Debug, thiserror::Error)]
pub(crate) enum GroupError {
    /// Graph refused or failed.
    #[error("Microsoft Graph: {0}")]
    Graph(#[from] GraphError),
    /// Graph returned the group without what is needed.
    #[error("Microsoft Graph: {0}")]
    Unreadable(String),
    /// The group is not this profile's.
    #[error("the group {0} does not carry this profile's mark and is left alone")]
    NotMarked(ObjectId),
    /// The group is of a kind whose members cannot be set.
    #[error("the group {group} cannot be managed: {reason}")]
    Unsupported {
        /// The group.
        group: ObjectId,
        /// Why.
        reason: &'static str,
    },
}

/// Why the current members of a group are not known.
#[derive(Debug, thiserror::Error)]
pub(crate) enum UnknownMembers {
    /// The profile has no group.
    #[error("it has no group")]
    NoGroup,
    /// Graph refused or failed.
    #[error("Microsoft Graph: {0}")]
    Graph(#[source] rollcall_clients::http::ApiError),
    /// The answer lacked the group.
    #[error("its members were not read")]
    NotRead,
}

/// Why a profile's member list could not be written.
#[derive(Debug, thiserror::Error)]
pub(crate) enum MemberListError {
    /// There is no temporary file.
    #[error(transparent)]
    File(#[from] std::io::Error),
    /// The workbook could not be made.
    #[error(transparent)]
    Workbook(#[from] XlsxError),
    /// Work on another thread failed.
    #[error(transparent)]
    Thread(#[from] JoinError),
    /// It could not be stored.
    #[error(transparent)]
    Object(#[from] ObjectError),
}
