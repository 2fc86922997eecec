//! Connects the sync with an administrator's consent to this service's own app (S3-07…S3-11).

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use rollcall_clients::graph::SyncApp;
use rollcall_clients::vault::SyncCredentials;
use rollcall_domain::base::audit::{Action, AuditEvent};
use rollcall_domain::connection::{CheckStatus, ConnectionTest, ReturnPath};
use rollcall_domain::directory_sync::{SourceConnection, SyncPhase};
use rollcall_runtime::auth::{Caller, Role};
use serde::Deserialize;
use utoipa::ToSchema;

use super::SUBJECT;
use super::show::SyncView;
use super::{model, show};
use crate::body::JsonBody;
use crate::connections;
use crate::connections::entra::{Begun, begin_directory, return_path};
use crate::error::ApiError;
use crate::state::{ApiState, now};

/// A connection to make.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(as = SyncConnectInput)]
pub(crate) struct ConnectInput {
    /// The path of the console page to return to. Default: the start page.
    #[schema(value_type = Option<String>)]
    return_to: ReturnPath,
}

impl ConnectInput {
    fn read(mut body: JsonBody) -> Result<Self, ApiError> {
        let return_to = return_path(&mut body);
        body.complete(Some(Self { return_to }))
    }
}

/// Connects the directory sync with the consent to this service's app.
///
/// If the directory is already connected, this only checks the permissions. Otherwise it
/// returns the address at which a Global Administrator gives consent; repeat the request
/// afterwards.
#[utoipa::path(post, path = "/v1/sync/connect", tag = "Directory sync", request_body = ConnectInput,
    responses(
        (status = 200, description = "Connected", body = SyncView),
        (status = 201, description = "The address to open in the browser", body = Begun)))]
pub(crate) async fn connect(
    State(api): State<ApiState>,
    caller: Caller,
    body: JsonBody,
) -> Result<Response, ApiError> {
    let ConnectInput { return_to } = ConnectInput::read(body)?;
    let found = model::find(&api, caller.tenant).await?.value;
    if connections::model::directory_status(&api, caller.tenant)
        .await?
        .origin()
        .is_none()
    {
        if !caller.roles.contains(&Role::GlobalAdmin) {
            return Err(ApiError::conflict(
                "directory-not-connected",
                "Microsoft Entra ID is not connected yet, and only a Global Administrator can consent. Ask one to connect it (POST /v1/connections/entra/connect), then repeat this request.",
            ));
        }
        let begun = begin_directory(&api, &caller, return_to).await?;
        return Ok((StatusCode::CREATED, Json(begun)).into_response());
    }
    let (consent, none) = (SourceConnection::Consent, SyncCredentials::default());
    let services = &api.services;
    let graph = services.sync_directory(caller.tenant, Some(&consent), &none);
    let graph = graph.await?;
    let deadline = tokio::time::Instant::now() + std::time::Duration::from_secs(20);
    let checks = graph.with_deadline(deadline);
    let checks = checks
        .check_for_sync(found.config.needs_groups(), SyncApp::Ours)
        .await;
    require_all_checks(&ConnectionTest::of(checks))?;
    let at = now();
    let events =
        [AuditEvent::new(at, caller.actor(), Action::SyncConnected).on(SUBJECT.0, SUBJECT.1)];
    let after = services.store.change_sync(caller.tenant, &events, |state| {
        if state.source != Some(SourceConnection::Consent) {
            state.source = Some(SourceConnection::Consent);
            state.edits += 1;
            state.credentials += 1;
        }
        if state.phase == SyncPhase::Disconnected {
            state.phase = SyncPhase::Inactive;
        }
        state.resolve();
        state.reschedule(at);
        true
    });
    after.await?;
    show::view_response(&api, &caller, None).await
}

/// Returns an error that names all permissions that were not accepted (S3-11).
fn require_all_checks(test: &ConnectionTest) -> Result<(), ApiError> {
    let ended = |how: CheckStatus| {
        let checks = test.checks.iter().filter(move |check| check.status == how);
        checks
            .map(|check| check.detail.as_str())
            .collect::<Vec<_>>()
            .join(" ")
    };
    let failed = ended(CheckStatus::Failed);
    if !failed.is_empty() {
        return Err(ApiError::conflict("permissions-missing", &failed));
    }
    if test.is_incomplete() {
        let open = ended(CheckStatus::NotChecked);
        return Err(ApiError::unavailable(format!(
            "Nothing was connected: {open}"
        )));
    }
    Ok(())
}
