//! The errors of a directory sync, and whether an administrator has to act.

use rollcall_app::directory_sync::SyncClientError;
use rollcall_app::jobs::budget::Interrupted;
use rollcall_clients::graph::GraphError;
use rollcall_clients::http::ApiError;
use rollcall_clients::objects::ObjectError;
use rollcall_clients::store::StoreError;

/// The error of a failed run. Administrators read its text in the run record, in the notice to
/// the owners and in the status of the sync.
#[derive(Debug, thiserror::Error)]
pub(super) enum SyncFailure {
    /// The lease was lost.
    #[error(transparent)]
    Interrupted(#[from] Interrupted),
    /// The state table failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The state table failed before the sync began. The message is delivered again.
    #[error(transparent)]
    NotBegun(StoreError),
    /// The object store failed.
    #[error(transparent)]
    Object(#[from] ObjectError),
    /// A client could not be created.
    #[error(transparent)]
    Client(#[from] SyncClientError),
    /// The directory could not be read.
    #[error("Microsoft Graph: {0}")]
    Graph(#[from] GraphError),
    /// The learning platform rejected a request or could not be reached.
    #[error("the learning platform: {0}")]
    Target(ApiError),
    /// The learning platform rejected the token.
    #[error("the learning platform: {0} Enter a valid token; a test that passes ends the pause.")]
    TargetToken(ApiError),
    /// The stored report of an earlier run is unreadable.
    #[error(transparent)]
    StoredReport(#[from] serde_json::Error),
    /// The checkpoint could not be encoded.
    #[error("{0}")]
    Checkpoint(String),
    /// The configuration changed during its test.
    #[error("the configuration was changed during its test; start another run")]
    ConfigurationChanged,
    /// The test before the run failed.
    #[error("The test failed: {details}")]
    TestFailed {
        /// The details of the checks that did not pass, as sentences.
        details: String,
        /// True if a problem was found that an administrator has to fix.
        needs_person: bool,
        /// True if the owners were already notified of it.
        already_notified: bool,
    },
    /// The directory's list of users is incomplete.
    #[error("Microsoft Graph's list lacks {0} users who are in the directory; nothing was changed")]
    MissingPeople(usize),
    /// The learning platform rejected every change.
    #[error("the learning platform rejected all {failed} changes; the first reason: {first}")]
    NothingAccepted {
        /// Number of rejected changes.
        failed: usize,
        /// The reason of the first one.
        first: String,
        /// True if retries would be rejected again.
        permanent: bool,
    },
}

impl SyncFailure {
    /// Returns the failure for an error of the learning platform.
    pub(super) fn target(error: ApiError) -> Self {
        if error.status().is_some_and(|it| it == 401 || it == 403) && !error.is_transient() {
            return Self::TargetToken(error);
        }
        Self::Target(error)
    }

    /// Returns true if an administrator has to act before another run makes sense (C-25).
    pub(super) fn needs_person(&self) -> bool {
        match self {
            Self::Client(error) => error.needs_person(),
            // A filter that Graph no longer accepts is rejected in the next run as well.
            Self::Graph(error) => {
                let refused = error
                    .status()
                    .is_some_and(|status| (400..500).contains(&status));
                error.is_auth() || (refused && !error.is_transient())
            }
            Self::Target(error) => {
                !error.is_transient() && !matches!(error, ApiError::Incomplete { .. })
            }
            Self::TargetToken(_) => true,
            Self::TestFailed { needs_person, .. } => *needs_person,
            Self::NothingAccepted { permanent, .. } => *permanent,
            Self::Interrupted(_)
            | Self::Store(_)
            | Self::NotBegun(_)
            | Self::Object(_)
            | Self::StoredReport(_)
            | Self::Checkpoint(_)
            | Self::ConfigurationChanged
            | Self::MissingPeople(_) => false,
        }
    }

    /// Returns true if the owners were already notified of this failure.
    pub(super) fn is_already_notified(&self) -> bool {
        matches!(
            self,
            Self::TestFailed {
                already_notified: true,
                ..
            }
        )
    }
}
