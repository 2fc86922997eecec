//! Held changes: reads, approves and discards them (S4-063).

use axum::Json;
use axum::extract::State;
use axum::response::Response;
use chrono::{DateTime, Utc};
use rollcall_clients::store::StoreError;
use rollcall_domain::base::audit::{Action, AuditEvent};
use rollcall_domain::base::ids::{ProfileId, SnapshotId};
use rollcall_domain::base::schedule::Job;
use rollcall_domain::base::throttle::Exceeded;
use rollcall_domain::membership::hold::{Hold, HoldState};
use rollcall_domain::membership::plan::PlanHash;
use rollcall_runtime::auth::Caller;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::model;
use crate::body::JsonBody;
use crate::error::ApiError;
use crate::extract::InPath;
use crate::runs::start::{accepted, start_manual_run};
use crate::state::{ApiState, now};

/// The maximum length of a reason in characters.
const MAX_WHY: usize = 500;

/// A held change.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct HoldView {
    /// The hash of the change, required for a decision.
    hash: PlanHash,
    /// The snapshot from which it was computed.
    snapshot: SnapshotId,
    /// Since when exactly this change is held.
    since: DateTime<Utc>,
    /// The exceeded limit, as a text.
    reason: String,
    /// The exceeded limit.
    exceeded: Exceeded,
    /// The number of users who would join.
    adds: usize,
    /// The number of users who would leave.
    removes: usize,
    /// The administrator's decision.
    state: HoldState,
}

impl From<Hold> for HoldView {
    fn from(hold: Hold) -> Self {
        Self {
            reason: hold.exceeded.to_string(),
            hash: hold.hash,
            snapshot: hold.snapshot,
            since: hold.since,
            exceeded: hold.exceeded,
            adds: hold.adds,
            removes: hold.removes,
            state: hold.state,
        }
    }
}

/// Returns the held change of a profile; 404 if there is none.
#[utoipa::path(get, path = "/v1/profiles/{id}/hold", tag = "Holds",
    params(("id" = ProfileId, Path, description = "The profile")),
    responses((status = 200, description = "The held change", body = HoldView)))]
pub(crate) async fn show(
    State(api): State<ApiState>,
    caller: Caller,
    InPath(id): InPath<ProfileId>,
) -> Result<Json<HoldView>, ApiError> {
    let hold = api.services.store.hold(caller.tenant, id).await;
    if let Some(hold) = hold? {
        return Ok(Json(hold.into()));
    }
    model::find(&api, caller.tenant, id).await?;
    Err(nothing_held())
}

/// A decision on a held change.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct DecisionInput {
    /// The hash of the change as it was displayed.
    #[schema(value_type = String)]
    hash: PlanHash,
    /// The reason, at most 500 characters; it is stored in the audit log.
    why: String,
}

impl DecisionInput {
    fn read(mut body: JsonBody) -> Result<Self, ApiError> {
        let hash = body.required("hash");
        let why = body.required::<String>("why");
        if let Some(problem) = why.as_deref().and_then(wrong_reason) {
            body.problem("/why", problem);
        }
        body.complete(hash.zip(why).map(|(hash, why)| Self { hash, why }))
    }
}

/// Approves a held change.
///
/// A run starts, plans again, and applies the change if it is still the same.
#[utoipa::path(post, path = "/v1/profiles/{id}/hold/approve", tag = "Holds", request_body = DecisionInput,
    params(("id" = ProfileId, Path, description = "The profile")),
    responses((status = 202, description = "Approved; the header Location contains the path of the run that applies it", body = crate::runs::start::Asked)))]
pub(crate) async fn approve(
    State(api): State<ApiState>,
    caller: Caller,
    InPath(id): InPath<ProfileId>,
    body: JsonBody,
) -> Result<Response, ApiError> {
    decide(&api, &caller, id, body, true).await?;
    let run = start_manual_run(&api, &caller, Job::Membership, false).await?;
    Ok(accepted(run))
}

/// Discards a held change.
///
/// It remains held without further e-mail until the change is a different one.
#[utoipa::path(post, path = "/v1/profiles/{id}/hold/discard", tag = "Holds", request_body = DecisionInput,
    params(("id" = ProfileId, Path, description = "The profile")),
    responses((status = 200, description = "Discarded", body = HoldView)))]
pub(crate) async fn discard(
    State(api): State<ApiState>,
    caller: Caller,
    InPath(id): InPath<ProfileId>,
    body: JsonBody,
) -> Result<Json<HoldView>, ApiError> {
    decide(&api, &caller, id, body, false).await.map(Json)
}

async fn decide(
    api: &ApiState,
    caller: &Caller,
    id: ProfileId,
    body: JsonBody,
    approve: bool,
) -> Result<HoldView, ApiError> {
    let DecisionInput { hash, why } = DecisionInput::read(body)?;
    let read = model::find(api, caller.tenant, id).await?;
    let (at, by) = (now(), caller.name.clone());
    let because = why.clone();
    let (action, state) = if approve {
        (
            Action::HoldApproved,
            HoldState::Approved {
                by,
                at,
                why: because,
            },
        )
    } else {
        (
            Action::HoldDiscarded,
            HoldState::Discarded {
                by,
                at,
                why: because,
            },
        )
    };
    let event = AuditEvent::new(at, caller.actor(), action)
        .on(id, &read.profile.title)
        .with("why", why)
        .with("hash", &hash);
    let store = &api.services.store;
    let decided = store.decide_hold(caller.tenant, id, &hash, state, Some(&event));
    decided.await.map_err(|error| match error {
        StoreError::Conflict => changed(),
        other => other.into(),
    })?;
    let hold = store.hold(caller.tenant, id).await?;
    hold.map(HoldView::from).ok_or_else(changed)
}

fn wrong_reason(why: &str) -> Option<String> {
    let length = why.trim().chars().count();
    let wrong = length == 0 || length > MAX_WHY || why.chars().any(char::is_control);
    wrong.then(|| {
        format!("a reason of at most {MAX_WHY} characters is required, without control characters")
    })
}

fn nothing_held() -> ApiError {
    let detail = "No change of this profile is held.";
    ApiError::not_found("no-hold", detail)
}

/// Returns the error for a decision on a change that is no longer the held one.
fn changed() -> ApiError {
    let detail = "The held change is a different one now, because data or rules have changed; read it again before you decide.";
    ApiError::conflict("hold-changed", detail)
}
