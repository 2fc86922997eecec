//! Makes profiles and changes them. A saved change has no effect until the next cycle.

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

use super::VersionedProfile;
use super::input::Documented;
use super::versions::differences;
use super::view::ProfileView;
use crate::body::JsonBody;
use crate::error::ApiError;
use crate::extract::{InPath, etag, required_version};
use crate::{ApiState, now};

/// Makes a profile (S4-046). Its group and enrolments come with the next cycle.
#[utoipa::path(post, path = "/v1/profiles", tag = "Profiles", request_body = Documented,
    responses((status = 201, description = "Made; the header Location names it", body = ProfileView,
        headers(("ETag" = String, description = "Its version"), ("Location" = String, description = "Its path")))))]
pub(crate) async fn create(
    State(api): State<ApiState>,
    caller: Caller,
    form: JsonBody,
) -> Result<Response, ApiError> {
    let (id, at) = (ProfileId::new(Uuid::new_v4()), now());
    let data = api.data(caller.tenant).await?;
    let make = |input: super::input::ProfileInput| input.into_profile(id, None, at, &caller.name);
    let (profile, links) = api.checked(caller.tenant, &data, form, make).await?;
    let event = AuditEvent::new(at, caller.actor(), Action::ProfileCreated);
    let event = event.on(id, &profile.title);
    let warnings = api.warnings(caller.tenant, &data, &profile, at).await?;
    let read = api
        .store(caller.tenant, profile, None, &event, links)
        .await?;
    let answer = saved(&api, caller.tenant, read, warnings).await;
    let location = [(LOCATION, format!("/v1/profiles/{id}"))];
    Ok((StatusCode::CREATED, location, answer).into_response())
}

/// Changes a profile as a whole. `If-Match` says which version was read; if
/// somebody was faster, nothing is saved.
#[utoipa::path(put, path = "/v1/profiles/{id}", tag = "Profiles", request_body = Documented,
    params(("id" = ProfileId, Path, description = "The profile"),
        ("If-Match" = String, Header, description = "The ETag that was read")),
    responses((status = 200, description = "Saved", body = ProfileView, headers(("ETag" = String, description = "Its new version")))))]
pub(crate) async fn update(
    State(api): State<ApiState>,
    caller: Caller,
    InPath(id): InPath<ProfileId>,
    headers: HeaderMap,
    form: JsonBody,
) -> Result<Response, ApiError> {
    let expected = required_version(&headers)?;
    let before = api.living(caller.tenant, id, expected).await?;
    let at = now();
    let data = api.data(caller.tenant).await?;
    let make = |input: super::input::ProfileInput| {
        input.into_profile(id, Some(&before.profile), at, &caller.name)
    };
    let (profile, links) = api.checked(caller.tenant, &data, form, make).await?;
    let event = update_event(
        &caller,
        at,
        Action::ProfileUpdated,
        &before.profile,
        &profile,
    );
    let warnings = api.warnings(caller.tenant, &data, &profile, at).await?;
    let read = api
        .store(caller.tenant, profile, Some(expected), &event, links)
        .await?;
    Ok(saved(&api, caller.tenant, read, warnings).await)
}

/// The event of a change, naming the fields that differ.
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

/// The answer to a save.
pub(crate) async fn saved(
    api: &ApiState,
    tenant: TenantId,
    read: VersionedProfile,
    warnings: Vec<Warning>,
) -> Response {
    let tag = etag(read.version);
    let standing = api.standing_if_known(tenant, &read).await;
    let view = ProfileView::of(read.profile, read.version, standing).warned(warnings);
    ([(ETAG, tag)], Json(view)).into_response()
}

impl ApiState {
    /// A profile in use, as the caller saw it.
    ///
    /// # Errors
    /// 412 when its version is another one; 409 when it is deleted.
    pub(crate) async fn living(
        &self,
        tenant: TenantId,
        id: ProfileId,
        expected: u64,
    ) -> Result<VersionedProfile, ApiError> {
        let read = self.profile(tenant, id).await?;
        if read.version != expected {
            return Err(ApiError::Stale);
        }
        if read.profile.is_deleted() {
            let detail = "This profile is deleted; restore it first.";
            return Err(ApiError::conflict("deleted", detail));
        }
        Ok(read)
    }

    /// Stores a version with its event, unless the tenant is locked.
    pub(crate) async fn store(
        &self,
        tenant: TenantId,
        profile: Profile,
        expected: Option<u64>,
        event: &AuditEvent,
        links: Option<u64>,
    ) -> Result<VersionedProfile, ApiError> {
        let store = &self.services.store;
        let put = store.change_profile(tenant, &profile, expected, Some(event), links);
        put.await?;
        Ok(VersionedProfile {
            profile,
            version: expected.map_or(1, |version| version + 1),
        })
    }
}
