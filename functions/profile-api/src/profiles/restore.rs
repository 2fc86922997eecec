//! Restores deleted profiles and earlier versions of profiles.

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use rollcall_domain::audience::lifecycle;
use rollcall_domain::audience::profile::Profile;
use rollcall_domain::base::audit::{Action, AuditEvent};
use rollcall_domain::base::ids::ProfileId;
use rollcall_domain::base::problem::Problem;
use rollcall_runtime::auth::Caller;
use serde::Deserialize;
use utoipa::ToSchema;

use super::save::saved_response;
use super::validation::RequestedLists;
use super::{model, validation};
use crate::body::JsonBody;
use crate::cache::snapshots;
use crate::error::ApiError;
use crate::extract::{InPath, required_version};
use crate::state::{ApiState, now};

/// The version to restore.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct RestoreInput {
    /// The number of an earlier version to restore. Default: the last version of a deleted
    /// profile.
    version: Option<u64>,
}

impl RestoreInput {
    fn read(mut body: JsonBody) -> Result<Self, ApiError> {
        let version = body.optional("version");
        body.complete(Some(Self { version }))
    }
}

/// Restores a deleted profile (S4-139), or an earlier version of a profile.
///
/// The replaced content remains available as a version.
#[utoipa::path(post, path = "/v1/profiles/{id}/restore", tag = "Profiles", request_body = RestoreInput,
    params(("id" = ProfileId, Path, description = "The profile"),
        ("If-Match" = String, Header, description = "The ETag that was read")),
    responses((status = 200, description = "Restored", body = super::view::ProfileView, headers(("ETag" = String, description = "Its new version")))))]
pub(crate) async fn restore(
    State(api): State<ApiState>,
    caller: Caller,
    InPath(id): InPath<ProfileId>,
    headers: HeaderMap,
    body: JsonBody,
) -> Result<Response, ApiError> {
    let RestoreInput { version } = RestoreInput::read(body)?;
    let expected = required_version(&headers)?;
    let before = model::find(&api, caller.tenant, id).await?;
    if before.version != expected {
        return Err(ApiError::Stale);
    }
    let stored = (!before.profile.is_deleted()).then(|| before.profile.clone());
    let mut profile = match version {
        Some(version) => {
            let found = api
                .services
                .store
                .profile_version(caller.tenant, id, version);
            let found = found.await?.ok_or(ApiError::Missing)?;
            as_new_version(found, &before.profile)
        }
        None if before.profile.is_deleted() => lifecycle::restore(before.profile),
        None => {
            let detail = "This profile is not deleted; name the version to restore.";
            return Err(ApiError::conflict("not-deleted", detail));
        }
    };
    let at = now();
    profile.modified_at = at;
    profile.modified_by.clone_from(&caller.name);
    let data = snapshots::current(&api, caller.tenant).await?;
    let written = RequestedLists::of(&profile);
    let links = validation::links_version(&api, caller.tenant, &profile).await?;
    // A version that was valid may now contain a reference cycle or a deleted profile.
    let problems = validation::problems_of(
        &api,
        caller.tenant,
        &data,
        &profile,
        &written,
        stored.as_ref(),
    )
    .await?;
    let circle = |problem: &Problem| problem.pointer.starts_with("/overrides");
    let refused = match version {
        Some(_) => !problems.is_empty(),
        None => problems.iter().any(circle),
    };
    if refused {
        return Err(problems.into());
    }
    let event = AuditEvent::new(at, caller.actor(), Action::ProfileRestored)
        .on(id, &profile.title)
        .with(
            "version",
            version
                .map(|version| version.to_string())
                .unwrap_or_default(),
        );
    let warnings = validation::warnings_of(&api, caller.tenant, &data, &profile, at).await?;
    let read =
        model::save_profile(&api, caller.tenant, profile, Some(expected), &event, links).await?;
    Ok(saved_response(&api, caller.tenant, read, warnings).await)
}

/// Returns an earlier version as the next one: with its content, and with the current
/// state of the retraction.
fn as_new_version(version: Profile, now: &Profile) -> Profile {
    let mut profile = lifecycle::restore(version);
    profile.retraction_handled = now.retraction_handled && !profile.enroll;
    profile
}
