//! The connection to the directory: the administrator signs in, consents, and the consent is proved (S0-19).

use std::time::Duration;

use chrono::Utc;
use rollcall_clients::entra::EntraError;
use rollcall_clients::http::Secret;
use rollcall_clients::store::oauth_states::{OAUTH_STATE_LIFETIME, new_state};
use rollcall_domain::base::audit::{Action, AuditEvent};
use rollcall_domain::connection::{
    Cause, ConnectionStatus, EntraConnection, ReportTo, SignInAttempt, SignInStage,
};
use rollcall_runtime::auth::{AuthError, Identity};

use crate::AppState;
use crate::callback::{self, CallbackParams};
use crate::response::Outcome;

/// The browser waits behind a gateway that gives up after 30 seconds.
const PATIENCE: Duration = Duration::from_secs(15);

/// The administrator signed in: if it is the one who began, on to the consent.
pub(crate) async fn signed_in(
    desk: &AppState,
    attempt: &SignInAttempt,
    state: &str,
    code: &Secret,
) -> Outcome {
    let identity = match identity(desk, attempt, state, code).await {
        Ok((identity, _)) => identity,
        Err(failed) => return failed.tell(desk, attempt).await,
    };
    if Some(identity.object) != attempt.by.object {
        return callback::refused(desk, attempt, Cause::OtherPerson, None).await;
    }
    match consent_page(desk, attempt).await {
        Ok(url) => Outcome::Onwards(url),
        Err(error) => {
            tracing::error!(%error, "a consent cannot be asked for");
            Outcome::Unavailable
        }
    }
}

/// A new state, since the first one is used up.
async fn consent_page(
    desk: &AppState,
    attempt: &SignInAttempt,
) -> Result<String, Box<dyn std::error::Error + Send + Sync>> {
    let services = &desk.services;
    let app = services.service_app().await?;
    let state = new_state();
    let next = SignInAttempt {
        stage: SignInStage::EntraConsent,
        ..attempt.clone()
    };
    let begun = services
        .store
        .begin_oauth_state(&state, &next, OAUTH_STATE_LIFETIME);
    begun.await?;
    let scope = services.consent_scope();
    Ok(services
        .entra()
        .admin_consent_url(attempt.tenant, &app, &state, &scope)?)
}

/// The browser says that consent was given. It is asked to be consistent, and
/// then believed nothing: the app's own token proves it.
pub(crate) async fn consented(
    desk: &AppState,
    attempt: &SignInAttempt,
    returned: &CallbackParams,
) -> Outcome {
    let named = returned.tenant.as_deref().and_then(|id| id.parse().ok());
    if named != Some(attempt.tenant) {
        return callback::refused(desk, attempt, Cause::WrongAccount, None).await;
    }
    let given = returned.admin_consent.as_deref();
    if !given.is_some_and(|given| given.eq_ignore_ascii_case("true")) {
        return callback::refused(desk, attempt, Cause::Declined, None).await;
    }
    match proved(desk, attempt).await {
        Ok(connection) => match (connection.status, connection.fault) {
            (ConnectionStatus::Connected, _) => Outcome::Connected,
            (ConnectionStatus::Error, Some(fault)) => Outcome::Refused(fault.cause, fault.code),
            _ => Outcome::Pending,
        },
        Err(error) => {
            tracing::error!(%error, "a consent could not be noted");
            Outcome::Unavailable
        }
    }
}

async fn proved(
    desk: &AppState,
    attempt: &SignInAttempt,
) -> Result<EntraConnection, rollcall_clients::store::StoreError> {
    let services = &desk.services;
    let (tenant, by, now) = (attempt.tenant, attempt.by.clone(), Utc::now());
    // Noted first: if this function dies now, a tick goes on with the proof.
    let noted = |before: Option<EntraConnection>| {
        let before = before.unwrap_or_else(|| EntraConnection::begun(None, now, by.clone(), now));
        before.consented(now)
    };
    services.change_entra_connection(tenant, &[], noted).await?;
    let proof = services.prove_directory_within(tenant, PATIENCE).await;
    services.record_consent_proof(tenant, &by, proof).await
}

/// Notes that it did not work; what worked before stays.
pub(crate) async fn refused(
    desk: &AppState,
    attempt: &SignInAttempt,
    cause: Cause,
    code: Option<String>,
) -> Outcome {
    let (now, by) = (Utc::now(), &attempt.by);
    let events = [AuditEvent::new(now, by.clone(), Action::ConnectionRefused)
        .on("entra", "Microsoft Entra ID")
        .with("code", code.clone().unwrap_or_default())];
    let change = |before: Option<EntraConnection>| {
        let before = before.unwrap_or_else(|| EntraConnection::begun(None, now, by.clone(), now));
        before.refused(cause, code.clone(), now)
    };
    let noted = desk
        .services
        .change_entra_connection(attempt.tenant, &events, change);
    if let Err(error) = noted.await {
        tracing::error!(%error, "a refusal could not be noted");
        return Outcome::Unavailable;
    }
    Outcome::Refused(cause, code)
}

/// Why nobody is known to have signed in.
pub(crate) enum Failed {
    /// Microsoft, or what it sent, says no.
    Refused(Cause, Option<String>),
    /// Something does not answer.
    Silent,
}

impl Failed {
    /// Tells it.
    pub(crate) async fn tell(self, desk: &AppState, attempt: &SignInAttempt) -> Outcome {
        match self {
            Self::Refused(cause, code) => callback::refused(desk, attempt, cause, code).await,
            Self::Silent => Outcome::Unavailable,
        }
    }
}

impl From<EntraError> for Failed {
    fn from(error: EntraError) -> Self {
        tracing::warn!(codes = error.codes(), "a code was not redeemed");
        match error.cause() {
            Cause::Transient => Self::Silent,
            // Ours to mend: the tenant's connection stays as it is.
            cause if cause.report_to() == ReportTo::Operators => {
                let code = error.codes();
                tracing::error!(
                    code,
                    alarm = "service-credential",
                    "this service's own app is refused"
                );
                Self::Silent
            }
            cause => Self::Refused(cause, Some(error.code())),
        }
    }
}

/// Redeems the code and reads who signed in: somebody of this very tenant.
pub(crate) async fn identity(
    desk: &AppState,
    attempt: &SignInAttempt,
    state: &str,
    code: &Secret,
) -> Result<(Identity, rollcall_clients::entra::Grant), Failed> {
    let services = &desk.services;
    let app = services.service_app().await.map_err(|error| {
        tracing::error!(%error, "this service's own app cannot be used");
        Failed::Silent
    })?;
    let grant = services
        .entra()
        .redeem(attempt.tenant, &app, state, code)
        .await?;
    let Some(token) = &grant.id_token else {
        tracing::error!("a sign-in brought no identity token");
        return Err(Failed::Refused(Cause::OurRequest, None));
    };
    let proofs = app.proofs(state);
    let verified = desk
        .identities
        .verify(token.expose(), &app.client_id, proofs.nonce.expose());
    let identity = verified.await.map_err(|error| {
        tracing::warn!(%error, "an identity token was not good");
        match error {
            AuthError::Unavailable => Failed::Silent,
            _ => Failed::Refused(Cause::StartAgain, None),
        }
    })?;
    if identity.tenant != attempt.tenant {
        return Err(Failed::Refused(Cause::WrongAccount, None));
    }
    Ok((identity, grant))
}
