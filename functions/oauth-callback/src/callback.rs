//! `GET` and `POST /oauth/callback`: uses the state up, then goes on where the sign-in stands.

use axum::extract::rejection::{FormRejection, QueryRejection};
use axum::extract::{Form, Query, State};
use axum::http::HeaderMap;
use axum::response::Response;
use rollcall_clients::http::Secret;
use rollcall_clients::store::StoreError;
use rollcall_domain::connection::{Cause, SignInAttempt, SignInStage};
use serde::Deserialize;

use crate::response;
use crate::response::Outcome;
use crate::{AppState, entra, mail};

/// What is read of Microsoft's answer (OAuth 2.0, section 4.1.2; admin consent).
#[derive(Deserialize)]
pub(crate) struct CallbackParams {
    state: Option<String>,
    code: Option<String>,
    error: Option<String>,
    error_description: Option<String>,
    /// Present on errors as well, so it is looked at last.
    pub(crate) admin_consent: Option<String>,
    /// Can be forged like everything here: it must fit, and proves nothing.
    pub(crate) tenant: Option<String>,
}

/// `response_mode=query`.
pub(crate) async fn by_query(
    State(desk): State<AppState>,
    headers: HeaderMap,
    returned: Result<Query<CallbackParams>, QueryRejection>,
) -> Response {
    finish(&desk, &headers, returned.ok().map(|Query(it)| it)).await
}

/// `response_mode=form_post`.
pub(crate) async fn by_form(
    State(desk): State<AppState>,
    headers: HeaderMap,
    returned: Result<Form<CallbackParams>, FormRejection>,
) -> Response {
    finish(&desk, &headers, returned.ok().map(|Form(it)| it)).await
}

/// A missing, unknown, expired and used state are answered alike, so that nobody
/// learns by trying which states there are, and without a redirect: nobody knows
/// where to.
async fn finish(
    desk: &AppState,
    headers: &HeaderMap,
    returned: Option<CallbackParams>,
) -> Response {
    let Some((state, returned)) = returned.and_then(CallbackParams::with_state) else {
        return response::start_again(desk, headers);
    };
    let attempt = match desk
        .services
        .store
        .take_oauth_state::<SignInAttempt>(&state)
        .await
    {
        Ok(Some(attempt)) => attempt,
        Ok(None) => return response::start_again(desk, headers),
        // Used up, and what it was for is no sign-in of this release.
        Err(StoreError::Unreadable { .. }) => {
            tracing::warn!("a sign-in came back that this release cannot finish");
            return response::start_again(desk, headers);
        }
        Err(error) => {
            tracing::error!(%error, "the state of a sign-in cannot be read");
            return response::unavailable();
        }
    };
    let outcome = match refusal(&returned) {
        Some((cause, code)) => refused(desk, &attempt, cause, code).await,
        None => resume(desk, &attempt, &state, returned).await,
    };
    response::back(desk, &attempt, outcome)
}

async fn resume(
    desk: &AppState,
    attempt: &SignInAttempt,
    state: &str,
    returned: CallbackParams,
) -> Outcome {
    let code = returned.code.clone().map(Secret::new);
    match (attempt.stage, code) {
        (SignInStage::EntraConsent, _) => {
            Box::pin(entra::consented(desk, attempt, &returned)).await
        }
        (SignInStage::EntraSignIn, Some(code)) => {
            entra::signed_in(desk, attempt, state, &code).await
        }
        (SignInStage::MailSignIn { catalog }, Some(code)) => {
            Box::pin(mail::signed_in(desk, attempt, catalog, state, &code)).await
        }
        (_, None) => refused(desk, attempt, Cause::StartAgain, None).await,
    }
}

/// Notes a refusal where it is kept, and tells it.
pub(crate) async fn refused(
    desk: &AppState,
    attempt: &SignInAttempt,
    cause: Cause,
    code: Option<String>,
) -> Outcome {
    tracing::info!(tenant = %attempt.tenant, ?cause, code, "a sign-in was refused");
    match attempt.stage {
        SignInStage::EntraSignIn | SignInStage::EntraConsent => {
            entra::refused(desk, attempt, cause, code).await
        }
        // The catalog's connection stays as it was (S1-30).
        SignInStage::MailSignIn { .. } => Outcome::Refused(cause, code),
    }
}

impl CallbackParams {
    fn with_state(self) -> Option<(String, Self)> {
        let state = self.state.clone().filter(|state| !state.is_empty())?;
        Some((state, self))
    }
}

/// The error, which is looked at before anything else: `admin_consent=True`
/// stands beside it too.
fn refusal(returned: &CallbackParams) -> Option<(Cause, Option<String>)> {
    let error = returned.error.as_deref()?;
    let number = returned.error_description.as_deref().and_then(number);
    let code = number.map_or_else(|| plain(error), |number| format!("AADSTS{number}"));
    Some((Cause::from_oauth_error(error, None, number), Some(code)))
}

/// Entra's number, which a redirect carries in its description only.
fn number(description: &str) -> Option<u32> {
    let digits = description.strip_prefix("AADSTS")?;
    let end = digits.find(|c: char| !c.is_ascii_digit());
    digits[..end.unwrap_or(digits.len())].parse().ok()
}

/// An error's name, in case it is none.
fn plain(error: &str) -> String {
    let known = |c: &char| c.is_ascii_alphanumeric() || *c == '_';
    error.chars().filter(known).take(40).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn returned(error: &str, description: &str) -> CallbackParams {
        CallbackParams {
            state: None,
            code: None,
            error: Some(error.to_owned()),
            error_description: Some(description.to_owned()),
            admin_consent: Some("True".to_owned()),
            tenant: None,
        }
    }

    /// Proves S0-22 and S1-14: declined, and approval needed, are told apart.
    #[test]
    fn an_error_counts_before_everything_else() {
        let read = |error, text| refusal(&returned(error, text)).expect("a refusal");
        let declined = read("access_denied", "AADSTS65004: User declined.");
        assert_eq!(declined, (Cause::Declined, Some("AADSTS65004".to_owned())));
        let approval = read("access_denied", "AADSTS90094: The grant requires admin.");
        assert_eq!(approval.0, Cause::AdminApproval);
        let odd = read("<script>alert(1)</script>", "no number");
        assert_eq!(odd, (Cause::Other, Some("scriptalert1script".to_owned())));
    }
}
