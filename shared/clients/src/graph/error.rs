//! Errors of Graph calls: no token, or an error response.

use std::time::Duration;

use crate::entra::{EntraError, EntraErrorKind};
use crate::http::{ApiError, Retryable};

/// A failed Graph call.
#[derive(Debug, thiserror::Error)]
pub enum GraphError {
    /// No token could be obtained.
    #[error(transparent)]
    Token(#[from] EntraError),
    /// Graph rejected the request, could not be reached or returned an invalid response.
    #[error(transparent)]
    Api(#[from] ApiError),
}

impl GraphError {
    /// Returns whether a retry of the same call may succeed.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Token(error) => error.kind() == EntraErrorKind::Transient,
            Self::Api(error) => error.is_transient(),
        }
    }

    /// Returns whether Graph refused the request because there were too many.
    pub fn is_throttled(&self) -> bool {
        self.status() == Some(429)
    }

    /// Returns whether the error is caused by the credential or its permissions, so that
    /// every other call of the same tenant would fail too.
    pub fn is_auth(&self) -> bool {
        match self {
            Self::Token(error) => error.kind() != EntraErrorKind::Transient,
            Self::Api(error) => error.is_auth(),
        }
    }

    /// Returns the requested wait before a retry, if the response contained one.
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Token(error) => error.retry_after(),
            Self::Api(error) => error.retry_after(),
        }
    }

    /// Returns the HTTP status of Graph's response, if there was one.
    pub fn status(&self) -> Option<u16> {
        match self {
            Self::Token(_) => None,
            Self::Api(error) => error.status(),
        }
    }
}

impl Retryable for GraphError {
    /// The token client already retries token requests.
    fn is_transient(&self) -> bool {
        matches!(self, Self::Api(error) if error.is_transient())
    }

    fn retry_after(&self) -> Option<Duration> {
        GraphError::retry_after(self)
    }
}
