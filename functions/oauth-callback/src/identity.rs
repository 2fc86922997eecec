//! Redeems the code and verifies the identity token.

use rollcall_clients::entra::{EntraError, Grant};
use rollcall_clients::http::Secret;
use rollcall_domain::connection::{Cause, ReportTo, SignInAttempt};
use rollcall_runtime::auth::{AuthError, Identity};

use crate::AppState;
use crate::response::Refusal;

/// Redeems the code and returns the user who signed in, who must belong to this tenant.
pub(crate) async fn redeem(
    app: &AppState,
    attempt: &SignInAttempt,
    state: &str,
    code: &Secret,
) -> Result<(Identity, Grant), Refusal> {
    let services = &app.services;
    let service_app = services.service_app().await.map_err(|error| {
        tracing::error!(%error, "this service's own app cannot be used");
        Refusal::Unavailable
    })?;
    let grant = services
        .entra()
        .redeem(attempt.tenant, &service_app, state, code)
        .await?;
    let Some(token) = &grant.id_token else {
        tracing::error!("the token response of a sign-in has no identity token");
        return Err(Cause::OurRequest.into());
    };
    let proofs = service_app.proofs(state);
    let verified = app.identities.verify(
        token.expose(),
        &service_app.client_id,
        proofs.nonce.expose(),
    );
    let identity = verified.await.map_err(|error| {
        tracing::warn!(%error, "an identity token is invalid");
        match error {
            AuthError::Unavailable => Refusal::Unavailable,
            _ => Cause::StartAgain.into(),
        }
    })?;
    if identity.tenant != attempt.tenant {
        return Err(Cause::WrongAccount.into());
    }
    Ok((identity, grant))
}

impl From<EntraError> for Refusal {
    fn from(error: EntraError) -> Self {
        tracing::warn!(
            codes = error.codes(),
            "an authorization code could not be redeemed"
        );
        match error.cause() {
            Cause::Transient => Self::Unavailable,
            // Operators must fix this; the tenant's connection is left unchanged.
            cause if cause.report_to() == ReportTo::Operators => {
                let code = error.codes();
                tracing::error!(
                    code,
                    alarm = "service-credential",
                    "this service's own app is refused"
                );
                Self::Unavailable
            }
            cause => Self::Refused {
                cause,
                code: Some(error.code()),
            },
        }
    }
}
