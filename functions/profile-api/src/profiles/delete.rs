//! Deletes profiles.

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use rollcall_domain::base::ids::ProfileId;
use rollcall_runtime::auth::Caller;

use crate::error::ApiError;
use crate::extract::{InPath, named_version};
use crate::state::ApiState;

/// Deletes a profile, which can be restored later.
///
/// Deleting is allowed at any time. The next maintenance run removes the group from the
/// catalogs.
#[utoipa::path(delete, path = "/v1/profiles/{id}", tag = "Profiles",
    params(("id" = ProfileId, Path, description = "The profile"),
        ("If-Match" = Option<String>, Header, description = "The ETag that was read, to delete only that version")),
    responses((status = 204, description = "Deleted, or already deleted before")))]
pub(crate) async fn delete(
    State(api): State<ApiState>,
    caller: Caller,
    InPath(id): InPath<ProfileId>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let expected = named_version(&headers)?;
    let store = &api.services.store;
    let by = caller.actor();
    let deleted = store.delete_profile_as(caller.tenant, id, &by, expected);
    deleted.await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}
