//! The HTTP API administrators use.
//!
//! A tenant's routes need a verified token; its tenant, and nothing a caller
//! writes, decides whose data an answer shows.

mod health;
mod tenant;

use axum::Router;
use axum::extract::FromRef;
use axum::http::StatusCode;
use axum::routing::get;
use rollcall_clients::store::StoreError;
use rollcall_runtime::auth::{SetupError, Verifier, guard};
use rollcall_runtime::{ProblemDetails, Services};

/// Seconds after which trying again makes sense when the table does not answer.
const RETRY_AFTER: u64 = 5;

/// What handlers work with.
#[derive(Clone)]
struct Api {
    services: Services,
    verifier: Verifier,
}

impl FromRef<Api> for Verifier {
    fn from_ref(api: &Api) -> Self {
        api.verifier.clone()
    }
}

/// The API over these services.
///
/// # Errors
/// When `ROLLCALL_API_AUDIENCE` is missing: without it tokens that were issued
/// for other services would be let in.
pub fn router(services: Services) -> Result<Router, SetupError> {
    let verifier = Verifier::new(&services.settings)?;
    let routes = Router::new()
        .route("/v1/health", get(health::show))
        .route("/v1/tenant", get(tenant::show));
    Ok(guard(routes).with_state(Api { services, verifier }))
}

/// What a caller is told when state cannot be read; the cause is for the log.
fn unreadable(error: StoreError) -> ProblemDetails {
    tracing::error!(%error, "the state of a tenant cannot be read");
    if !matches!(error, StoreError::Service(_)) {
        let detail = "Something stored is not as it should be; the operators have the details under this request's id.";
        return ProblemDetails::new(StatusCode::INTERNAL_SERVER_ERROR, detail);
    }
    let detail = "The state table does not answer; try again shortly.";
    let mut problem = ProblemDetails::new(StatusCode::SERVICE_UNAVAILABLE, detail);
    problem.retry_after = Some(RETRY_AFTER);
    problem
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn causes_stay_in_the_log() {
        let silent = unreadable(StoreError::Service("table arn:aws:secret".to_owned()));
        assert_eq!(
            (silent.status, silent.retry_after),
            (503, Some(RETRY_AFTER))
        );
        let damaged = unreadable(StoreError::Unreadable {
            entity: "run#secret".to_owned(),
            problem: "secret".to_owned(),
        });
        assert_eq!((damaged.status, damaged.retry_after), (500, None));
        assert!(!format!("{silent:?}{damaged:?}").contains("secret"));
    }
}
