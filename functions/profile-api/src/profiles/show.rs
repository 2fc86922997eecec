//! `GET /v1/profiles/{id}`: one profile with its status.

use axum::Json;
use axum::extract::State;
use axum::http::header::ETAG;
use axum::response::{IntoResponse, Response};
use rollcall_domain::base::ids::ProfileId;
use rollcall_runtime::auth::Caller;

use super::model;
use super::view::ProfileView;
use crate::error::ApiError;
use crate::extract::{InPath, etag};
use crate::state::ApiState;

/// Returns a profile, even if it is deleted.
///
/// Its `ETag` is required to change it.
#[utoipa::path(get, path = "/v1/profiles/{id}", tag = "Profiles",
    params(("id" = ProfileId, Path, description = "The profile")),
    responses((status = 200, description = "The profile", body = ProfileView, headers(("ETag" = String, description = "Its version")))))]
pub(crate) async fn show(
    State(api): State<ApiState>,
    caller: Caller,
    InPath(id): InPath<ProfileId>,
) -> Result<Response, ApiError> {
    let read = model::find(&api, caller.tenant, id).await?;
    let status = model::profile_status(&api, caller.tenant, &read).await?;
    // The status changes without the tag, so `If-None-Match` is not supported here.
    let tag = etag(read.version);
    let view = ProfileView::of(read.profile, read.version, status);
    Ok(([(ETAG, tag)], Json(view)).into_response())
}
