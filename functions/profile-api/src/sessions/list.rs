//! Lists and reads sessions.

use axum::Json;
use axum::extract::State;
use axum::http::header::ETAG;
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, Utc};
use rollcall_clients::store::connections::Versioned;
use rollcall_domain::base::ids::{CatalogId, CourseId, SessionId};
use rollcall_domain::base::problem::Problem;
use rollcall_domain::course_session::{
    CourseSession, Learner, RoomAnswer, RoomRef, SessionStatus, plan,
};
use rollcall_runtime::auth::Caller;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::model;
use crate::catalogs;
use crate::error::ApiError;
use crate::extract::{InPath, InQuery, etag, from_cursor, page_size, to_cursor};
use crate::state::ApiState;

/// A course session.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Session)]
pub(crate) struct SessionView {
    id: SessionId,
    catalog: CatalogId,
    #[serde(skip_serializing_if = "Option::is_none")]
    course: Option<CourseId>,
    title: String,
    description: String,
    start: DateTime<Utc>,
    end: DateTime<Utc>,
    time_zone: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    room: Option<RoomRef>,
    /// The answer of the room, which responds with a delay.
    room_answer: RoomAnswer,
    online: bool,
    /// The address to join the Teams meeting.
    #[serde(skip_serializing_if = "Option::is_none")]
    join_url: Option<String>,
    /// True if it is shared with the organisation's calendar.
    share: bool,
    learners: Vec<Learner>,
    status: SessionStatus,
    /// The version, also in the header `ETag`. Only edits increase it.
    version: u64,
    /// True if the calendar is up to date. Otherwise it is completed automatically.
    settled: bool,
    /// The parts that were left out, with reasons; only in the response to a change.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    left_out: Vec<Problem>,
}

/// The query of the list of sessions.
#[derive(Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct SessionQuery {
    /// The maximum number of sessions on a page, 1 to 200. Default: 50.
    limit: Option<u32>,
    /// The `nextCursor` of the previous page.
    cursor: Option<String>,
}

/// A page of sessions.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SessionPage {
    items: Vec<SessionView>,
    /// The cursor of the next page; absent on the last page.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<String>,
}

impl SessionView {
    /// Returns a session as the API returns it.
    pub(crate) fn of(it: CourseSession, left_out: Vec<Problem>) -> Self {
        let settled = plan(Some(&it), &it).is_empty();
        Self {
            id: it.id,
            catalog: it.catalog,
            course: it.course,
            title: it.title,
            description: it.description,
            start: it.start,
            end: it.end,
            time_zone: it.time_zone,
            room: it.room,
            room_answer: it.room_answer,
            online: it.online,
            join_url: it.join_url,
            share: it.share,
            learners: it.learners,
            status: it.status,
            version: it.version,
            settled,
            left_out,
        }
    }
}

/// Lists the sessions of a catalog.
#[utoipa::path(get, path = "/v1/catalogs/{id}/sessions", tag = "Sessions",
    params(("id" = CatalogId, Path, description = "The catalog"), SessionQuery),
    responses((status = 200, description = "A page of sessions", body = SessionPage)))]
pub(crate) async fn list(
    State(api): State<ApiState>,
    caller: Caller,
    InPath(catalog): InPath<CatalogId>,
    InQuery(query): InQuery<SessionQuery>,
) -> Result<Json<SessionPage>, ApiError> {
    catalogs::must_work_on(&api, &caller, catalog).await?;
    let after = query.cursor.as_deref().map(from_cursor).transpose()?;
    let store = &api.services.store;
    let limit = page_size(query.limit);
    let page = store
        .session_page(caller.tenant, catalog, after.as_deref(), limit)
        .await;
    let page = page?;
    let items = page.items.into_iter();
    Ok(Json(SessionPage {
        items: items
            .map(|it| SessionView::of(it.value, Vec::new()))
            .collect(),
        next_cursor: page.next.as_deref().map(to_cursor),
    }))
}

/// Returns a session with the current answer of the room.
#[utoipa::path(get, path = "/v1/catalogs/{id}/sessions/{session}", tag = "Sessions",
    params(("id" = CatalogId, Path, description = "The catalog"), ("session" = SessionId, Path, description = "The session")),
    responses((status = 200, description = "The session", body = SessionView, headers(("ETag" = String, description = "Its version")))))]
pub(crate) async fn show(
    State(api): State<ApiState>,
    caller: Caller,
    InPath((catalog, session)): InPath<(CatalogId, SessionId)>,
) -> Result<Response, ApiError> {
    catalogs::must_work_on(&api, &caller, catalog).await?;
    let found = model::find(&api, caller.tenant, catalog, session).await?;
    // If the calendar does not respond, the last known state is returned.
    let followed = api.services.follow_room(caller.tenant, found.clone()).await;
    let session = followed.unwrap_or(found);
    Ok(answer(session, Vec::new()))
}

/// Returns the response with a session.
pub(crate) fn answer(session: Versioned<CourseSession>, left_out: Vec<Problem>) -> Response {
    // The tag is the version of the last edit, so calendar updates do not make it stale.
    let tag = etag(session.value.version);
    let view = SessionView::of(session.value, left_out);
    ([(ETAG, tag)], Json(view)).into_response()
}
