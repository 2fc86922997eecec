//! Creates and updates profiles. A change takes effect with the next maintenance run.

use axum::Json;
use axum::extract::State;
use axum::http::header::{ETAG, LOCATION};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, Utc};
use rollcall_domain::audience::lint::Warning;
use rollcall_domain::audience::profile::Profile;
use rollcall_domain::base::audit::{Action, AuditEvent};
use rollcall_domain::base::ids::{ProfileId, TenantId};
use rollcall_runtime::auth::Caller;
use uuid::Uuid;

use super::input::ProfileInput;
use super::model::VersionedProfile;
use super::versions::differences;
use super::view::ProfileView;
use super::{model, validation};
use crate::body::JsonBody;
use crate::cache::snapshots;
use crate::error::ApiError;
use crate::extract::{InPath, etag, required_version};
use crate::state::{ApiState, now};

/// Creates a profile (S4-046).
///
/// The next maintenance run creates its group and enrolments.
#[utoipa::path(post, path = "/v1/profiles", tag = "Profiles", request_body = ProfileInput,
    responses((status = 201, description = "Created; the header Location contains its path", body = ProfileView,
        headers(("ETag" = String, description = "Its version"), ("Location" = String, description = "Its path")))))]
pub(crate) async fn create(
    State(api): State<ApiState>,
    caller: Caller,
    body: JsonBody,
) -> Result<Response, ApiError> {
    let (id, at) = (ProfileId::new(Uuid::new_v4()), now());
    let data = snapshots::current(&api, caller.tenant).await?;
    let make = |input: ProfileInput| input.into_profile(id, None, at, &caller.name);
    let (profile, links) =
        validation::validated(&api, caller.tenant, &data, body, None, make).await?;
    let event = AuditEvent::new(at, caller.actor(), Action::ProfileCreated);
    let event = event.on(id, &profile.title);
    let warnings = validation::warnings_of(&api, caller.tenant, &data, &profile, at).await?;
    let read = model::save_profile(&api, caller.tenant, profile, None, &event, links).await?;
    let answer = saved_response(&api, caller.tenant, read, warnings).await;
    let location = [(LOCATION, format!("/v1/profiles/{id}"))];
    Ok((StatusCode::CREATED, location, answer).into_response())
}

/// Replaces a profile.
///
/// `If-Match` names the version that was read. If it is stale, nothing is saved.
#[utoipa::path(put, path = "/v1/profiles/{id}", tag = "Profiles", request_body = ProfileInput,
    params(("id" = ProfileId, Path, description = "The profile"),
        ("If-Match" = String, Header, description = "The ETag that was read")),
    responses((status = 200, description = "Saved", body = ProfileView, headers(("ETag" = String, description = "Its new version")))))]
pub(crate) async fn update(
    State(api): State<ApiState>,
    caller: Caller,
    InPath(id): InPath<ProfileId>,
    headers: HeaderMap,
    body: JsonBody,
) -> Result<Response, ApiError> {
    let expected = required_version(&headers)?;
    let before = model::active_profile(&api, caller.tenant, id, expected).await?;
    let at = now();
    let data = snapshots::current(&api, caller.tenant).await?;
    let make =
        |input: ProfileInput| input.into_profile(id, Some(&before.profile), at, &caller.name);
    let (profile, links) = validation::validated(
        &api,
        caller.tenant,
        &data,
        body,
        Some(&before.profile),
        make,
    )
    .await?;
    let event = update_event(
        &caller,
        at,
        Action::ProfileUpdated,
        &before.profile,
        &profile,
    );
    let warnings = validation::warnings_of(&api, caller.tenant, &data, &profile, at).await?;
    let read =
        model::save_profile(&api, caller.tenant, profile, Some(expected), &event, links).await?;
    Ok(saved_response(&api, caller.tenant, read, warnings).await)
}

/// Returns the audit event of a change, with the names of the changed fields.
pub(crate) fn update_event(
    caller: &Caller,
    at: DateTime<Utc>,
    action: Action,
    before: &Profile,
    after: &Profile,
) -> AuditEvent {
    AuditEvent::new(at, caller.actor(), action)
        .on(after.id, &after.title)
        .with("fields", differences(before, after).join(" "))
}

/// Returns the response to a save.
pub(crate) async fn saved_response(
    api: &ApiState,
    tenant: TenantId,
    read: VersionedProfile,
    warnings: Vec<Warning>,
) -> Response {
    let tag = etag(read.version);
    let status = model::profile_status_if_known(api, tenant, &read).await;
    let view = ProfileView::of(read.profile, read.version, status).warned(warnings);
    ([(ETAG, tag)], Json(view)).into_response()
}
