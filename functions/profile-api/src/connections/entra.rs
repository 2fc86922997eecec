//! Starts connecting the directory, which oauth-callback completes, and cancels an attempt. A
//! working connection is never ended (S0).

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, TimeDelta, Utc};
use rollcall_clients::entra::SignIn;
use rollcall_clients::store::oauth_states::{OAUTH_STATE_LIFETIME, new_state};
use rollcall_domain::base::audit::{Action, AuditEvent};
use rollcall_domain::connection::{
    ConnectionStatus, EntraConnection, Origin, ReturnPath, SignInAttempt, SignInStage,
};
use rollcall_runtime::auth::Caller;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::model;
use crate::access::Permission;
use crate::body::JsonBody;
use crate::error::ApiError;
use crate::state::{ApiState, now};

/// A sign-in to start.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct ConnectInput {
    /// The path of the console page to return to. Default: the start page (S0-17).
    #[schema(value_type = Option<String>)]
    pub(crate) return_to: ReturnPath,
}

impl ConnectInput {
    /// Reads the input from a body.
    pub(crate) fn read(mut body: JsonBody) -> Result<Self, ApiError> {
        let return_to = return_path(&mut body);
        body.complete(Some(Self { return_to }))
    }
}

/// Reads the page to return to; records a problem if it is invalid.
pub(crate) fn return_path(body: &mut JsonBody) -> ReturnPath {
    let text: Option<String> = body.optional("returnTo");
    match text.map(ReturnPath::try_from) {
        None => ReturnPath::default(),
        Some(Ok(path)) => path,
        Some(Err(error)) => {
            body.problem("/returnTo", error.to_string());
            ReturnPath::default()
        }
    }
}

/// A started sign-in.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Begun {
    /// The address of Microsoft's page to open in the browser. Microsoft then returns to the
    /// requested page of the console, with `connection`, `result` and, for errors, `code` in
    /// the query.
    pub(crate) url: String,
    /// When the sign-in expires.
    pub(crate) expires_at: DateTime<Utc>,
}

/// The id and name of the connection in the audit log.
const SUBJECT: (&str, &str) = ("entra", "Microsoft Entra ID");

/// Starts connecting the directory (S0-16).
///
/// A Global Administrator signs in at Microsoft, accepts the permissions and returns to
/// the console. An existing connection remains in use until the new consent is verified.
#[utoipa::path(post, path = "/v1/connections/entra/connect", tag = "Connections", request_body = ConnectInput,
    responses((status = 201, description = "The address to open in the browser", body = Begun)))]
pub(crate) async fn connect(
    State(api): State<ApiState>,
    caller: Caller,
    body: JsonBody,
) -> Result<Response, ApiError> {
    let ConnectInput { return_to } = ConnectInput::read(body)?;
    let begun = begin_directory(&api, &caller, return_to).await?;
    Ok((StatusCode::CREATED, Json(begun)).into_response())
}

/// Starts connecting the directory; the caller's permission must already be checked.
pub(crate) async fn begin_directory(
    api: &ApiState,
    caller: &Caller,
    return_to: ReturnPath,
) -> Result<Begun, ApiError> {
    // Consenting again is allowed, because a new release may need another permission.
    if model::directory_status(api, caller.tenant).await?.origin() == Some(Origin::Default) {
        return Err(not_applicable());
    }
    let attempt = SignInAttempt {
        tenant: caller.tenant,
        by: caller.actor(),
        stage: SignInStage::EntraSignIn,
        return_to,
        began: now(),
    };
    let how = SignIn {
        login_hint: Some(&caller.name),
        ..SignIn::default()
    };
    let begun = begin_sign_in(api, &attempt, &[], how).await?;
    let events = [
        AuditEvent::new(attempt.began, caller.actor(), Action::ConnectionBegun)
            .on(SUBJECT.0, SUBJECT.1),
    ];
    let change =
        |before| EntraConnection::begun(before, attempt.began, caller.actor(), begun.expires_at);
    let services = &api.services;
    let noted = services.change_entra_connection(caller.tenant, &events, change);
    noted.await?;
    Ok(begun)
}

fn not_applicable() -> ApiError {
    let detail =
        "The directory of this tenant is connected by default; there is nothing to set up.";
    ApiError::conflict("not-applicable", detail)
}

/// Stores the state that the browser must return, and returns the address to open.
pub(crate) async fn begin_sign_in(
    api: &ApiState,
    attempt: &SignInAttempt,
    scopes: &[String],
    how: SignIn<'_>,
) -> Result<Begun, ApiError> {
    let services = &api.services;
    let app = services.service_app().await?;
    let state = new_state();
    let url = services
        .entra()
        .authorize_url(attempt.tenant, &app, &state, scopes, how)?;
    let begun = services
        .store
        .begin_oauth_state(&state, attempt, OAUTH_STATE_LIFETIME);
    begun.await?;
    let lifetime = TimeDelta::from_std(OAUTH_STATE_LIFETIME).unwrap_or_default();
    Ok(Begun {
        url,
        expires_at: attempt.began + lifetime,
    })
}

/// Cancels an attempt to connect the directory that has not succeeded yet (S0-06, S0-07).
///
/// A working connection cannot be ended; the response states why.
#[utoipa::path(delete, path = "/v1/connections/entra", tag = "Connections",
    responses((status = 204, description = "The attempt was cancelled, or there was none")))]
pub(crate) async fn disconnect(
    State(api): State<ApiState>,
    caller: Caller,
) -> Result<StatusCode, ApiError> {
    let directory = model::directory_status(&api, caller.tenant).await?;
    if directory.origin().is_some() {
        let event = AuditEvent::new(now(), caller.actor(), Action::ConnectionEndRefused)
            .on(SUBJECT.0, SUBJECT.1);
        let noted = api.services.store.record(caller.tenant, &event).await;
        noted?;
        let detail = "The connection to Microsoft Entra ID cannot be disconnected once it is set up: users, groups and hierarchies depend on it.";
        return Err(ApiError::conflict("not-disconnectable", detail));
    }
    caller.require(Permission::ManageEntra.roles())?;
    if directory.connection.is_none() {
        return Ok(StatusCode::NO_CONTENT);
    }
    let (at, by) = (now(), caller.actor());
    let events =
        [AuditEvent::new(at, by.clone(), Action::ConnectionEnded).on(SUBJECT.0, SUBJECT.1)];
    let change = |before: Option<EntraConnection>| match before {
        Some(works) if works.status == ConnectionStatus::Connected => works,
        _ => EntraConnection::begun(None, at, by.clone(), at),
    };
    let services = &api.services;
    let dropped = services.change_entra_connection(caller.tenant, &events, change);
    dropped.await?;
    Ok(StatusCode::NO_CONTENT)
}
