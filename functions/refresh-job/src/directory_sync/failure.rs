//! Why a run of the directory sync failed, and whether a person has to act.

use rollcall_app::directory_sync::SyncClientError;
use rollcall_app::jobs::budget::Interrupted;
use rollcall_clients::graph::GraphError;
use rollcall_clients::http::ApiError;
use rollcall_clients::objects::ObjectError;
use rollcall_clients::store::StoreError;

/// Why a run failed. The text is for people: it stands in the record, in the notice
/// to the owners and in the sync's status.
#[derive(Debug, thiserror::Error)]
pub(super) enum SyncFailure {
    /// The lease was lost.
    #[error(transparent)]
    Interrupted(#[from] Interrupted),
    /// The state table failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The object store failed.
    #[error(transparent)]
    Object(#[from] ObjectError),
    /// A client could not be made.
    #[error(transparent)]
    Client(#[from] SyncClientError),
    /// The directory could not be read.
    #[error("Microsoft Graph: {0}")]
    Graph(#[from] GraphError),
    /// The learning platform failed or refused.
    #[error("the learning platform: {0}")]
    Target(ApiError),
    /// The learning platform refused the token.
    #[error(
        "the learning platform: {0} Enter a token that is valid; a passing test lifts the pause."
    )]
    TargetToken(ApiError),
    /// What an earlier invocation stored is not readable.
    #[error(transparent)]
    StoredReport(#[from] serde_json::Error),
    /// What was read cannot be stored.
    #[error("{0}")]
    Checkpoint(String),
    /// The configuration changed during its test.
    #[error("the configuration was changed while it was tested; start a run again")]
    ConfigurationChanged,
    /// The test before the run failed.
    #[error("The test failed: {details}")]
    TestFailed {
        /// The checks that did not pass, in sentences.
        details: String,
        /// Whether a problem was found that does not pass by itself.
        needs_person: bool,
        /// Whether the owners were notified of it before.
        already_notified: bool,
    },
    /// The directory's list of people is incomplete.
    #[error(
        "Microsoft Graph's list lacks {0} people who are in the directory; nothing was changed"
    )]
    MissingPeople(usize),
    /// The learning platform refused every change.
    #[error("none of {failed} changes was accepted; the first was refused so: {first}")]
    NothingAccepted {
        /// How many were refused.
        failed: usize,
        /// The first refusal.
        first: String,
        /// Whether they would be refused again.
        lasting: bool,
    },
}

impl SyncFailure {
    /// A failure of the learning platform.
    pub(super) fn target(error: ApiError) -> Self {
        if error.status().is_some_and(|it| it == 401 || it == 403) && !error.is_transient() {
            return Self::TargetToken(error);
        }
        Self::Target(error)
    }

    /// Whether a person has to act before another run makes sense (C-25).
    pub(super) fn needs_person(&self) -> bool {
        match self {
            Self::Client(error) => error.needs_person(),
            // A filter that Graph no longer accepts stays refused, too.
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
            Self::NothingAccepted { lasting, .. } => *lasting,
            Self::Interrupted(_)
            | Self::Store(_)
            | Self::Object(_)
            | Self::StoredReport(_)
            | Self::Checkpoint(_)
            | Self::ConfigurationChanged
            | Self::MissingPeople(_) => false,
        }
    }

    /// Whether the owners were notified of it before.
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
