//! `GET` and `POST /oauth/callback`: uses the sign-in's state up and answers.

use axum::extract::rejection::{FormRejection, QueryRejection};
use axum::extract::{Form, Query, State};
use axum::http::StatusCode;
use rollcall_runtime::{ProblemDetails, Services};
use serde::Deserialize;
use serde_json::Value;

/// Seconds after which trying again makes sense when the table does not answer.
const RETRY_AFTER: u64 = 5;

/// What is read of Microsoft's answer (OAuth 2.0, section 4.1.2). The code is
/// not: there is no sign-in it could belong to.
#[derive(Deserialize)]
pub(crate) struct Returned {
    state: Option<String>,
}

/// `response_mode=query`.
pub(crate) async fn by_query(
    State(services): State<Services>,
    returned: Result<Query<Returned>, QueryRejection>,
) -> ProblemDetails {
    finish(&services, returned.ok().and_then(|Query(it)| it.state)).await
}

/// `response_mode=form_post`.
pub(crate) async fn by_form(
    State(services): State<Services>,
    returned: Result<Form<Returned>, FormRejection>,
) -> ProblemDetails {
    finish(&services, returned.ok().and_then(|Form(it)| it.state)).await
}

/// A missing, unknown, expired and used state are answered alike, so that
/// nobody learns by trying which states there are. A known one is used up: the
/// purposes that a later release writes mean nothing to this one.
async fn finish(services: &Services, state: Option<String>) -> ProblemDetails {
    let Some(state) = state else {
        return start_again();
    };
    match services.store.take_oauth_state::<Value>(&state).await {
        Ok(known) => {
            if known.is_some() {
                tracing::warn!("a sign-in came back that this release cannot finish");
            }
            start_again()
        }
        Err(error) => {
            tracing::error!(%error, "the state of a sign-in cannot be read");
            let detail = "The sign-in cannot be checked now; try again shortly.";
            let mut problem = ProblemDetails::new(StatusCode::SERVICE_UNAVAILABLE, detail);
            problem.retry_after = Some(RETRY_AFTER);
            problem
        }
    }
}

fn start_again() -> ProblemDetails {
    ProblemDetails::new(
        StatusCode::BAD_REQUEST,
        "This sign-in has expired or was already used. Go back to Rollcall and start it again.",
    )
}
