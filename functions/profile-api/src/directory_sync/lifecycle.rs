//! Tests, activates, deactivates and disconnects the directory sync.

use axum::extract::State;
use axum::response::Response;
use rollcall_domain::base::audit::{Action, AuditEvent};
use rollcall_domain::directory_sync::SyncPhase;
use rollcall_runtime::auth::Caller;
use serde::Deserialize;
use utoipa::ToSchema;

use super::SUBJECT;
use super::guards::not_connected;
use super::runs::{start_manual_run, started};
use super::show::SyncView;
use super::{model, show};
use crate::body::JsonBody;
use crate::error::ApiError;
use crate::runs::start::Asked;
use crate::state::{ApiState, now};

/// A confirmation by the administrator.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = SyncConfirmation)]
pub(crate) struct Confirmation {
    /// Must be `true` to confirm the consequences.
    confirm: bool,
}

impl Confirmation {
    /// Requires a confirmation; `means` is the problem to return without it.
    fn require(mut body: JsonBody, means: &str) -> Result<(), ApiError> {
        let pointer = "/confirm";
        let confirm = body.optional("confirm").unwrap_or_default();
        let confirmation = Self { confirm };
        if !confirmation.confirm && !body.is_wrong(pointer) {
            body.problem(pointer, means);
        }
        Ok(body.finish()?)
    }
}

/// Tests the stored configuration.
///
/// The test checks the credential, each permission, the filters and the learning platform.
/// It stores only its result.
#[utoipa::path(post, path = "/v1/sync/test", tag = "Directory sync",
    responses((status = 200, description = "The state of the sync, with every check", body = SyncView)))]
pub(crate) async fn test(
    State(api): State<ApiState>,
    caller: Caller,
) -> Result<Response, ApiError> {
    let found = model::find(&api, caller.tenant).await?.value;
    let test = Box::pin(api.services.test_sync(caller.tenant, &found)).await;
    let test = test?;
    let (of, passed, at) = (found.fingerprint(), test.ok, now());
    let events = [AuditEvent::new(at, caller.actor(), Action::SyncTested)
        .on(SUBJECT.0, SUBJECT.1)
        .with("passed", passed)];
    let noted = api
        .services
        .store
        .change_sync(caller.tenant, &events, |state| {
            state.note_test(of.clone(), passed, at);
            state.reschedule(at);
            true
        });
    noted.await?;
    show::view_response(&api, &caller, Some(test)).await
}

/// Activates the directory sync and starts its first run.
///
/// The current configuration must have passed a test. From then on the sync runs
/// automatically.
#[utoipa::path(post, path = "/v1/sync/activate", tag = "Directory sync", request_body = Confirmation,
    responses((status = 202, description = "Activated; the header Location contains the path of the first run", body = Asked)))]
pub(crate) async fn activate(
    State(api): State<ApiState>,
    caller: Caller,
    body: JsonBody,
) -> Result<Response, ApiError> {
    let means = "confirm with true: users and teams of the learning platform will be changed, and manual changes there overwritten";
    Confirmation::require(body, means)?;
    let found = model::find(&api, caller.tenant).await?.value;
    if found.source.is_none() {
        return Err(not_connected());
    }
    if found.phase == SyncPhase::Active {
        return Err(ApiError::conflict(
            "already-active",
            "The directory sync is already active.",
        ));
    }
    if !found.is_tested() {
        return Err(ApiError::conflict(
            "not-tested",
            "The current configuration has not passed a test; test it first.",
        ));
    }
    let at = now();
    let fingerprint = found.fingerprint();
    let events =
        [AuditEvent::new(at, caller.actor(), Action::SyncActivated).on(SUBJECT.0, SUBJECT.1)];
    let after = api
        .services
        .store
        .change_sync(caller.tenant, &events, |state| {
            if state.fingerprint() != fingerprint {
                return false;
            }
            state.phase = SyncPhase::Active;
            state.activated = Some(at);
            state.resolve();
            state.reschedule(at);
            true
        });
    let after = after.await?;
    if after.fingerprint() != fingerprint {
        return Err(ApiError::Stale);
    }
    match start_manual_run(&api, &caller).await {
        Ok(slot) => Ok(started(slot)),
        Err(refused) => {
            // The first run could not be requested, so the activation is undone.
            let back = api.services.store.change_sync(caller.tenant, &[], |state| {
                state.phase = found.phase;
                state.due = None;
                true
            });
            if let Err(error) = back.await {
                refused.log();
                return Err(error.into());
            }
            Err(refused)
        }
    }
}

/// Deactivates the directory sync.
///
/// No further run starts, and a current run stops before its next step. Everything remains
/// stored, so that it can be activated again.
#[utoipa::path(post, path = "/v1/sync/deactivate", tag = "Directory sync",
    responses((status = 200, description = "Deactivated", body = SyncView)))]
pub(crate) async fn deactivate(
    State(api): State<ApiState>,
    caller: Caller,
) -> Result<Response, ApiError> {
    let found = model::find(&api, caller.tenant).await?.value;
    if found.phase != SyncPhase::Active {
        return Err(ApiError::conflict(
            "not-active",
            "The directory sync is not active.",
        ));
    }
    let events = [
        AuditEvent::new(now(), caller.actor(), Action::SyncDeactivated).on(SUBJECT.0, SUBJECT.1),
    ];
    let after = api
        .services
        .store
        .change_sync(caller.tenant, &events, |state| {
            state.phase = SyncPhase::Deactivated;
            state.due = None;
            true
        });
    after.await?;
    show::view_response(&api, &caller, None).await
}

/// Disconnects the directory sync and deletes its credentials.
///
/// No further run starts. Users, teams and the configuration remain unchanged.
#[utoipa::path(post, path = "/v1/sync/disconnect", tag = "Directory sync", request_body = Confirmation,
    responses((status = 200, description = "Disconnected", body = SyncView)))]
pub(crate) async fn disconnect(
    State(api): State<ApiState>,
    caller: Caller,
    body: JsonBody,
) -> Result<Response, ApiError> {
    let means = "confirm with true: the credentials are deleted and have to be entered again; users and teams remain unchanged";
    Confirmation::require(body, means)?;
    let found = model::find(&api, caller.tenant).await?.value;
    if found.phase == SyncPhase::Disconnected {
        return Err(ApiError::conflict(
            "not-connected",
            "The directory sync is already disconnected.",
        ));
    }
    let services = &api.services;
    let events = [
        AuditEvent::new(now(), caller.actor(), Action::SyncDisconnected).on(SUBJECT.0, SUBJECT.1),
    ];
    // The state is changed before the credentials are deleted, so that no run starts in
    // between.
    let after = services.store.change_sync(caller.tenant, &events, |state| {
        state.phase = SyncPhase::Disconnected;
        state.source = None;
        state.credentials += 1;
        state.edits += 1;
        state.pause = None;
        state.pending = None;
        state.due = None;
        true
    });
    after.await?;
    let forgotten = services.vault.forget_sync_credentials(caller.tenant).await;
    forgotten?;
    services
        .store
        .delete_checkpoint_pointer(caller.tenant)
        .await?;
    show::view_response(&api, &caller, None).await
}
