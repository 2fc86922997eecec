//! Errors of a maintenance run, and of the part of it that concerns one profile.

use rollcall_app::clients::ConnectError;
use rollcall_app::jobs::budget::Interrupted;
use rollcall_app::snapshots::SnapshotError;
use rollcall_clients::graph::GraphError;
use rollcall_clients::objects::ObjectError;
use rollcall_clients::store::StoreError;
use rollcall_domain::base::ids::ObjectId;
use tokio::task::JoinError;

use rust_xlsxwriter::XlsxError;

/// An error that stops the whole run.
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
    /// A client could not be created.
    #[error(transparent)]
    Connect(#[from] ConnectError),
    /// The members of groups could not be read.
    #[error("Microsoft Graph: {0}")]
    Graph(#[from] GraphError),
    /// The snapshot cannot be used.
    #[error(transparent)]
    Snapshot(#[from] SnapshotError),
    /// The report could not be serialized.
    #[error(transparent)]
    Report(#[from] serde_json::Error),
    /// A task on another thread panicked or was cancelled.
    #[error(transparent)]
    Thread(#[from] JoinError),
}

impl StepError {
    /// Converts an error of Microsoft Graph. Throttling is not a failure: it ends the invocation,
    /// and a continuation does the rest after the pause that Graph asks for.
    pub(crate) fn of_graph(error: GraphError) -> Self {
        if error.is_throttled() {
            Self::Interrupted(Interrupted::OutOfTime)
        } else {
            Self::Graph(error)
        }
    }
}

/// The reason why a profile's group cannot be managed in this run.
#[derive(Debug, thiserror::Error)]
pub(crate) enum GroupError {
    /// Graph rejected a request or could not be reached.
    #[error("Microsoft Graph: {0}")]
    Graph(#[from] GraphError),
    /// The look-up of the group failed.
    #[error("Microsoft Graph: {0}")]
    Unreadable(String),
    /// The group does not have the unique name of this profile.
    #[error("the group {0} does not have this profile's unique name, so it is not changed")]
    NotMarked(ObjectId),
    /// The group is of a kind whose members cannot be managed.
    #[error("the group {group} cannot be managed: {reason}")]
    Unsupported {
        /// The id of the group.
        group: ObjectId,
        /// The reason, as a clause.
        reason: &'static str,
    },
}

/// The reason why the current members of a group are not known.
#[derive(Debug, thiserror::Error)]
pub(crate) enum UnknownMembers {
    /// The profile has no group.
    #[error("the profile has no group")]
    NoGroup,
    /// Graph rejected a request or could not be reached.
    #[error("Microsoft Graph: {0}")]
    Graph(#[source] rollcall_clients::http::ApiError),
    /// Graph's response did not contain the group.
    #[error("the members of the group were not read")]
    NotRead,
}

/// The reason why a profile's member list could not be written.
#[derive(Debug, thiserror::Error)]
pub(crate) enum MemberListError {
    /// The temporary file could not be created.
    #[error(transparent)]
    File(#[from] std::io::Error),
    /// The workbook could not be created.
    #[error(transparent)]
    Workbook(#[from] XlsxError),
    /// A task on another thread panicked or was cancelled.
    #[error(transparent)]
    Thread(#[from] JoinError),
    /// The workbook could not be stored.
    #[error(transparent)]
    Object(#[from] ObjectError),
}
