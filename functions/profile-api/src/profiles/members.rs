//! A profile's audience as a list, and the Excel file the last run made of it.

use std::time::Duration;

use axum::Json;
use axum::extract::State;
use chrono::{DateTime, TimeDelta, Utc};
use rollcall_clients::objects::ObjectError;
use rollcall_domain::base::audit::{Action, AuditEvent};
use rollcall_domain::base::ids::{ProfileId, SnapshotId};
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

/// An address of a workbook works so long.
const LIFETIME: Duration = Duration::from_mins(2);

/// Which members.
#[derive(Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct MemberQuery {
    /// Only people with these words in name or mail address.
    search: Option<String>,
    /// Most people on a page: 1 to 200, 50 without.
    limit: Option<u32>,
    /// Where the page before ended.
    cursor: Option<String>,
}

/// The audience of a profile.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct MemberView {
    /// The data it was computed from.
    snapshot: SnapshotId,
    /// When that was read.
    taken_at: DateTime<Utc>,
    /// The people, by name.
    people: PeoplePage,
}

/// Who is in a profile's audience, by the data in use.
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
    let result = evaluation.result(&profile, &known, None, &profile.courses)?;
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

/// Where a workbook can be downloaded.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Download {
    /// The address; whoever has it needs no token, so do not keep it.
    url: String,
    /// Until when it works.
    expires_at: DateTime<Utc>,
    /// The name the file is saved under.
    file_name: String,
}

/// An address, good for two minutes, at which the Excel list of the last run can
/// be downloaded (S4-041, S4-128). The download is audited.
#[utoipa::path(get, path = "/v1/profiles/{id}/members.xlsx", tag = "Profiles",
    params(("id" = ProfileId, Path, description = "The profile")),
    responses((status = 200, description = "Where to download it", body = Download)))]
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
    // The lock is a condition of the event's own transaction (S4-113): an address
    // that is given out was asked for before maintenance began.
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
    let detail = "No run has made a list of this profile's members yet; the next one does.";
    ApiError::not_found("no-list", detail)
}
