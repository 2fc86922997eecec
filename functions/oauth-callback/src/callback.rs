//! `GET` and `POST /oauth/callback`: consumes the state, then continues at the stage of the
//! sign-in.

use axum::extract::rejection::{FormRejection, QueryRejection};
use axum::extract::{Form, Query, State};
use axum::http::HeaderMap;
use axum::response::Response;
use rollcall_clients::http::Secret;
use rollcall_clients::store::StoreError;
use rollcall_domain::connection::{Cause, SignInAttempt, SignInStage};

use crate::params::CallbackParams;
use crate::response::{CallbackResult, Refusal};
use crate::{AppState, entra, mail, response};

/// Handles `response_mode=query`.
pub(crate) async fn by_query(
    State(app): State<AppState>,
    headers: HeaderMap,
    returned: Result<Query<CallbackParams>, QueryRejection>,
) -> Response {
    finish(&app, &headers, returned.ok().map(|Query(it)| it)).await
}

/// Handles `response_mode=form_post`.
pub(crate) async fn by_form(
    State(app): State<AppState>,
    headers: HeaderMap,
    returned: Result<Form<CallbackParams>, FormRejection>,
) -> Response {
    finish(&app, &headers, returned.ok().map(|Form(it)| it)).await
}

/// Handles both response modes. The response is the same for a missing, unknown, expired or used
/// state, so that callers cannot detect which states exist. It is not a redirect, because without
/// a state the page to return to is unknown.
async fn finish(app: &AppState, headers: &HeaderMap, returned: Option<CallbackParams>) -> Response {
    let Some((state, returned)) = returned.and_then(CallbackParams::with_state) else {
        return response::start_again(app, headers);
    };
    let attempt = match app
        .services
        .store
        .take_oauth_state::<SignInAttempt>(&state)
        .await
    {
        Ok(Some(attempt)) => attempt,
        Ok(None) => return response::start_again(app, headers),
        // The state is consumed, but its content is not a sign-in that this release can read.
        Err(StoreError::Unreadable { .. }) => {
            tracing::warn!("the stored sign-in attempt cannot be read by this release");
            return response::start_again(app, headers);
        }
        Err(error) => {
            tracing::error!(%error, "the state of a sign-in cannot be read");
            return response::unavailable();
        }
    };
    let result = match returned.refusal() {
        Some(refusal) => Err(refusal),
        None => resume(app, &attempt, &state, returned).await,
    };
    let result = match result {
        Ok(result) => result,
        Err(refusal) => record(app, &attempt, refusal).await,
    };
    response::render(app, &attempt, &result)
}

async fn resume(
    app: &AppState,
    attempt: &SignInAttempt,
    state: &str,
    returned: CallbackParams,
) -> Result<CallbackResult, Refusal> {
    let code = returned.code.clone().map(Secret::new);
    match (attempt.stage, code) {
        (SignInStage::EntraConsent, _) => Box::pin(entra::consented(app, attempt, &returned)).await,
        (SignInStage::EntraSignIn, Some(code)) => {
            entra::signed_in(app, attempt, state, &code).await
        }
        (SignInStage::MailSignIn { catalog }, Some(code)) => {
            Box::pin(mail::signed_in(app, attempt, catalog, state, &code)).await
        }
        (_, None) => Err(Cause::StartAgain.into()),
    }
}

/// Records a refusal in its connection; returns the outcome to show.
async fn record(app: &AppState, attempt: &SignInAttempt, refusal: Refusal) -> CallbackResult {
    let Refusal::Refused { cause, code } = refusal else {
        return CallbackResult::Unavailable;
    };
    tracing::info!(tenant = %attempt.tenant, ?cause, code, "a sign-in was refused");
    match attempt.stage {
        SignInStage::EntraSignIn | SignInStage::EntraConsent => {
            let recorded = entra::record_refusal(app, attempt, cause, code.as_deref()).await;
            if let Err(error) = recorded {
                tracing::error!(%error, "a refusal could not be recorded");
                return CallbackResult::Unavailable;
            }
        }
        // The catalog's connection is left unchanged (S1-30).
        SignInStage::MailSignIn { .. } => {}
    }
    CallbackResult::Refused(cause, code)
}
