//! Starts jobs manually (C-34).

use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::LOCATION;
use axum::response::{IntoResponse, Response};
use chrono::TimeDelta;
use rollcall_domain::base::audit::{Action, AuditEvent};
use rollcall_domain::base::run::Trigger;
use rollcall_domain::base::schedule::{Job, Slot};
use rollcall_runtime::ProblemDetails;
use rollcall_runtime::auth::Caller;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::id;
use crate::body::JsonBody;
use crate::error::ApiError;
use crate::settings::model::tenant;
use crate::state::{ApiState, now};

/// The minimum time between two manual starts of a job, because each run reads everything.
const PAUSE: Duration = Duration::from_mins(1);

/// A job to start.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct RunInput {
    /// The job.
    job: Job,
    /// True to accept, in this refresh only, data that has shrunk suspiciously.
    #[serde(default)]
    accept_smaller_data: bool,
}

impl RunInput {
    fn read(mut body: JsonBody) -> Result<Self, ApiError> {
        let job = body.required::<Job>("job");
        let accept_smaller_data = body.or_default::<bool>("acceptSmallerData");
        if accept_smaller_data && job.is_some_and(|job| job != Job::Refresh) {
            body.problem("/acceptSmallerData", "is only allowed for a refresh");
        }
        if job == Some(Job::DirectorySync) {
            body.problem(
                "/job",
                "the directory sync is started with POST /v1/sync/runs",
            );
        }
        body.complete(job.map(|job| Self {
            job,
            accept_smaller_data,
        }))
    }
}

/// A requested run.
#[derive(Serialize, ToSchema)]
pub(crate) struct Asked {
    /// The id; the run has a record as soon as it starts.
    pub(crate) id: String,
}

/// Starts a job.
///
/// The run starts within seconds, or when the current run has ended.
#[utoipa::path(post, path = "/v1/runs", tag = "Runs", request_body = RunInput,
    responses((status = 202, description = "Requested; the header Location contains the path of the run", body = Asked)))]
pub(crate) async fn start(
    State(api): State<ApiState>,
    caller: Caller,
    body: JsonBody,
) -> Result<Response, ApiError> {
    let RunInput {
        job,
        accept_smaller_data,
    } = RunInput::read(body)?;
    let first = api.services.store.claim_start(caller.tenant, job, PAUSE);
    if let Some(left) = first.await? {
        let detail = "This job was started manually less than a minute ago; check its run first.";
        return Err(started_already(detail, left));
    }
    let id = start_manual_run(&api, &caller, job, accept_smaller_data).await?;
    Ok(accepted(id))
}

/// Returns a 429: a run was started manually less than a minute ago.
pub(crate) fn started_already(detail: &str, left: TimeDelta) -> ApiError {
    let left = u64::try_from(left.num_seconds()).unwrap_or(0) + 1;
    let refused = ProblemDetails::new(StatusCode::TOO_MANY_REQUESTS, detail);
    refused.of_kind("started-already").after(left).into()
}

/// Returns the response for a requested run.
pub(crate) fn accepted(id: String) -> Response {
    let location = [(LOCATION, format!("/v1/runs/{id}"))];
    (StatusCode::ACCEPTED, location, Json(Asked { id })).into_response()
}

/// Requests a manual run in the name of the caller and returns its id.
pub(crate) async fn start_manual_run(
    api: &ApiState,
    caller: &Caller,
    job: Job,
    accept_smaller_data: bool,
) -> Result<String, ApiError> {
    let tenant = tenant(api, caller.tenant).await?;
    let trigger = Trigger::Manual {
        by: caller.name.clone(),
        user: Some(caller.object),
        display_name: caller.display_name.clone(),
        accept_smaller_data,
    };
    let slot = Slot::by_hand(now());
    let id = id(job, slot);
    let event = AuditEvent::new(now(), caller.actor(), Action::RunStarted).on(&id, job.name());
    let event = event.with(
        "acceptSmallerData",
        if accept_smaller_data { "yes" } else { "" },
    );
    api.services.store.record(caller.tenant, &event).await?;
    // The event is recorded before the run is queued: an event without a run is better than a run
    // without an event.
    let request = api
        .services
        .enqueue_run_at(&tenant, job, slot, trigger)
        .await;
    request?;
    Ok(id)
}
