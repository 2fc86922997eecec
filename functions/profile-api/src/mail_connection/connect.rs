//! `POST /v1/catalogs/{id}/mail-connection/connect`: starts the sign-in of an account (S1-09).

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use rollcall_clients::entra::SignIn;
use rollcall_domain::base::audit::{Action, AuditEvent};
use rollcall_domain::base::ids::CatalogId;
use rollcall_domain::connection::{ConnectionStatus, SignInAttempt, SignInStage};
use rollcall_runtime::auth::Caller;

use super::model;
use crate::body::JsonBody;
use crate::catalogs;
use crate::connections::entra::begin_sign_in;
use crate::connections::entra::{Begun, ConnectInput};
use crate::error::ApiError;
use crate::extract::InPath;
use crate::state::{ApiState, now};

/// Starts connecting an account.
///
/// Nothing changes before the returned sign-in is saved; an abandoned one has no effect
/// (S1-30).
#[utoipa::path(post, path = "/v1/catalogs/{id}/mail-connection/connect", tag = "Mail connection",
    params(("id" = CatalogId, Path, description = "The catalog")), request_body = ConnectInput,
    responses((status = 201, description = "The address to open in the browser, which returns with `#signIn=` and a name to save", body = Begun)))]
pub(crate) async fn connect(
    State(api): State<ApiState>,
    caller: Caller,
    InPath(catalog): InPath<CatalogId>,
    body: JsonBody,
) -> Result<Response, ApiError> {
    let ConnectInput { return_to } = ConnectInput::read(body)?;
    catalogs::must_administer(&api, &caller, catalog).await?;
    let connection = model::find(&api, caller.tenant, catalog).await?.value;
    if !connection.options.enabled {
        let detail = "Sending e-mail, booking rooms and creating meetings are switched off for this catalog; switch them on first.";
        return Err(ApiError::conflict("switched-off", detail));
    }
    let attempt = SignInAttempt {
        tenant: caller.tenant,
        by: caller.actor(),
        stage: SignInStage::MailSignIn { catalog },
        return_to,
        began: now(),
    };
    // Microsoft requests a missing consent automatically (S1-13, S1-21…S1-24). Only an
    // outdated one has to be requested here, and only once (S1-25, C-47).
    let outdated = connection.status == ConnectionStatus::ConsentOutdated;
    let account = connection.account.filter(|_| outdated);
    let how = SignIn {
        login_hint: account.as_ref().map(|account| account.address.as_str()),
        ask_consent: outdated,
        choose_account: true,
    };
    let scopes = api.services.mail_scopes();
    let begun = begin_sign_in(&api, &attempt, &scopes, how).await?;
    let event = AuditEvent::new(attempt.began, caller.actor(), Action::ConnectionBegun)
        .on(catalog, &connection.title);
    let noted = api.services.store.record(caller.tenant, &event).await;
    noted?;
    Ok((StatusCode::CREATED, Json(begun)).into_response())
}
