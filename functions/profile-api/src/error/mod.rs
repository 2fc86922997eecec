//! The errors of the API, their responses and their log entries.

mod log;
mod problem;

use std::borrow::Cow;

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use rollcall_app::clients::ConnectError;
use rollcall_app::consent::DirectoryError;
use rollcall_app::directory_sync::SyncClientError;
use rollcall_app::mail_account::AccountError;
use rollcall_app::notify::NotifyError;
use rollcall_app::service_app::AppError;
use rollcall_clients::entra::EntraError;
use rollcall_clients::graph::GraphError;
use rollcall_clients::http;
use rollcall_clients::objects::ObjectError;
use rollcall_clients::queue::QueueError;
use rollcall_clients::store::StoreError;
use rollcall_clients::vault::VaultError;
use rollcall_domain::audience::desired_members::AudienceError;
use rollcall_domain::base::ids::SnapshotId;
use rollcall_domain::base::problem::Problem;
use rollcall_runtime::ProblemDetails;
use rollcall_runtime::auth::AuthError;

/// The reason a request failed. Variants without a source display the text for the caller;
/// sources are only logged.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ApiError {
    /// The state table failed or rejected a write.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The vault failed.
    #[error(transparent)]
    Vault(#[from] VaultError),
    /// The object store failed.
    #[error(transparent)]
    Object(#[from] ObjectError),
    /// A run could not be queued.
    #[error(transparent)]
    Queue(#[from] QueueError),
    /// E-mail to learners could not be queued.
    #[error(transparent)]
    LearnerMails(NotifyError),
    /// This service's own app cannot be used.
    #[error(transparent)]
    App(#[from] AppError),
    /// This service's own app cannot be used to read the directory for the sync.
    #[error(transparent)]
    SyncClient(#[from] SyncClientError),
    /// The address of the sign-in page cannot be determined.
    #[error(transparent)]
    SignIn(#[from] EntraError),
    /// The account of a catalog or its calendar cannot be used.
    #[error(transparent)]
    Account(#[from] AccountError),
    /// The client for the directory could not be created.
    #[error(transparent)]
    Directory(ConnectError),
    /// The directory rejected a request or failed. There is no `From`, because a refusal has
    /// to be recorded first: see `directory::refused`.
    #[error(transparent)]
    Graph(GraphError),
    /// A user's picture cannot be read.
    #[error(transparent)]
    Picture(GraphError),
    /// A filter of the directory sync cannot be checked.
    #[error(transparent)]
    Filter(GraphError),
    /// The client for the learning platform could not be created.
    #[error(transparent)]
    PlatformClient(ConnectError),
    /// The learning platform rejected a group or failed.
    #[error(transparent)]
    Platform(#[from] http::ApiError),
    /// The caller is not authenticated or lacks the permission.
    #[error(transparent)]
    Auth(#[from] AuthError),
    /// The audience of a profile cannot be determined.
    #[error(transparent)]
    Audience(#[from] AudienceError),
    /// The snapshot in use is unreadable.
    #[error("{problem}")]
    UnreadableSnapshot {
        /// Its id.
        id: SnapshotId,
        /// The reason.
        problem: String,
    },
    /// A stored profile is unreadable.
    #[error("{problem}")]
    UnreadableProfile {
        /// Its key in the table.
        key: String,
        /// The reason.
        problem: String,
    },
    /// The report of a run is unreadable.
    #[error("{source}")]
    UnreadableReport {
        /// Its key in the object store.
        key: String,
        /// The reason.
        source: serde_json::Error,
    },
    /// Stored data is inconsistent.
    #[error(
        "Stored data is inconsistent. Operators can look up the details by the id of this request."
    )]
    Inconsistent,
    /// A service does not respond at the moment.
    #[error("{0}")]
    Unavailable(Cow<'static, str>),
    /// The resource does not exist or belongs to another tenant; both have the same response.
    #[error("The requested resource does not exist.")]
    Missing,
    /// The version that was read is not the current one.
    #[error(
        "Another user has changed this since you read it. Nothing was saved; read it again and repeat your change."
    )]
    Stale,
    /// Maintenance is running for the tenant (S4-114).
    #[error("The tenant is locked for maintenance; try again in a moment.")]
    Locked,
    /// The cursor was not returned by this list.
    #[error("Invalid cursor. Restart from the first page.")]
    Cursor,
    /// The tenant has never saved its settings.
    #[error("This tenant has no settings yet; save them to begin.")]
    NoSettings,
    /// There is no snapshot yet.
    #[error(
        "The data of your tenant has not been read yet; this takes a few minutes after the first save of the settings. An e-mail is sent when it is ready."
    )]
    NotReady,
    /// Fields are invalid.
    #[error("invalid fields")]
    Invalid(Vec<Problem>),
    /// An error that is specific to one resource.
    #[error("{}", .0.detail)]
    Problem(ProblemDetails),
}

impl ApiError {
    /// Returns a 503: a service does not respond at the moment.
    pub(crate) fn unavailable(detail: impl Into<Cow<'static, str>>) -> Self {
        Self::Unavailable(detail.into())
    }

    /// Returns a 409: the state of the resource does not allow the request.
    pub(crate) fn conflict(kind: &str, detail: impl Into<String>) -> Self {
        Self::of(StatusCode::CONFLICT, kind, detail)
    }

    /// Returns a 403: the caller or the tenant lacks the permission.
    pub(crate) fn forbidden(kind: &str, detail: impl Into<String>) -> Self {
        Self::of(StatusCode::FORBIDDEN, kind, detail)
    }

    /// Returns a 404 with a reason.
    pub(crate) fn not_found(kind: &str, detail: impl Into<String>) -> Self {
        Self::of(StatusCode::NOT_FOUND, kind, detail)
    }

    fn of(status: StatusCode, kind: &str, detail: impl Into<String>) -> Self {
        ProblemDetails::new(status, detail).of_kind(kind).into()
    }
}

impl From<DirectoryError> for ApiError {
    fn from(error: DirectoryError) -> Self {
        match error {
            DirectoryError::App(error) => Self::App(error),
            DirectoryError::Connect(error) => Self::Directory(error),
        }
    }
}

impl From<ProblemDetails> for ApiError {
    fn from(problem: ProblemDetails) -> Self {
        Self::Problem(problem)
    }
}

impl From<Vec<Problem>> for ApiError {
    fn from(problems: Vec<Problem>) -> Self {
        Self::Invalid(problems)
    }
}

impl From<Problem> for ApiError {
    fn from(problem: Problem) -> Self {
        Self::Invalid(vec![problem])
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        self.log();
        match self {
            // A 401 also carries a challenge.
            Self::Auth(error) => error.into_response(),
            error => error.into_problem().into_response(),
        }
    }
}

/// Returns the problem of a title that another profile has (S4-054).
pub(crate) fn title_taken() -> Problem {
    Problem::at(
        "/title",
        "another profile has this title; titles that differ only in case count as the same",
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use rollcall_domain::connection::Cause;

    #[test]
    fn causes_stay_in_the_log() {
        let silent = ApiError::from(StoreError::Service("internal detail".to_owned()));
        let silent = silent.into_problem();
        assert_eq!((silent.status, silent.retry_after), (503, Some(5)));
        let damaged = ApiError::from(StoreError::Unreadable {
            entity: "run#secret".to_owned(),
            problem: "internal detail".to_owned(),
        });
        let damaged = damaged.into_problem();
        assert_eq!((damaged.status, damaged.retry_after), (500, None));
        assert!(!format!("{silent:?}{damaged:?}").contains("internal detail"));
    }

    /// Proves S4-114: 423 with the time of the next retry.
    #[test]
    fn a_lock_says_when_to_come_back() {
        let locked = ApiError::from(StoreError::Locked).into_problem();
        assert_eq!((locked.status, locked.retry_after), (423, Some(30)));
    }

    /// Returns every error of the state table.
    fn store_errors() -> Vec<ApiError> {
        let text = || "internal detail".to_owned();
        let errors = [
            StoreError::Conflict,
            StoreError::LeaseLost,
            StoreError::Locked,
            StoreError::TitleTaken,
            StoreError::Missing,
            StoreError::Decided,
            StoreError::Cursor,
            StoreError::Contended,
            StoreError::Unreadable {
                entity: text(),
                problem: text(),
            },
            StoreError::TooLarge {
                entity: text(),
                bytes: 500_000,
                limit: 400_000,
            },
            StoreError::Service(text()),
        ];
        errors.into_iter().map(ApiError::from).collect()
    }

    fn other_errors() -> Vec<ApiError> {
        let text = || "internal detail".to_owned();
        let mut all = vec![
            VaultError::Service(text()).into(),
            VaultError::Missing("key").into(),
            VaultError::Unreadable("key").into(),
            ObjectError::Missing(text()).into(),
            ObjectError::Service(text()).into(),
            AppError::Setting("app").into(),
            AccountError::NotConnected.into(),
            AccountError::Later(text()).into(),
            ApiError::NoSettings,
            ApiError::NotReady,
        ];
        all.extend(Cause::ALL.map(|cause| AccountError::Lost(cause).into()));
        all
    }

    /// Records the problem bodies, including those that no test over the router can cause.
    #[test]
    fn every_failure_as_it_is_reported() {
        let all = store_errors().into_iter().chain(other_errors());
        let bodies = all.map(|error| {
            let problem = error.into_problem();
            let after = problem.retry_after;
            let body = serde_json::to_string_pretty(&problem).expect("problem not serialized");
            assert!(!body.contains("internal detail"), "{body}");
            format!("{} {after:?}\n{body}\n", problem.status)
        });
        let bodies: Vec<String> = bodies.collect();
        insta::assert_snapshot!(bodies.join("\n"));
    }
}
