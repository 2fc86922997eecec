//! Errors for requests that the state of the directory sync does not allow.

use crate::error::ApiError;

/// Returns the error for a sync that is not configured yet.
pub(super) fn not_configured() -> ApiError {
    let detail = "The directory sync is not configured yet; save its configuration to begin.";
    ApiError::not_found("not-configured", detail)
}

/// Returns the error for a sync without a connection.
pub(super) fn not_connected() -> ApiError {
    ApiError::conflict(
        "not-connected",
        "The directory sync is not connected: enter an app registration, or connect with a Global Administrator's consent.",
    )
}
