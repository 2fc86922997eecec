//! The problem details of each error.

use axum::http::StatusCode;
use rollcall_app::mail_account::AccountError;
use rollcall_clients::objects::ObjectError;
use rollcall_clients::store::StoreError;
use rollcall_clients::vault::VaultError;
use rollcall_domain::audience::desired_members::AudienceError;
use rollcall_domain::base::problem::Problem;
use rollcall_runtime::ProblemDetails;
use rollcall_runtime::problem::Connect;

use super::{ApiError, title_taken};

/// Seconds after which a request to a service that did not respond can be retried.
const RETRY_AFTER: u64 = 5;
/// Seconds after which a request to a locked tenant can be retried: maintenance holds its
/// lock only for a short time.
const LOCK_RETRY_AFTER: u64 = 30;
/// The text for any failure of this service's own app.
const APP_FAILED: &str =
    "This deployment cannot connect to Microsoft now; its operators have been alerted.";

impl ApiError {
    /// Returns the problem details for the caller.
    pub(crate) fn into_problem(self) -> ProblemDetails {
        let detail = self.to_string();
        match self {
            Self::Store(error) => of_store(&error),
            Self::Vault(error) => of_vault(&error),
            Self::Object(ObjectError::Service(_)) => {
                unavailable("The object store does not respond; try again shortly.")
            }
            Self::Queue(_) => unavailable("The queue does not respond; try again shortly."),
            Self::LearnerMails(_) => unavailable("The e-mail to learners could not be queued."),
            Self::App(_) | Self::SyncClient(_) => unavailable(APP_FAILED),
            Self::Account(error) => of_account(&error),
            Self::Graph(error) if error.is_auth() => {
                let detail = "This service lacks a permission in the directory. A Global Administrator has to connect the directory again.";
                problem(StatusCode::CONFLICT, "permission-missing", detail)
                    .connect_at(Connect::Directory)
            }
            Self::Directory(_) | Self::Graph(_) => {
                unavailable("The directory cannot be reached now; try again shortly.")
            }
            Self::Picture(_) => unavailable("Microsoft Graph does not respond; try again shortly."),
            Self::Filter(_) => unavailable(
                "Nothing was saved, because Microsoft Graph does not respond and the filter could not be checked. Try again shortly.",
            ),
            Self::Platform(error) if !error.is_transient() => {
                let detail =
                    "The learning platform rejected the group; test the connection under Settings.";
                problem(StatusCode::CONFLICT, "platform-refused", detail)
            }
            Self::PlatformClient(_) | Self::Platform(_) => {
                unavailable("The learning platform cannot be reached now; try again shortly.")
            }
            Self::Auth(error) => error.into(),
            Self::Audience(error) => of_audience(error),
            Self::Object(ObjectError::Missing(_))
            | Self::SignIn(_)
            | Self::UnreadableSnapshot { .. }
            | Self::UnreadableProfile { .. }
            | Self::UnreadableReport { .. }
            | Self::Inconsistent => inconsistent(),
            Self::Unavailable(_) => unavailable(detail),
            Self::Missing => ProblemDetails::new(StatusCode::NOT_FOUND, detail),
            Self::Stale => problem(StatusCode::PRECONDITION_FAILED, "stale", detail),
            Self::Locked => problem(StatusCode::LOCKED, "locked", detail).after(LOCK_RETRY_AFTER),
            Self::Cursor => problem(StatusCode::BAD_REQUEST, "cursor", detail),
            Self::NoSettings => problem(StatusCode::NOT_FOUND, "no-settings", detail),
            Self::NotReady => problem(StatusCode::CONFLICT, "not-ready", detail).after(60),
            Self::Invalid(problems) => ProblemDetails::invalid(problems),
            Self::Problem(problem) => problem,
        }
    }
}

fn problem(status: StatusCode, kind: &str, detail: impl Into<String>) -> ProblemDetails {
    ProblemDetails::new(status, detail).of_kind(kind)
}

fn unavailable(detail: impl Into<String>) -> ProblemDetails {
    ProblemDetails::new(StatusCode::SERVICE_UNAVAILABLE, detail).after(RETRY_AFTER)
}

fn inconsistent() -> ProblemDetails {
    let detail = ApiError::Inconsistent.to_string();
    ProblemDetails::new(StatusCode::INTERNAL_SERVER_ERROR, detail)
}

fn of_store(error: &StoreError) -> ProblemDetails {
    match error {
        StoreError::Locked | StoreError::LeaseLost => ApiError::Locked.into_problem(),
        StoreError::Conflict => ApiError::Stale.into_problem(),
        StoreError::TitleTaken => ProblemDetails::invalid(vec![title_taken()]),
        StoreError::Missing => ApiError::Missing.into_problem(),
        StoreError::Cursor => ApiError::Cursor.into_problem(),
        StoreError::Decided => {
            let detail = "An administrator has already approved this change; a run will apply it or is applying it.";
            problem(StatusCode::CONFLICT, "decided", detail)
        }
        StoreError::Contended => unavailable("Too many concurrent changes; try again shortly."),
        StoreError::TooLarge { bytes, limit, .. } => ProblemDetails::invalid(vec![Problem::at(
            "",
            format!(
                "this would take {bytes} bytes, but at most {limit} are allowed; shorten its lists of overrides or values"
            ),
        )]),
        StoreError::Service(_) => {
            unavailable("The state table does not respond; try again shortly.")
        }
        StoreError::Unreadable { .. } => inconsistent(),
    }
}

fn of_vault(error: &VaultError) -> ProblemDetails {
    match error {
        VaultError::Service(_) => {
            unavailable("The secret store does not respond; try again shortly.")
        }
        VaultError::Missing(_) | VaultError::Unreadable(_) => inconsistent(),
    }
}

fn of_account(error: &AccountError) -> ProblemDetails {
    match error {
        AccountError::NotConnected => {
            let detail = "This catalog has no working Microsoft 365 account. An admin of the catalog has to connect one.";
            problem(StatusCode::CONFLICT, "account-required", detail)
        }
        AccountError::Lost(cause) => {
            problem(StatusCode::CONFLICT, "connection-lost", cause.message())
        }
        AccountError::App(_) => unavailable(APP_FAILED),
        AccountError::Vault(error) => of_vault(error),
        AccountError::Client(error) if error.is_transient() => {
            unavailable("Microsoft 365 does not respond; try again shortly.")
        }
        AccountError::Client(_) => {
            let detail = "Microsoft 365 rejected the request; the account of the catalog may have to be connected again.";
            problem(StatusCode::CONFLICT, "calendar-refused", detail)
        }
        AccountError::Later(_) | AccountError::Store(_) | AccountError::Queue(_) => {
            unavailable("The connected account cannot be used at the moment; try again shortly.")
        }
    }
}

fn of_audience(error: AudienceError) -> ProblemDetails {
    let pointer = match &error {
        AudienceError::Empty => "/filter",
        _ => "/overrides",
    };
    let detail = error.to_string();
    match error {
        AudienceError::NeedsReview { problems, .. } | AudienceError::Invalid { problems } => {
            ProblemDetails::invalid(problems)
        }
        AudienceError::Empty | AudienceError::Cycle | AudienceError::Dependency { .. } => {
            ProblemDetails::invalid(vec![Problem::at(pointer, detail)])
        }
    }
}
