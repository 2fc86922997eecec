//! Rejections of changes, stored until an administrator withdraws them (C-26).

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use rollcall_domain::base::audit::{Action, AuditEvent};
use rollcall_domain::directory_sync::Pin;
use rollcall_runtime::auth::Caller;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::SUBJECT;
use crate::error::ApiError;
use crate::extract::{InPath, InQuery, from_cursor, page_size, to_cursor};
use crate::state::{ApiState, now};

/// The query of the list of rejections.
#[derive(Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct PinQuery {
    /// The maximum number of rejections on a page, 1 to 200. Default: 50.
    limit: Option<u32>,
    /// The `nextCursor` of the previous page.
    cursor: Option<String>,
}

/// A rejection.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = SyncPinned)]
pub(crate) struct Pinned {
    /// The id, to withdraw it.
    id: String,
    /// The rejected change, the administrator and the time.
    #[serde(flatten)]
    pin: Pin,
}

/// A page of rejections.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = SyncPinPage)]
pub(crate) struct PinPage {
    items: Vec<Pinned>,
    /// The cursor of the next page; absent on the last page.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<String>,
}

/// Lists rejected changes, which later runs do not make.
#[utoipa::path(get, path = "/v1/sync/pins", tag = "Directory sync", params(PinQuery),
    responses((status = 200, description = "A page of rejections", body = PinPage)))]
pub(crate) async fn list(
    State(api): State<ApiState>,
    caller: Caller,
    InQuery(query): InQuery<PinQuery>,
) -> Result<Json<PinPage>, ApiError> {
    let after = query.cursor.as_deref().map(from_cursor).transpose()?;
    let limit = page_size(query.limit);
    let page = api
        .services
        .store
        .pin_page(caller.tenant, after.as_deref(), limit);
    let page = page.await?;
    let items = page.items.into_iter().map(|pin| Pinned {
        id: to_cursor(&pin.key),
        pin,
    });
    Ok(Json(PinPage {
        items: items.collect(),
        next_cursor: page.next.as_deref().map(to_cursor),
    }))
}

/// Withdraws a rejection.
///
/// The next run proposes or makes the change again.
#[utoipa::path(delete, path = "/v1/sync/pins/{id}", tag = "Directory sync",
    params(("id" = String, Path, description = "The id of the rejection")),
    responses((status = 204, description = "Withdrawn")))]
pub(crate) async fn remove(
    State(api): State<ApiState>,
    caller: Caller,
    InPath(id): InPath<String>,
) -> Result<StatusCode, ApiError> {
    let key = from_cursor(&id).map_err(|_| ApiError::Missing)?;
    let store = &api.services.store;
    if !store.is_pinned(caller.tenant, &key).await? {
        return Err(ApiError::Missing);
    }
    let event = AuditEvent::new(now(), caller.actor(), Action::SyncDecided)
        .on(&key, SUBJECT.1)
        .with("takenBack", 1);
    let taken = store
        .decide(caller.tenant, &[], std::slice::from_ref(&key), &event)
        .await;
    taken?;
    // A given approval did not include the change whose rejection is withdrawn, so it is revoked.
    let revoked = store.change_sync(caller.tenant, &[], |state| {
        let approved = state.pending.as_mut().filter(|it| it.approved.is_some());
        approved.is_some_and(|pending| pending.approved.take().is_some())
    });
    revoked.await?;
    Ok(StatusCode::NO_CONTENT)
}
