//! The directory connection: the administrator signs in and consents; the consent is proved
//! (S0-19).

use std::time::Duration;

use chrono::Utc;
use rollcall_clients::http::Secret;
use rollcall_clients::store::StoreError;
use rollcall_clients::store::oauth_states::{OAUTH_STATE_LIFETIME, new_state};
use rollcall_domain::base::audit::{Action, AuditEvent};
use rollcall_domain::connection::{
    Cause, ConnectionStatus, EntraConnection, SignInAttempt, SignInStage,
};

use crate::params::CallbackParams;
use crate::response::{CallbackResult, Refusal};
use crate::{AppState, identity};

/// The time limit for proving a consent. The browser waits meanwhile, and API Gateway ends a
/// request after 30 seconds.
const CONSENT_TIMEOUT: Duration = Duration::from_secs(15);

/// Continues with the consent if the user who signed in is the administrator who began.
pub(crate) async fn signed_in(
    app: &AppState,
    attempt: &SignInAttempt,
    state: &str,
    code: &Secret,
) -> Result<CallbackResult, Refusal> {
    let (identity, _) = identity::redeem(app, attempt, state, code).await?;
    if Some(identity.object) != attempt.by.object {
        return Err(Cause::OtherPerson.into());
    }
    let url = consent_page(app, attempt).await;
    url.map(CallbackResult::Redirect).map_err(|error| {
        tracing::error!(%error, "the consent page cannot be opened");
        Refusal::Unavailable
    })
}

/// Returns the URL of the consent page, with a new state because the first one is consumed.
async fn consent_page(
    app: &AppState,
    attempt: &SignInAttempt,
) -> Result<String, Box<dyn std::error::Error + Send + Sync>> {
    let services = &app.services;
    let service_app = services.service_app().await?;
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
        .admin_consent_url(attempt.tenant, &service_app, &state, &scope)?)
}

/// Handles the return from the consent page. Its parameters must be consistent but are not
/// trusted: the app's own token proves the consent.
pub(crate) async fn consented(
    app: &AppState,
    attempt: &SignInAttempt,
    returned: &CallbackParams,
) -> Result<CallbackResult, Refusal> {
    let named = returned.tenant.as_deref().and_then(|id| id.parse().ok());
    if named != Some(attempt.tenant) {
        return Err(Cause::WrongAccount.into());
    }
    let given = returned.admin_consent.as_deref();
    if !given.is_some_and(|given| given.eq_ignore_ascii_case("true")) {
        return Err(Cause::Declined.into());
    }
    let connection = prove_consent(app, attempt).await.map_err(|error| {
        tracing::error!(%error, "a consent could not be recorded");
        Refusal::Unavailable
    })?;
    Ok(match (connection.status, connection.fault) {
        (ConnectionStatus::Connected, _) => CallbackResult::Connected,
        // The proof has already recorded this refusal.
        (ConnectionStatus::Error, Some(fault)) => CallbackResult::Refused(fault.cause, fault.code),
        _ => CallbackResult::Pending,
    })
}

async fn prove_consent(
    app: &AppState,
    attempt: &SignInAttempt,
) -> Result<EntraConnection, StoreError> {
    let services = &app.services;
    let (tenant, by, now) = (attempt.tenant, attempt.by.clone(), Utc::now());
    // The consent is recorded before it is proved: after a crash a tick continues the proof.
    let noted = |before: Option<EntraConnection>| {
        let before = before.unwrap_or_else(|| EntraConnection::begun(None, now, by.clone(), now));
        before.consented(now)
    };
    services.change_entra_connection(tenant, &[], noted).await?;
    let proof = services
        .prove_directory_within(tenant, CONSENT_TIMEOUT)
        .await;
    services.record_consent_proof(tenant, &by, proof).await
}

/// Records the refusal; a connection that worked before is left unchanged.
pub(crate) async fn record_refusal(
    app: &AppState,
    attempt: &SignInAttempt,
    cause: Cause,
    code: Option<&str>,
) -> Result<(), StoreError> {
    let (now, by) = (Utc::now(), &attempt.by);
    let events = [AuditEvent::new(now, by.clone(), Action::ConnectionRefused)
        .on("entra", "Microsoft Entra ID")
        .with("code", code.unwrap_or_default())];
    let change = |before: Option<EntraConnection>| {
        let before = before.unwrap_or_else(|| EntraConnection::begun(None, now, by.clone(), now));
        before.refused(cause, code.map(str::to_owned), now)
    };
    let services = &app.services;
    services
        .change_entra_connection(attempt.tenant, &events, change)
        .await?;
    Ok(())
}
