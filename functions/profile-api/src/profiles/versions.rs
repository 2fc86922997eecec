//! Every version a profile had, and who made it.

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

/// Which versions.
#[derive(Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct VersionQuery {
    /// Most versions on a page: 1 to 200, 50 without.
    limit: Option<u32>,
    /// Where the page before ended.
    cursor: Option<String>,
}

/// One version.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct VersionItem {
    /// Its number; the first is 1.
    version: u64,
    /// Its title.
    title: String,
    /// When a person last changed it.
    modified_at: DateTime<Utc>,
    /// Who.
    modified_by: String,
    /// Fields in which it differs from the version before it on this page.
    changed: Vec<String>,
}

/// A page of versions.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct VersionPage {
    /// Newest first.
    items: Vec<VersionItem>,
    /// Where the next page begins; absent at the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<String>,
}

/// A profile's versions, newest first. They are kept two years.
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
    // A deletion leaves the profile as it was, its last change included.
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

/// Fields that differ; a deletion or its end by its name.
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

/// A profile as it was in a version.
#[utoipa::path(get, path = "/v1/profiles/{id}/versions/{version}", tag = "Profiles",
    params(("id" = ProfileId, Path, description = "The profile"),
        ("version" = u64, Path, description = "The version's number")),
    responses((status = 200, description = "The profile as it was; how it stands is of today", body = ProfileView)))]
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
