//! Why a Graph call failed: no token, or Graph's own refusal.

use std::time::Duration;

use crate::entra::{EntraError, EntraErrorKind};
use crate::http::{ApiError, Retryable};

/// A failed Graph call.
#[derive(Debug, thiserror::Error)]
pub enum GraphError {
    /// There is no token to call with.
    #[error(transparent)]
    Token(#[from] EntraError),
    /// Graph refused, could not be reached or answered nonsense.
    #[error(transparent)]
    Api(#[from] ApiError),
}

impl GraphError {
    /// Whether the same call may succeed a little later.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Token(error) => error.kind() == EntraErrorKind::Transient,
            Self::Api(error) => error.is_transient(),
        }
    }

    /// Whether the credential or its permissions are the trouble, which no
    /// other call of the same tenant would escape.
    pub fn is_auth(&self) -> bool {
        match self {
            Self::Token(error) => error.kind() != EntraErrorKind::Transient,
            Self::Api(error) => error.is_auth(),
        }
    }

    /// How long the other side asked to wait, if it did.
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Token(error) => error.retry_after(),
            Self::Api(error) => error.retry_after(),
        }
    }

    /// The HTTP status of Graph's answer, if there was one.
    pub fn status(&self) -> Option<u16> {
        match self {
            Self::Token(_) => None,
            Self::Api(error) => error.status(),
        }
    }
}

impl Retryable for GraphError {
    /// Token requests were repeated by the token client already.
    fn is_transient(&self) -> bool {
        matches!(self, Self::Api(error) if error.is_transient())
    }

    fn retry_after(&self) -> Option<Duration> {
        GraphError::retry_after(self)
    }
}
