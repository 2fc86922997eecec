//! Why a consent could not be proved, as Microsoft's refusals say it.

use rollcall_clients::entra::EntraErrorKind;
use rollcall_clients::graph::GraphError;
use rollcall_domain::connection::{Cause, ReportTo};

/// Why the service's own app does not work in a directory.
#[derive(Debug)]
pub struct ConsentProofError {
    /// Why.
    pub cause: Cause,
    /// The code to show.
    pub code: Option<String>,
    /// Whether it may work in a while: Microsoft spreads a consent within minutes.
    pub may_follow: bool,
}

impl ConsentProofError {
    /// Microsoft did not answer in time.
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
            // Ours to mend: the tenant waits for it, and is told nothing.
            GraphError::Token(error) if error.cause().report_to() == ReportTo::Operators => {
                let code = error.codes();
                tracing::error!(
                    code,
                    alarm = "service-credential",
                    "this service's own app is refused"
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
