//! What saving a profile would do, and who is in its audience, on the data in use.

use axum::Json;
use axum::extract::State;
use chrono::{DateTime, Utc};
use rollcall_clients::store::{LeaseStamp, MAINTENANCE_LEASE};
use rollcall_domain::audience::lint::Warning;
use rollcall_domain::audience::profile::Profile;
use rollcall_domain::base::ids::{ProfileId, SnapshotId, TenantId};
use rollcall_domain::membership::preview::{Entry, List, Preview};
use rollcall_runtime::auth::Caller;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::VersionedProfile;
use super::evaluation::Evaluation;
use super::input::Documented;
use crate::body::JsonBody;
use crate::error::ApiError;
use crate::extract::{InPath, InQuery};
use crate::{ApiState, now};

/// A draft to look ahead with.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[expect(
    dead_code,
    reason = "its fields are read one by one, to tell every problem; this documents them"
)]
struct DraftInput {
    /// The profile as it would be saved.
    profile: Documented,
    /// The saved profile it would replace; a new one without.
    id: Option<ProfileId>,
    /// Whom to list; those who would join without.
    list: Option<List>,
    /// Only people with these words in name or mail address.
    search: Option<String>,
    /// Most people on a page: 1 to 200, 50 without.
    limit: Option<u32>,
    /// Where the page before ended.
    cursor: Option<String>,
}

/// Whom a preview lists.
#[derive(Debug, Clone, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct PreviewQuery {
    /// Whom to list; those who would join without.
    pub(crate) list: Option<List>,
    /// Only people with these words in name or mail address.
    pub(crate) search: Option<String>,
    /// Most people on a page: 1 to 200, 50 without.
    pub(crate) limit: Option<u32>,
    /// Where the page before ended.
    pub(crate) cursor: Option<String>,
}

/// What would happen.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct PreviewView {
    /// The data it was computed from.
    snapshot: SnapshotId,
    /// When that was read.
    taken_at: DateTime<Utc>,
    /// The numbers.
    preview: Preview,
    /// Whether the next run would hold the change for a person, and why.
    #[serde(skip_serializing_if = "Option::is_none")]
    held_because: Option<String>,
    /// Why the group's members are not known, when they are not.
    #[serde(skip_serializing_if = "Option::is_none")]
    members_unknown_because: Option<String>,
    /// What the author should know.
    warnings: Vec<Warning>,
    /// The people asked for, by name.
    people: PeoplePage,
}

/// A page of people.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct PeoplePage {
    /// How many there are on all pages.
    pub(crate) total: usize,
    /// By name.
    pub(crate) items: Vec<Entry>,
    /// Where the next page begins; absent at the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) next_cursor: Option<String>,
}

/// Looks ahead with a draft that is not saved.
#[utoipa::path(post, path = "/v1/profiles/preview", tag = "Profiles", request_body = DraftInput,
    responses((status = 200, description = "What saving it would do", body = PreviewView)))]
pub(crate) async fn draft(
    State(api): State<ApiState>,
    caller: Caller,
    mut form: JsonBody,
) -> Result<Json<PreviewView>, ApiError> {
    let wanted = PreviewQuery {
        list: form.optional("list"),
        search: form.optional("search"),
        limit: form.optional("limit"),
        cursor: form.optional("cursor"),
    };
    let id = form.optional::<ProfileId>("id");
    let profile = form.part("profile");
    form.finish()?;
    let stamp = api.unlocked(caller.tenant).await?;
    let before = match id {
        Some(id) => Some(api.profile(caller.tenant, id).await?),
        None => None,
    };
    let data = api.data(caller.tenant).await?;
    let at = now();
    let id = id.unwrap_or(ProfileId::new(Uuid::new_v4()));
    let make = |input: super::input::ProfileInput| {
        input.into_profile(
            id,
            before.as_ref().map(|read| &read.profile),
            at,
            &caller.name,
        )
    };
    let (profile, _) = api.checked(caller.tenant, &data, profile, make).await?;
    let ahead = Evaluation {
        api: &api,
        tenant: caller.tenant,
        data,
        at,
    };
    let view = ahead.look(&profile, before.as_ref(), &wanted).await?;
    api.still_unlocked(caller.tenant, stamp).await?;
    Ok(Json(view))
}

/// Looks ahead with a profile as it is saved.
#[utoipa::path(get, path = "/v1/profiles/{id}/preview", tag = "Profiles",
    params(("id" = ProfileId, Path, description = "The profile"), PreviewQuery),
    responses((status = 200, description = "What the next run would do", body = PreviewView)))]
pub(crate) async fn saved(
    State(api): State<ApiState>,
    caller: Caller,
    InPath(id): InPath<ProfileId>,
    InQuery(wanted): InQuery<PreviewQuery>,
) -> Result<Json<PreviewView>, ApiError> {
    let stamp = api.unlocked(caller.tenant).await?;
    let read = api.profile(caller.tenant, id).await?;
    let data = api.data(caller.tenant).await?;
    let ahead = Evaluation {
        api: &api,
        tenant: caller.tenant,
        data,
        at: now(),
    };
    let view = ahead.look(&read.profile, Some(&read), &wanted).await?;
    api.still_unlocked(caller.tenant, stamp).await?;
    Ok(Json(view))
}

impl ApiState {
    /// Lists of members are not given out while maintenance works (S4-113): says
    /// so now, and gives what [`Api::still_unlocked`] compares with in the end.
    pub(crate) async fn unlocked(&self, tenant: TenantId) -> Result<LeaseStamp, ApiError> {
        let store = &self.services.store;
        let stamp = store.lease_stamp(tenant, MAINTENANCE_LEASE).await;
        let stamp = stamp?;
        if stamp.held {
            Err(ApiError::Locked)
        } else {
            Ok(stamp)
        }
    }

    /// Whether maintenance neither works now nor has begun since: what was read
    /// in between was not half changed.
    pub(crate) async fn still_unlocked(
        &self,
        tenant: TenantId,
        since: LeaseStamp,
    ) -> Result<(), ApiError> {
        if self.unlocked(tenant).await? == since {
            Ok(())
        } else {
            Err(ApiError::Locked)
        }
    }
}

impl Evaluation<'_> {
    async fn look(
        &self,
        profile: &Profile,
        before: Option<&VersionedProfile>,
        wanted: &PreviewQuery,
    ) -> Result<PreviewView, ApiError> {
        let known = self.api.needed(self.tenant, profile).await?;
        let (now, taken) = self.now(before).await?;
        let outlook = self.outlook(profile, &known, now.as_ref().ok(), &taken)?;
        let mut preview = outlook.preview().clone();
        let held_because = preview.hold.as_ref().map(ToString::to_string);
        // Without auto-populate a run leaves the members alone (S4-051, S4-053).
        if !profile.auto_populate {
            preview.joins = preview.joins.map(|_| 0);
            preview.leaves = preview.leaves.map(|_| 0);
            preview.hold = None;
        }
        Ok(PreviewView {
            snapshot: self.data.pointer.id.clone(),
            taken_at: self.data.pointer.taken_at,
            held_because: held_because.filter(|_| profile.auto_populate),
            members_unknown_because: now.err().map(|error| error.to_string()),
            warnings: self
                .api
                .warnings(self.tenant, &self.data, profile, self.at)
                .await?,
            people: self.people(&outlook, wanted.list.unwrap_or(List::Joins), wanted)?,
            preview,
        })
    }
}
