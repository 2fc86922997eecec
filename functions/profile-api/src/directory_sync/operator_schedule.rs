//! Sync times of a tenant that operators set: more often than once a day (S2-35).

use std::collections::BTreeSet;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use chrono_tz::Tz;
use rollcall_domain::base::audit::{Action, AuditEvent};
use rollcall_domain::base::ids::TenantId;
use rollcall_domain::base::problem::Problem;
use rollcall_domain::directory_sync::{Schedule, TimeOfDay};
use rollcall_runtime::auth::Caller;
use serde::Deserialize;
use utoipa::ToSchema;

use super::SUBJECT;
use crate::body::JsonBody;
use crate::error::ApiError;
use crate::extract::InPath;
use crate::state::{ApiState, now};

/// The times to set.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SyncTimesInput {
    /// Local times, such as `["00:00", "06:00", "12:00", "18:00"]`, at least 15 minutes apart.
    #[schema(value_type = Vec<String>)]
    times: BTreeSet<TimeOfDay>,
    /// The IANA time zone. Default: UTC.
    #[schema(value_type = Option<String>)]
    zone: Tz,
}

impl SyncTimesInput {
    fn read(mut body: JsonBody) -> Result<Self, ApiError> {
        let times = body.required("times");
        let zone = body.optional("zone").unwrap_or(Tz::UTC);
        body.complete(times.map(|times| Self { times, zone }))
    }
}

/// Sets the times of a tenant's directory sync.
///
/// They replace the time that its administrators chose. A sync with manual runs remains
/// manual.
#[utoipa::path(put, path = "/v1/operator/tenants/{tenant}/sync-times", tag = "Operator",
    params(("tenant" = TenantId, Path, description = "The Entra tenant")), request_body = SyncTimesInput,
    responses((status = 200, description = "The stored times", body = Schedule)))]
pub(crate) async fn set(
    State(api): State<ApiState>,
    caller: Caller,
    InPath(tenant): InPath<TenantId>,
    body: JsonBody,
) -> Result<Json<Schedule>, ApiError> {
    let SyncTimesInput { times, zone } = SyncTimesInput::read(body)?;
    let schedule = Schedule { times, zone };
    if let Some(problem) = schedule.problem() {
        return Err(Problem::at("/times", problem).into());
    }
    set_times(&api, &caller, tenant, Some(schedule.clone())).await?;
    Ok(Json(schedule))
}

/// Removes the times set by operators.
///
/// The time that the administrators chose applies again.
#[utoipa::path(delete, path = "/v1/operator/tenants/{tenant}/sync-times", tag = "Operator",
    params(("tenant" = TenantId, Path, description = "The Entra tenant")),
    responses((status = 204, description = "Removed")))]
pub(crate) async fn remove(
    State(api): State<ApiState>,
    caller: Caller,
    InPath(tenant): InPath<TenantId>,
) -> Result<StatusCode, ApiError> {
    set_times(&api, &caller, tenant, None).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn set_times(
    api: &ApiState,
    caller: &Caller,
    tenant: TenantId,
    times: Option<Schedule>,
) -> Result<(), ApiError> {
    let at = now();
    let texts = times
        .iter()
        .flat_map(|it| &it.times)
        .map(ToString::to_string);
    let texts: Vec<String> = texts.collect();
    let events = [AuditEvent::new(at, caller.actor(), Action::SyncScheduled)
        .on(SUBJECT.0, SUBJECT.1)
        .with("times", texts.join(" "))];
    let store = &api.services.store;
    let set = store.change_sync(tenant, &events, |state| {
        state.operator.clone_from(&times);
        state.reschedule(at);
        true
    });
    set.await?;
    Ok(())
}
