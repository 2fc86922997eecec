//! Errors of the table, distinguished by who must act.

use aws_sdk_dynamodb::error::{BuildError, DisplayErrorContext, SdkError};
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;

/// A failed read or write of tenant state.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Another writer has changed the item since it was read.
    #[error("the item was changed in the meantime; read it again")]
    Conflict,
    /// Another run has acquired the lease, or it expired; this run must stop.
    #[error("the lock was lost to another run; nothing more may be written")]
    LeaseLost,
    /// The tenant is locked for maintenance.
    #[error("the tenant is locked for maintenance")]
    Locked,
    /// Another profile has the title (S4-054).
    #[error("another profile has this title")]
    TitleTaken,
    /// The requested item does not exist.
    #[error("the item does not exist")]
    Missing,
    /// The held change is already approved.
    #[error("the held change is approved already")]
    Decided,
    /// The cursor was not returned by this list.
    #[error("the cursor does not belong to this list")]
    Cursor,
    /// Every retry of the transaction conflicted with another one; nothing was written.
    #[error("there were too many concurrent writes to the item; try again")]
    Contended,
    /// The content of an item is invalid.
    #[error("the stored item {entity} is unreadable: {problem}")]
    Unreadable {
        /// The sort key of the item.
        entity: String,
        /// The reason.
        problem: String,
    },
    /// The document exceeds the size limit of an item.
    #[error(
        "{entity} would take {bytes} bytes, {limit} are allowed; shorten its lists of overrides or values"
    )]
    TooLarge {
        /// The sort key of the item.
        entity: String,
        /// The size of the document in bytes.
        bytes: usize,
        /// The maximum size in bytes.
        limit: usize,
    },
    /// The service rejected the request or could not be reached.
    #[error("the request to the state table failed: {0}")]
    Service(String),
}

impl<E, R> From<SdkError<E, R>> for StoreError
where
    E: std::error::Error + 'static,
    R: std::fmt::Debug,
    SdkError<E, R>: std::error::Error,
{
    fn from(error: SdkError<E, R>) -> Self {
        Self::Service(DisplayErrorContext(&error).to_string())
    }
}

impl From<BuildError> for StoreError {
    fn from(error: BuildError) -> Self {
        Self::Service(error.to_string())
    }
}

impl StoreError {
    /// Returns the indexes of the items whose condition failed in a cancelled transaction.
    pub(super) fn failed_indexes<R>(error: &SdkError<TransactWriteItemsError, R>) -> Vec<usize> {
        let Some(TransactWriteItemsError::TransactionCanceledException(cancelled)) =
            error.as_service_error()
        else {
            return Vec::new();
        };
        let reasons = cancelled.cancellation_reasons().iter().enumerate();
        reasons
            .filter(|(_, reason)| reason.code() == Some("ConditionalCheckFailed"))
            .map(|(index, _)| index)
            .collect()
    }

    /// Converts the cancellation of a transaction. With a fence, the first reason is the
    /// fence's.
    pub(super) fn transaction<R>(error: SdkError<TransactWriteItemsError, R>, fenced: bool) -> Self
    where
        R: std::fmt::Debug,
        SdkError<TransactWriteItemsError, R>: std::error::Error,
    {
        let Some(TransactWriteItemsError::TransactionCanceledException(cancelled)) =
            error.as_service_error()
        else {
            return error.into();
        };
        let codes: Vec<_> = cancelled
            .cancellation_reasons()
            .iter()
            .map(|reason| reason.code().unwrap_or("None"))
            .collect();
        let failed = |code: &&str| *code == "ConditionalCheckFailed";
        if fenced && codes.first().is_some_and(failed) {
            Self::LeaseLost
        } else if codes.iter().any(failed) {
            Self::Conflict
        } else if codes.contains(&"TransactionConflict") {
            Self::Contended
        } else {
            error.into()
        }
    }
}
