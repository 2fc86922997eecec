//! The reasons why a consent could not be proved, derived from Microsoft's errors.

use rollcall_clients::entra::EntraErrorKind;
use rollcall_clients::graph::GraphError;
use rollcall_domain::connection::{Cause, ReportTo};

/// The reason why the service's own app does not work in a directory.
#[derive(Debug)]
pub struct ConsentProofError {
    /// The cause.
    pub cause: Cause,
    /// The error code to show.
    pub code: Option<String>,
    /// True if it may work later: Microsoft replicates a consent within minutes.
    pub may_follow: bool,
}

impl ConsentProofError {
    /// Returns the error for a service that did not respond in time.
    pub(super) fn unavailable() -> Self {
        Self {
            cause: Cause::Transient,
            code: None,
            may_follow: true,
        }
    }
}

impl From<GraphError> for ConsentProofError {
    fn from(error: GraphError) -> Self {
        match error {
            // The operators must fix it: the tenant waits, and the error is not shown to it.
            GraphError::Token(error) if error.cause().report_to() == ReportTo::Operators => {
                let code = error.codes();
                tracing::error!(
                    code,
                    alarm = "service-credential",
                    "Entra rejected the service's own app"
                );
                Self::unavailable()
            }
            GraphError::Token(error) => Self {
                cause: error.cause(),
                code: Some(error.code()),
                may_follow: matches!(
                    error.kind(),
                    EntraErrorKind::AppUnknown
                        | EntraErrorKind::ConsentMissing
                        | EntraErrorKind::Transient
                ),
            },
            GraphError::Api(error) => Self {
                cause: if error.is_auth() {
                    Cause::ConsentMissing
                } else {
                    Cause::Transient
                },
                code: error.status().map(|status| format!("HTTP {status}")),
                may_follow: error.is_auth() || error.is_transient(),
            },
        }
    }
}
