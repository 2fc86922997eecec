//! The log entries of errors, with details that callers must not see.

use rollcall_app::mail_account::AccountError;
use rollcall_app::service_app::AppError;
use rollcall_clients::http;
use rollcall_clients::store::StoreError;
use rollcall_clients::vault::VaultError;

use super::ApiError;

impl ApiError {
    /// Logs the causes that operators need to know. Errors caused by the request are not
    /// logged.
    pub(crate) fn log(&self) {
        match self {
            Self::Store(error) => log_store(error),
            Self::Vault(error) => log_vault(error),
            Self::Object(error) => tracing::error!(%error, "an object cannot be read"),
            Self::Queue(error) => tracing::error!(%error, "a run could not be queued"),
            Self::LearnerMails(error) => {
                tracing::error!(%error, "e-mail to learners could not be queued");
            }
            Self::App(error) => log_app(error),
            Self::SyncClient(error) => {
                tracing::error!(%error, "the service's own app cannot be used");
            }
            Self::SignIn(error) => tracing::error!(%error, "a sign-in could not be started"),
            Self::Account(error) => log_account(error),
            Self::Directory(error) => tracing::error!(%error, "the directory cannot be read"),
            Self::Graph(error) if !error.is_auth() => {
                tracing::error!(%error, "the directory cannot be used");
            }
            Self::Picture(error) => tracing::warn!(%error, "a picture cannot be read"),
            Self::Filter(error) => tracing::warn!(%error, "a filter cannot be checked"),
            Self::PlatformClient(error) => {
                tracing::error!(%error, "the learning platform cannot be used");
            }
            Self::Platform(error) => log_platform(error),
            Self::UnreadableSnapshot { id, problem } => {
                tracing::error!(snapshot = %id, error = problem, "the snapshot in use is unreadable");
            }
            Self::UnreadableProfile { key, problem } => {
                tracing::error!(profile = key, problem, "a stored profile is unreadable");
            }
            Self::UnreadableReport { key, source } => {
                tracing::error!(error = %source, key, "a report is unreadable");
            }
            _ => {}
        }
    }
}

fn log_store(error: &StoreError) {
    match error {
        StoreError::Service(_) => {
            tracing::error!(%error, "the state of a tenant cannot be read or written");
        }
        StoreError::Unreadable { .. } => tracing::error!(%error, "a stored item is unreadable"),
        _ => {}
    }
}

fn log_vault(error: &VaultError) {
    tracing::error!(%error, "the vault cannot be read or written");
}

fn log_app(error: &AppError) {
    tracing::error!(%error, alarm = "service-credential", "this service's own app cannot be used");
}

fn log_account(error: &AccountError) {
    match error {
        AccountError::NotConnected | AccountError::Lost(_) => {}
        AccountError::App(error) => log_app(error),
        AccountError::Vault(error) => log_vault(error),
        AccountError::Client(error) => {
            tracing::warn!(%error, "the calendar of a connected account cannot be used");
        }
        error => tracing::warn!(%error, "a connected account cannot be used"),
    }
}

fn log_platform(error: &http::ApiError) {
    if error.is_transient() {
        tracing::error!(%error, "the learning platform did not respond");
    } else {
        tracing::warn!(%error, "the learning platform rejected a group");
    }
}
