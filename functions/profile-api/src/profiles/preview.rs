//! Previews: the changes that saving a profile would cause, and its audience.

use axum::Json;
use axum::extract::State;
use chrono::{DateTime, Utc};
use rollcall_domain::audience::lint::Warning;
use rollcall_domain::audience::profile::Profile;
use rollcall_domain::base::ids::{ProfileId, SnapshotId};
use rollcall_domain::membership::preview::{List, Preview};
use rollcall_runtime::auth::Caller;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::evaluation::Evaluation;
use super::input::ProfileInput;
use super::model::VersionedProfile;
use super::people::{self, PeoplePage, PeopleQuery};
use super::{lock, model, validation};
use crate::body::JsonBody;
use crate::cache::snapshots;
use crate::error::ApiError;
use crate::extract::{InPath, InQuery};
use crate::state::{ApiState, now};

/// A draft to preview.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct DraftInput {
    /// The profile as it would be saved.
    #[schema(value_type = ProfileInput)]
    profile: Map<String, Value>,
    /// The id of the profile it would replace. Default: a new profile.
    id: Option<ProfileId>,
    /// The users to list. Default: those who would join.
    list: Option<List>,
    /// Only users with these words in the name or e-mail address.
    search: Option<String>,
    /// The maximum number of users on a page, 1 to 200. Default: 50.
    limit: Option<u32>,
    /// The `nextCursor` of the previous page.
    cursor: Option<String>,
}

impl DraftInput {
    fn read(mut body: JsonBody) -> Result<Self, ApiError> {
        let input = Self {
            list: body.optional("list"),
            search: body.optional("search"),
            limit: body.optional("limit"),
            cursor: body.optional("cursor"),
            id: body.optional("id"),
            profile: body.object("profile"),
        };
        body.complete(Some(input))
    }
}

/// The list of users in a preview.
#[derive(Debug, Clone, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct PreviewQuery {
    /// The users to list. Default: those who would join.
    list: Option<List>,
    /// Only users with these words in the name or e-mail address.
    search: Option<String>,
    /// The maximum number of users on a page, 1 to 200. Default: 50.
    limit: Option<u32>,
    /// The `nextCursor` of the previous page.
    cursor: Option<String>,
}

/// A preview.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct PreviewView {
    /// The snapshot from which it was computed.
    snapshot: SnapshotId,
    /// The time of the snapshot.
    taken_at: DateTime<Utc>,
    /// The numbers of users and courses.
    preview: Preview,
    /// Why the next run would hold the change; absent if it would not.
    #[serde(skip_serializing_if = "Option::is_none")]
    held_because: Option<String>,
    /// Why the current members are unknown; absent if they are known.
    #[serde(skip_serializing_if = "Option::is_none")]
    members_unknown_because: Option<String>,
    /// Warnings about the profile.
    warnings: Vec<Warning>,
    /// The requested list, by name.
    people: PeoplePage,
}

/// Previews a draft without saving it.
#[utoipa::path(post, path = "/v1/profiles/preview", tag = "Profiles", request_body = DraftInput,
    responses((status = 200, description = "The changes that saving it would cause", body = PreviewView)))]
pub(crate) async fn draft(
    State(api): State<ApiState>,
    caller: Caller,
    body: JsonBody,
) -> Result<Json<PreviewView>, ApiError> {
    let draft = DraftInput::read(body)?;
    let wanted = PreviewQuery {
        list: draft.list,
        search: draft.search,
        limit: draft.limit,
        cursor: draft.cursor,
    };
    let profile = JsonBody::document(draft.profile);
    let stamp = lock::unlocked(&api, caller.tenant).await?;
    let before = match draft.id {
        Some(id) => Some(model::find(&api, caller.tenant, id).await?),
        None => None,
    };
    let data = snapshots::current(&api, caller.tenant).await?;
    let at = now();
    let id = draft.id.unwrap_or(ProfileId::new(Uuid::new_v4()));
    let stored = before.as_ref().map(|read| &read.profile);
    let make = |input: ProfileInput| input.into_profile(id, stored, at, &caller.name);
    let (profile, _) =
        validation::validated(&api, caller.tenant, &data, profile, stored, make).await?;
    let evaluation = Evaluation {
        api: &api,
        tenant: caller.tenant,
        data,
        at,
    };
    let view = evaluation
        .preview(&profile, before.as_ref(), &wanted)
        .await?;
    lock::still_unlocked(&api, caller.tenant, stamp).await?;
    Ok(Json(view))
}

/// Previews the next run for a saved profile.
#[utoipa::path(get, path = "/v1/profiles/{id}/preview", tag = "Profiles",
    params(("id" = ProfileId, Path, description = "The profile"), PreviewQuery),
    responses((status = 200, description = "The changes that the next run would make", body = PreviewView)))]
pub(crate) async fn saved(
    State(api): State<ApiState>,
    caller: Caller,
    InPath(id): InPath<ProfileId>,
    InQuery(wanted): InQuery<PreviewQuery>,
) -> Result<Json<PreviewView>, ApiError> {
    let stamp = lock::unlocked(&api, caller.tenant).await?;
    let read = model::find(&api, caller.tenant, id).await?;
    let data = snapshots::current(&api, caller.tenant).await?;
    let evaluation = Evaluation {
        api: &api,
        tenant: caller.tenant,
        data,
        at: now(),
    };
    let view = evaluation
        .preview(&read.profile, Some(&read), &wanted)
        .await?;
    lock::still_unlocked(&api, caller.tenant, stamp).await?;
    Ok(Json(view))
}

impl Evaluation<'_> {
    async fn preview(
        &self,
        profile: &Profile,
        before: Option<&VersionedProfile>,
        wanted: &PreviewQuery,
    ) -> Result<PreviewView, ApiError> {
        let known = validation::needed_profiles(self.api, self.tenant, profile).await?;
        let now = self.now(before).await?;
        let limits = self.limits(profile, &now).await?;
        let members = now.members.as_ref().ok();
        let result = self.result(profile, &known, members, &now.courses, &limits)?;
        let people = PeopleQuery {
            search: wanted.search.as_deref(),
            limit: wanted.limit,
            cursor: wanted.cursor.as_deref(),
        };
        let mut preview = result.preview().clone();
        let held_because = preview.hold.as_ref().map(ToString::to_string);
        // Without auto-populate a run does not change the members (S4-051, S4-053).
        if !profile.auto_populate {
            preview.joins = preview.joins.map(|_| 0);
            preview.leaves = preview.leaves.map(|_| 0);
            preview.hold = None;
        }
        Ok(PreviewView {
            snapshot: self.data.pointer.id.clone(),
            taken_at: self.data.pointer.taken_at,
            held_because: held_because.filter(|_| profile.auto_populate),
            members_unknown_because: now.members.err().map(|error| error.to_string()),
            warnings: validation::warnings_of(self.api, self.tenant, &self.data, profile, self.at)
                .await?,
            people: people::page(
                &self.data,
                &result,
                wanted.list.unwrap_or(List::Joins),
                &people,
            )?,
            preview,
        })
    }
}
