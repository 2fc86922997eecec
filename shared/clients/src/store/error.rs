//! What can go wrong with the table, told apart by who has to act.

use aws_sdk_dynamodb::error::{BuildError, DisplayErrorContext, SdkError};
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;

/// A read or write of tenant state that did not happen.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Somebody else changed the item in between.
    #[error("the item was changed by somebody else in between; read it again")]
    Conflict,
    /// The lease is no longer ours: another run works, this one must stop.
    #[error("the lock was lost to another run; nothing more may be written")]
    LeaseLost,
    /// The tenant is locked for maintenance.
    #[error("the tenant is locked for maintenance")]
    Locked,
    /// Another profile has the title (S4-054).
    #[error("another profile has this title")]
    TitleTaken,
    /// What was asked for is not there.
    #[error("it is not there")]
    Missing,
    /// Somebody has approved the held change already.
    #[error("the held change is approved already")]
    Decided,
    /// A place to go on from that no answer of ours gave out.
    #[error("the cursor is none of this list")]
    Cursor,
    /// Transactions kept colliding; nothing was written.
    #[error("the item is being written by many at once; try again")]
    Contended,
    /// An item does not hold what it should.
    #[error("the stored item {entity} is unreadable: {problem}")]
    Unreadable {
        /// Which.
        entity: String,
        /// Why.
        problem: String,
    },
    /// A document that does not fit an item.
    #[error(
        "{entity} would take {bytes} bytes, {limit} are allowed; shorten its lists of overrides or values"
    )]
    TooLarge {
        /// Which.
        entity: String,
        /// How many it would take.
        bytes: usize,
        /// How many it may take.
        limit: usize,
    },
    /// The service did not do it.
    #[error("the state table did not answer: {0}")]
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
    /// Which items of a cancelled transaction failed their condition.
    pub(super) fn failed_places<R>(error: &SdkError<TransactWriteItemsError, R>) -> Vec<usize> {
        let Some(TransactWriteItemsError::TransactionCanceledException(cancelled)) =
            error.as_service_error()
        else {
            return Vec::new();
        };
        let reasons = cancelled.cancellation_reasons().iter().enumerate();
        reasons
            .filter(|(_, reason)| reason.code() == Some("ConditionalCheckFailed"))
            .map(|(place, _)| place)
            .collect()
    }

    /// Reads why a transaction was cancelled. With a fence the first reason is its.
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
