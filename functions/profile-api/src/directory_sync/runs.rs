//! Lists, reads and starts runs of the directory sync (S2-36…S2-43).

use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, LOCATION};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use chrono::TimeDelta;
use rollcall_domain::base::audit::{Action, AuditEvent};
use rollcall_domain::base::ids::ObjectId;
use rollcall_domain::base::run::Trigger;
use rollcall_domain::base::schedule::{Job, Slot};
use rollcall_domain::directory_sync::SyncPhase;
use rollcall_runtime::auth::Caller;
use serde::Deserialize;
use utoipa::IntoParams;

use super::guards::not_connected;
use super::model;
use super::run_view::{SyncRun, SyncRunPage, run_id};
use crate::error::ApiError;
use crate::extract::{InPath, InQuery, from_cursor, page_size, to_cursor};
use crate::runs::start::{Asked, started_already};
use crate::state::{ApiState, now};

/// The minimum time between two manual starts, because each run may read everything.
const PAUSE: Duration = Duration::from_mins(1);

/// The query of the list of runs.
#[derive(Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct SyncRunQuery {
    /// The maximum number of runs on a page, 1 to 200. Default: 50.
    limit: Option<u32>,
    /// The `nextCursor` of the previous page.
    cursor: Option<String>,
}

/// Lists all runs of the directory sync, newest first.
///
/// Records are stored for 90 days.
#[utoipa::path(get, path = "/v1/sync/runs", tag = "Directory sync", params(SyncRunQuery),
    responses((status = 200, description = "A page of runs, newest first", body = SyncRunPage)))]
pub(crate) async fn list(
    State(api): State<ApiState>,
    caller: Caller,
    InQuery(query): InQuery<SyncRunQuery>,
) -> Result<Json<SyncRunPage>, ApiError> {
    let after = query.cursor.as_deref().map(from_cursor).transpose()?;
    let limit = page_size(query.limit);
    let store = &api.services.store;
    let page = store.run_page(caller.tenant, Job::DirectorySync, after.as_deref(), limit);
    let page = page.await?;
    Ok(Json(SyncRunPage {
        items: page.items.into_iter().map(SyncRun::from).collect(),
        next_cursor: page.next.as_deref().map(to_cursor),
    }))
}

/// Returns a run of the directory sync.
#[utoipa::path(get, path = "/v1/sync/runs/{id}", tag = "Directory sync",
    params(("id" = String, Path, description = "The run's id")),
    responses((status = 200, description = "The run", body = SyncRun)))]
pub(crate) async fn show(
    State(api): State<ApiState>,
    caller: Caller,
    InPath(id): InPath<String>,
) -> Result<Json<SyncRun>, ApiError> {
    Ok(Json(model::find_run(&api, &caller, &id).await?.into()))
}

/// Returns the picture of the user who started the run; 404 if there is none.
#[utoipa::path(get, path = "/v1/sync/runs/{id}/photo", tag = "Directory sync",
    params(("id" = String, Path, description = "The run's id")),
    responses((status = 200, description = "The picture", content_type = "image/jpeg", body = Vec<u8>)))]
pub(crate) async fn photo(
    State(api): State<ApiState>,
    caller: Caller,
    InPath(id): InPath<String>,
) -> Result<Response, ApiError> {
    let run = model::find_run(&api, &caller, &id).await?;
    let Trigger::Manual {
        user: Some(user), ..
    } = run.request.trigger
    else {
        return Err(ApiError::Missing);
    };
    let found = picture_of(&api, &caller, user)
        .await?
        .ok_or(ApiError::Missing)?;
    let head = [
        (CONTENT_TYPE, found.media_type.as_str()),
        (CACHE_CONTROL, "private, max-age=3600"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    Ok((head, found.bytes).into_response())
}

/// Starts a run of the directory sync (C-34).
///
/// It compares both sides and applies or proposes the changes, as configured.
#[utoipa::path(post, path = "/v1/sync/runs", tag = "Directory sync",
    responses((status = 202, description = "Requested; the header Location contains the path of the run", body = Asked)))]
pub(crate) async fn start(
    State(api): State<ApiState>,
    caller: Caller,
) -> Result<Response, ApiError> {
    let state = model::find(&api, caller.tenant).await?.value;
    match state.phase {
        SyncPhase::Disconnected => return Err(not_connected()),
        SyncPhase::Deactivated => {
            return Err(ApiError::conflict(
                "not-active",
                "The directory sync is deactivated; activate it before you start a run.",
            ));
        }
        SyncPhase::Inactive | SyncPhase::Active if state.source.is_none() => {
            return Err(not_connected());
        }
        SyncPhase::Inactive | SyncPhase::Active => {}
    }
    let first = api
        .services
        .store
        .claim_start(caller.tenant, Job::DirectorySync, PAUSE);
    if let Some(left) = first.await? {
        let detail = "A run was started manually less than a minute ago; check it first.";
        return Err(started_already(detail, left));
    }
    let slot = start_manual_run(&api, &caller).await?;
    Ok(started(slot))
}

/// Returns the response for a requested run.
pub(super) fn started(slot: Slot) -> Response {
    let id = run_id(slot);
    let location = [(LOCATION, format!("/v1/sync/runs/{id}"))];
    (StatusCode::ACCEPTED, location, Json(Asked { id })).into_response()
}

/// Requests a manual run in the name of the caller and returns its unique slot.
pub(super) async fn start_manual_run(api: &ApiState, caller: &Caller) -> Result<Slot, ApiError> {
    let slot = free_slot(api, caller).await?;
    let trigger = Trigger::Manual {
        by: caller.name.clone(),
        user: Some(caller.object),
        display_name: caller.display_name.clone(),
        accept_smaller_data: false,
    };
    let event = AuditEvent::new(now(), caller.actor(), Action::RunStarted)
        .on(run_id(slot), Job::DirectorySync.name());
    let recorded = api.services.store.record(caller.tenant, &event).await;
    recorded?;
    let asked = api.services.run_sync(caller.tenant, slot, trigger).await;
    asked?;
    Ok(slot)
}

/// Returns the first second from now on that is not the slot of another run: a run that has
/// already begun would not apply a decision made now. Full minutes are reserved for scheduled
/// runs, so that no manual run is mistaken for one.
async fn free_slot(api: &ApiState, caller: &Caller) -> Result<Slot, ApiError> {
    let store = &api.services.store;
    let mut slot = Slot::by_hand(now());
    while slot == Slot::of_tick(slot.at())
        || store
            .run_at(caller.tenant, Job::DirectorySync, slot)
            .await?
            .is_some()
    {
        slot = Slot::by_hand(slot.at() + TimeDelta::seconds(1));
    }
    Ok(slot)
}

/// Returns the picture of a user, read with the connection of the sync.
async fn picture_of(
    api: &ApiState,
    caller: &Caller,
    user: ObjectId,
) -> Result<Option<rollcall_clients::graph::Picture>, ApiError> {
    let state = model::find(api, caller.tenant).await?.value;
    let credentials = model::credentials(api, caller.tenant).await?;
    let graph = api
        .services
        .sync_directory(caller.tenant, state.source.as_ref(), &credentials);
    let Ok(graph) = graph.await else {
        return Ok(None);
    };
    match graph.picture(user).await {
        Ok(found) => Ok(found),
        Err(error) if error.is_auth() => Ok(None),
        Err(error) => Err(ApiError::Picture(error)),
    }
}
