//! Sessions as people see them.

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

/// A session.
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
    /// What the room says; it answers some time after it was asked.
    room_answer: RoomAnswer,
    online: bool,
    /// The way into the Teams meeting.
    #[serde(skip_serializing_if = "Option::is_none")]
    join_url: Option<String>,
    /// Whether it is shared with the organisation's calendar.
    share: bool,
    learners: Vec<Learner>,
    status: SessionStatus,
    /// Counts what people changed.
    version: u64,
    /// Whether the calendar has all of it; else the rest follows by itself.
    settled: bool,
    /// What had to be left out, and why.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    left_out: Vec<Problem>,
}

/// Which sessions.
#[derive(Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct SessionQuery {
    /// Most sessions on a page: 1 to 200, 50 without.
    limit: Option<u32>,
    /// Where the page before ended.
    cursor: Option<String>,
}

/// A page of sessions.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SessionPage {
    items: Vec<SessionView>,
    /// Where the next page begins; absent at the end.
    #[serde(skip_serializing_if = "Option::is_none")]
    next_cursor: Option<String>,
}

impl SessionView {
    /// What people may see.
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

/// Sessions of a catalog.
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

/// One session, with the room's answer as it is by now.
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
    // What the calendar cannot tell now is told as it was known last.
    let followed = api.services.follow_room(caller.tenant, found.clone()).await;
    let session = followed.unwrap_or(found);
    Ok(answer(session, Vec::new()))
}

/// A session as an answer.
pub(crate) fn answer(session: Versioned<CourseSession>, left_out: Vec<Problem>) -> Response {
    // What becomes known of a session by itself is no change that people have to read first.
    let tag = etag(session.value.version);
    let view = SessionView::of(session.value, left_out);
    ([(ETAG, tag)], Json(view)).into_response()
}
