//! `GET /v1/profiles/{id}`.

use axum::Json;
use axum::extract::State;
use axum::http::header::ETAG;
use axum::response::{IntoResponse, Response};
use rollcall_domain::base::ids::{ProfileId, TenantId};
use rollcall_runtime::auth::Caller;

use super::VersionedProfile;
use super::view::{ProfileStatusView, ProfileView};
use crate::ApiState;
use crate::error::ApiError;
use crate::extract::{InPath, etag};

/// A profile, deleted ones too. Its `ETag` is needed to change it.
#[utoipa::path(get, path = "/v1/profiles/{id}", tag = "Profiles",
    params(("id" = ProfileId, Path, description = "The profile")),
    responses((status = 200, description = "The profile", body = ProfileView, headers(("ETag" = String, description = "Its version")))))]
pub(crate) async fn show(
    State(api): State<ApiState>,
    caller: Caller,
    InPath(id): InPath<ProfileId>,
) -> Result<Response, ApiError> {
    let read = api.profile(caller.tenant, id).await?;
    let standing = api.standing(caller.tenant, &read).await?;
    // The tag is for changing the profile; how it stands changes without it, so
    // it does not serve to leave out answers.
    let tag = etag(read.version);
    let view = ProfileView::of(read.profile, read.version, standing);
    Ok(([(ETAG, tag)], Json(view)).into_response())
}

impl ApiState {
    /// The same where something was just saved: a failure to read it back must not
    /// look like a failure to save.
    pub(crate) async fn standing_if_known(
        &self,
        tenant: TenantId,
        read: &VersionedProfile,
    ) -> ProfileStatusView {
        let standing = self.standing(tenant, read).await;
        standing.unwrap_or_else(|error| {
            error.log();
            ProfileStatusView::of(None, None, String::new())
        })
    }

    /// How a profile stands.
    pub(crate) async fn standing(
        &self,
        tenant: TenantId,
        read: &VersionedProfile,
    ) -> Result<ProfileStatusView, ApiError> {
        let store = &self.services.store;
        let id = read.profile.id;
        // Boxed, since several reads at once make a large future.
        let all = Box::pin(async {
            futures::try_join!(
                store.tenant(tenant),
                store.profile_states_of(tenant, [id]),
                store.hold(tenant, id)
            )
        });
        let (settings, mut states, hold) = all.await?;
        let prefix = settings.map(|tenant| tenant.settings.group_prefix);
        let name = read.profile.group_name(&prefix.unwrap_or_default());
        Ok(ProfileStatusView::of(
            states.remove(&id),
            hold.as_ref(),
            name,
        ))
    }
}
