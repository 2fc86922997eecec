//! The versions of a profile.

use axum::Json;
use axum::extract::State;
use chrono::{DateTime, Utc};
use rollcall_clients::store::versions::ProfileVersion;
use rollcall_domain::audience::profile::{Lifecycle, Profile};
use rollcall_domain::base::audit::changed_fields;
use rollcall_domain::base::ids::ProfileId;
use rollcall_runtime::auth::Caller;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::model;
use super::model::VersionedProfile;
use super::view::ProfileView;
use crate::error::ApiError;
use crate::extract::{InPath, InQuery, from_cursor, page_size, to_cursor};
use crate::state::ApiState;

/// The query of the list of versions.
#[derive(Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct VersionQuery {
    /// The maximum number of versions on a page, 1 to 200. Default: 50.
    limit: Option<u32>,
    /// The `nextCursor` of the previous page.
    cursor: Option<String>,
}

/// A version of a profile.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct VersionItem {
    /// The number; the first version is 1.
    version: u64,
    /// The title.
    title: String,
    /// When an administrator last changed it.
    modified_at: DateTime<Utc>,
    /// The name of that administrator.
    modified_by: String,
    /// The fields that differ from the previous version; empty for the last entry of a page.
    changed: Vec<String>,
}

/// A page of versions.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct VersionPage {
    /// The versions, newest first.
    items: Vec<VersionItem>,
    /// The cursor of the next page; absent on the last page.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<String>,
}

/// Lists the versions of a profile, newest first.
///
/// Versions are stored for two years.
#[utoipa::path(get, path = "/v1/profiles/{id}/versions", tag = "Profiles",
    params(("id" = ProfileId, Path, description = "The profile"), VersionQuery),
    responses((status = 200, description = "A page of versions, newest first", body = VersionPage)))]
pub(crate) async fn list(
    State(api): State<ApiState>,
    caller: Caller,
    InPath(id): InPath<ProfileId>,
    InQuery(query): InQuery<VersionQuery>,
) -> Result<Json<VersionPage>, ApiError> {
    model::find(&api, caller.tenant, id).await?;
    let after = query.cursor.as_deref().map(from_cursor).transpose()?;
    let limit = page_size(query.limit);
    let store = &api.services.store;
    let page = store.version_page(caller.tenant, id, after.as_deref(), limit);
    let page = page.await?;
    let before = page.items.iter().skip(1).map(Some).chain([None]);
    let items = page.items.iter().zip(before);
    Ok(Json(VersionPage {
        items: items
            .map(|(version, before)| item(version, before))
            .collect(),
        next_cursor: page.next.as_deref().map(to_cursor),
    }))
}

fn item(version: &ProfileVersion, before: Option<&ProfileVersion>) -> VersionItem {
    let profile = &version.profile;
    let changed = before.map(|before| differences(&before.profile, profile));
    // A deletion does not change the modification time of the profile.
    let (modified_at, modified_by) = match &profile.lifecycle {
        Lifecycle::Deleted { at, by, .. } => (*at, by.clone()),
        Lifecycle::Active => (profile.modified_at, profile.modified_by.clone()),
    };
    VersionItem {
        version: version.version,
        title: profile.title.clone(),
        modified_at,
        modified_by,
        changed: changed.unwrap_or_default(),
    }
}

/// Returns the names of changed fields. A deletion is `deleted`, a restoration `restored`, and the
/// completion of a deletion by a run `deletionHandled`.
pub(crate) fn differences(before: &Profile, after: &Profile) -> Vec<String> {
    let mut fields = changed_fields(before, after);
    fields.retain(|field| !field.starts_with("modified"));
    for field in fields.iter_mut().filter(|field| *field == "lifecycle") {
        let name = match (before.is_deleted(), after.is_deleted()) {
            (false, true) => "deleted",
            (true, false) => "restored",
            _ => "deletionHandled",
        };
        name.clone_into(field);
    }
    fields
}

/// Returns a version of a profile.
#[utoipa::path(get, path = "/v1/profiles/{id}/versions/{version}", tag = "Profiles",
    params(("id" = ProfileId, Path, description = "The profile"),
        ("version" = u64, Path, description = "The version's number")),
    responses((status = 200, description = "The profile at that version, with its current status", body = ProfileView)))]
pub(crate) async fn show(
    State(api): State<ApiState>,
    caller: Caller,
    InPath((id, version)): InPath<(ProfileId, u64)>,
) -> Result<Json<ProfileView>, ApiError> {
    let found = api
        .services
        .store
        .profile_version(caller.tenant, id, version);
    let profile = found.await?.ok_or(ApiError::Missing)?;
    let read = VersionedProfile { profile, version };
    let status = model::profile_status(&api, caller.tenant, &read).await?;
    Ok(Json(ProfileView::of(read.profile, version, status)))
}
