//! Why something cannot be done with the directory sync in its current state.

use crate::error::ApiError;

/// Nobody has configured it yet.
pub(super) fn not_configured() -> ApiError {
    let detail = "The directory sync is not configured yet; save its configuration to begin.";
    ApiError::not_found("not-configured", detail)
}

/// There is no connection to work with.
pub(super) fn not_connected() -> ApiError {
    ApiError::conflict(
        "not-connected",
        "The directory sync is not connected: enter an app registration, or connect with a global administrator's consent.",
    )
}
