//! A profile's audience as a list, and the Excel file of the last run.

use std::time::Duration;

use axum::Json;
use axum::extract::State;
use chrono::{DateTime, TimeDelta, Utc};
use rollcall_clients::objects::ObjectError;
use rollcall_domain::base::audit::{Action, AuditEvent};
use rollcall_domain::base::ids::{ProfileId, SnapshotId};
use rollcall_domain::base::throttle::Limits;
use rollcall_domain::membership::preview::List;
use rollcall_runtime::auth::Caller;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::evaluation::Evaluation;
use super::people::{self, PeoplePage, PeopleQuery};
use super::{lock, model, validation};
use crate::cache::snapshots;
use crate::error::ApiError;
use crate::extract::{InPath, InQuery};
use crate::state::{ApiState, now};

/// The lifetime of a workbook's download address.
const LIFETIME: Duration = Duration::from_mins(2);

/// The query of the audience.
#[derive(Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct MemberQuery {
    /// Only learners with these words in the name or e-mail address.
    search: Option<String>,
    /// The maximum number of learners on a page, 1 to 200. Default: 50.
    limit: Option<u32>,
    /// The `nextCursor` of the previous page.
    cursor: Option<String>,
}

/// The audience of a profile.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct MemberView {
    /// The snapshot from which it was computed.
    snapshot: SnapshotId,
    /// The time of the snapshot.
    taken_at: DateTime<Utc>,
    /// The learners, by name.
    people: PeoplePage,
}

/// Lists the audience of a profile on the current snapshot.
#[utoipa::path(get, path = "/v1/profiles/{id}/members", tag = "Profiles",
    params(("id" = ProfileId, Path, description = "The profile"), MemberQuery),
    responses((status = 200, description = "A page of the audience", body = MemberView)))]
pub(crate) async fn list(
    State(api): State<ApiState>,
    caller: Caller,
    InPath(id): InPath<ProfileId>,
    InQuery(query): InQuery<MemberQuery>,
) -> Result<Json<MemberView>, ApiError> {
    let stamp = lock::unlocked(&api, caller.tenant).await?;
    let profile = model::find(&api, caller.tenant, id).await?.profile;
    let data = snapshots::current(&api, caller.tenant).await?;
    let known = validation::needed_profiles(&api, caller.tenant, &profile).await?;
    let evaluation = Evaluation {
        api: &api,
        tenant: caller.tenant,
        data,
        at: now(),
    };
    let result = evaluation.result(&profile, &known, None, &profile.courses, &Limits::default())?;
    let wanted = PeopleQuery {
        search: query.search.as_deref(),
        limit: query.limit,
        cursor: query.cursor.as_deref(),
    };
    let view = MemberView {
        snapshot: evaluation.data.pointer.id.clone(),
        taken_at: evaluation.data.pointer.taken_at,
        people: people::page(&evaluation.data, &result, List::Members, &wanted)?,
    };
    lock::still_unlocked(&api, caller.tenant, stamp).await?;
    Ok(Json(view))
}

/// A workbook to download.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Download {
    /// The address. It works without a token, so do not store it.
    url: String,
    /// When the address expires.
    expires_at: DateTime<Utc>,
    /// The file name to save it as.
    file_name: String,
}

/// Returns the address of the Excel list of the last run (S4-041, S4-128).
///
/// The address is valid for two minutes. The download is recorded in the audit log.
#[utoipa::path(get, path = "/v1/profiles/{id}/members.xlsx", tag = "Profiles",
    params(("id" = ProfileId, Path, description = "The profile")),
    responses((status = 200, description = "The download address", body = Download)))]
pub(crate) async fn workbook(
    State(api): State<ApiState>,
    caller: Caller,
    InPath(id): InPath<ProfileId>,
) -> Result<Json<Download>, ApiError> {
    let read = model::find(&api, caller.tenant, id).await?;
    let store = &api.services.store;
    let states = store.profile_states_of(caller.tenant, [id]).await;
    let state = states?.remove(&id).unwrap_or_default();
    let key = state.members_file.ok_or_else(no_file)?;
    let at = now();
    let event = AuditEvent::new(at, caller.actor(), Action::MembersDownloaded);
    let event = event.on(id, &read.profile.title);
    // The free lock is a condition of this transaction (S4-113), so an address is returned
    // only if maintenance was not running when it was requested.
    store.record_unless_locked(caller.tenant, &event).await?;
    let file_name = format!("{}.xlsx", read.profile.title);
    let url = api
        .services
        .objects
        .download_url(&key, &file_name, LIFETIME);
    let url = url.await.map_err(|error| match error {
        ObjectError::Missing(_) => no_file(),
        ObjectError::Service(_) => error.into(),
    })?;
    Ok(Json(Download {
        url,
        expires_at: at + TimeDelta::from_std(LIFETIME).unwrap_or_default(),
        file_name,
    }))
}

fn no_file() -> ApiError {
    let detail = "No run has created the member list of this profile yet; the next one will.";
    ApiError::not_found("no-list", detail)
}
