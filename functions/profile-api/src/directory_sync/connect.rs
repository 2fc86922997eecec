//! Connects the sync by an administrator's consent to this service's own app (S3-07…S3-11).

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use rollcall_clients::graph::SyncApp;
use rollcall_clients::vault::SyncCredentials;
use rollcall_domain::base::audit::{Action, AuditEvent};
use rollcall_domain::connection::{CheckStatus, ConnectionTest};
use rollcall_domain::directory_sync::{SourceConnection, SyncPhase};
use rollcall_runtime::ProblemDetails;
use rollcall_runtime::auth::{Caller, Role};
use serde::Deserialize;
use utoipa::ToSchema;

use super::show::SyncView;
use super::{SUBJECT, conflict};
use crate::body::JsonBody;
use crate::connections::entra::{Begun, begin_directory, return_path};
use crate::error::{Refused, stored, unavailable};
use crate::{ApiState, now};

/// Where to come back to.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(as = SyncConnectInput)]
#[expect(dead_code, reason = "its field is read from a form; this documents it")]
pub(crate) struct ConnectInput {
    /// The page of the console to come back to, as a path; the start page without.
    return_to: Option<String>,
}

/// Connects: where the directory is connected already its permissions are looked
/// at, and that is all; otherwise a Global Administrator's browser is sent to
/// Microsoft's pages first, and this is asked again afterwards.
#[utoipa::path(post, path = "/v1/sync/connect", tag = "Directory sync", request_body = ConnectInput,
    responses(
        (status = 200, description = "Connected", body = SyncView),
        (status = 201, description = "Where to send the browser", body = Begun)))]
pub(crate) async fn connect(
    State(api): State<ApiState>,
    caller: Caller,
    mut form: JsonBody,
) -> Result<Response, Refused> {
    let return_to = return_path(&mut form);
    form.finish().map_err(ProblemDetails::invalid)?;
    let found = api.sync(caller.tenant).await?.value;
    if api.directory_of(caller.tenant).await?.origin().is_none() {
        if !caller.roles.contains(&Role::GlobalAdmin) {
            return Err(conflict(
                "directory-not-connected",
                "Microsoft Entra ID is not connected yet, and only a Global Administrator can consent: ask one to connect it (POST /v1/connections/entra/connect), then ask this again.",
            ));
        }
        let begun = begin_directory(&api, &caller, return_to).await?;
        return Ok((StatusCode::CREATED, Json(begun)).into_response());
    }
    let (consent, none) = (SourceConnection::Consent, SyncCredentials::default());
    let services = &api.services;
    let graph = services.sync_directory(caller.tenant, Some(&consent), &none);
    let graph = graph.await.map_err(|error| {
        tracing::error!(%error, "the service's own app cannot be used");
        unavailable(
            "This deployment cannot connect to Microsoft now; its operators have been alerted.",
        )
    })?;
    let deadline = tokio::time::Instant::now() + std::time::Duration::from_secs(20);
    let checks = graph.with_deadline(deadline);
    let checks = checks
        .check_for_sync(found.config.needs_groups(), SyncApp::Ours)
        .await;
    refuse_unless_whole(&ConnectionTest::of(checks))?;
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
    after.await.map_err(stored)?;
    api.sync_view(&caller, None).await
}

/// Whatever was not accepted keeps it from being connected, and is named (S3-11).
fn refuse_unless_whole(test: &ConnectionTest) -> Result<(), Refused> {
    let ended = |how: CheckStatus| {
        let checks = test.checks.iter().filter(move |check| check.status == how);
        checks
            .map(|check| check.detail.as_str())
            .collect::<Vec<_>>()
            .join(" ")
    };
    let failed = ended(CheckStatus::Failed);
    if !failed.is_empty() {
        return Err(conflict("permissions-missing", &failed));
    }
    if test.is_incomplete() {
        let open = ended(CheckStatus::NotChecked);
        return Err(unavailable(&format!("Nothing was connected: {open}")));
    }
    Ok(())
}
