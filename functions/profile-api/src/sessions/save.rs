//! Schedules, changes and cancels sessions: first in the table, then in the calendar.

use axum::extract::State;
use axum::http::header::LOCATION;
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::Response;
use chrono::{DateTime, Utc};
use rollcall_clients::store::connections::Versioned;
use rollcall_domain::base::audit::Action;
use rollcall_domain::base::ids::{CatalogId, SessionId};
use rollcall_domain::base::problem::Problem;
use rollcall_domain::connection::{Capability, MailConnection};
use rollcall_domain::course_session::{
    Capabilities, CourseSession, RoomAnswer, SessionStatus, degrade, planned_events,
};
use rollcall_runtime::auth::Caller;
use serde::Deserialize;
use utoipa::IntoParams;
use uuid::Uuid;

use super::calendar::{event, initial_answer};
use super::input::{self, Change, New};
use super::list::{SessionView, answer};
use super::{calendar, model, no_licence};
use crate::body::JsonBody;
use crate::catalogs;
use crate::error::ApiError;
use crate::extract::{InPath, InQuery, required_version};
use crate::mail_connection::not_connected;
use crate::state::{ApiState, now};

/// Schedules a session.
///
/// It is an appointment in the calendar of the catalog's account, with the room, a Teams
/// meeting and the invited learners.
#[utoipa::path(post, path = "/v1/catalogs/{id}/sessions", tag = "Sessions", request_body = New,
    params(("id" = CatalogId, Path, description = "The catalog")),
    responses((status = 201, description = "Scheduled", body = SessionView, headers(("ETag" = String, description = "Its version"), ("Location" = String, description = "Its path")))))]
pub(crate) async fn create(
    State(api): State<ApiState>,
    caller: Caller,
    InPath(catalog): InPath<CatalogId>,
    mut body: JsonBody,
) -> Result<Response, ApiError> {
    let connection = usable(catalogs::must_work_on(&api, &caller, catalog).await?)?;
    let mut session = blank(catalog);
    let notify = input::read(&mut body, &mut session, true);
    let at = now();
    problems(
        &mut body,
        session.problems_at_creation(at),
        &connection,
        &session,
    );
    body.finish()?;
    let (mut session, left_out) = allowed(session.tidy(), &connection)?;
    session.room_answer = initial_answer(&session);
    session.events = planned_events(None, &session);
    let events = [event(&caller, at, Action::SessionScheduled, &session)];
    let id = session.id;
    let services = &api.services;
    let put = services
        .store
        .put_session(caller.tenant, &session, None, &events);
    let version = put.await?;
    let saved = Versioned {
        value: session,
        version,
    };
    let mut response = calendar::carry_out(&api, &caller, saved, notify, left_out).await?;
    *response.status_mut() = StatusCode::CREATED;
    if let Ok(location) = HeaderValue::from_str(&format!("/v1/catalogs/{catalog}/sessions/{id}")) {
        response.headers_mut().insert(LOCATION, location);
    }
    Ok(response)
}

/// Changes a session.
///
/// Microsoft notifies all invited learners. Learners who are no longer in the list receive
/// a cancellation.
#[utoipa::path(patch, path = "/v1/catalogs/{id}/sessions/{session}", tag = "Sessions", request_body = Change,
    params(("id" = CatalogId, Path, description = "The catalog"), ("session" = SessionId, Path, description = "The session"),
        ("If-Match" = String, Header, description = "The ETag that was read")),
    responses((status = 200, description = "Changed", body = SessionView, headers(("ETag" = String, description = "Its new version")))))]
pub(crate) async fn update(
    State(api): State<ApiState>,
    caller: Caller,
    InPath((catalog, id)): InPath<(CatalogId, SessionId)>,
    headers: HeaderMap,
    mut body: JsonBody,
) -> Result<Response, ApiError> {
    let expected = required_version(&headers)?;
    let connection = catalogs::must_work_on(&api, &caller, catalog).await?;
    let before = model::find(&api, caller.tenant, catalog, id).await?;
    if before.value.version != expected {
        return Err(ApiError::Stale);
    }
    if before.value.status == SessionStatus::Cancelled {
        let detail = "This session was cancelled; schedule a new one.";
        return Err(ApiError::conflict("cancelled", detail));
    }
    let connection = usable(connection)?;
    let mut session = before.value.clone();
    let notify = input::read(&mut body, &mut session, false);
    problems(&mut body, session.problems(), &connection, &session);
    body.finish()?;
    let (session, left_out) = allowed(session.tidy(), &connection)?;
    let saved = calendar::save_over(&api, &caller, before, session, Action::SessionChanged).await?;
    calendar::carry_out(&api, &caller, saved, notify, left_out).await
}

/// The query of a cancellation.
#[derive(Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Cancellation {
    /// True to send learners an e-mail in addition to Microsoft's cancellation. Default:
    /// `false`.
    #[serde(default)]
    notify: bool,
}

/// Cancels a session.
///
/// Microsoft notifies all invited learners, and the room is released.
#[utoipa::path(delete, path = "/v1/catalogs/{id}/sessions/{session}", tag = "Sessions",
    params(("id" = CatalogId, Path, description = "The catalog"), ("session" = SessionId, Path, description = "The session"), Cancellation),
    responses((status = 200, description = "Cancelled", body = SessionView)))]
pub(crate) async fn cancel(
    State(api): State<ApiState>,
    caller: Caller,
    InPath((catalog, id)): InPath<(CatalogId, SessionId)>,
    InQuery(how): InQuery<Cancellation>,
) -> Result<Response, ApiError> {
    let connection = catalogs::must_work_on(&api, &caller, catalog).await?;
    let before = model::find(&api, caller.tenant, catalog, id).await?;
    if before.value.status == SessionStatus::Cancelled {
        return Ok(answer(before, Vec::new()));
    }
    usable(connection)?;
    let mut session = before.value.clone();
    session.status = SessionStatus::Cancelled;
    let saved =
        calendar::save_over(&api, &caller, before, session, Action::SessionCancelled).await?;
    calendar::carry_out(&api, &caller, saved, how.notify, Vec::new()).await
}

/// Returns an empty session, before the input is read.
fn blank(catalog: CatalogId) -> CourseSession {
    CourseSession {
        id: SessionId::new(Uuid::new_v4()),
        catalog,
        course: None,
        title: String::new(),
        description: String::new(),
        start: DateTime::<Utc>::UNIX_EPOCH,
        end: DateTime::<Utc>::UNIX_EPOCH,
        time_zone: String::new(),
        room: None,
        online: false,
        share: false,
        learners: Vec::new(),
        version: 1,
        status: SessionStatus::Scheduled,
        events: Vec::new(),
        calendar: None,
        join_url: None,
        room_answer: RoomAnswer::NoRoom,
    }
}

/// Records the problems of a session before its learners are sorted, so that pointers
/// match the request.
fn problems(
    body: &mut JsonBody,
    found: Vec<Problem>,
    connection: &MailConnection,
    session: &CourseSession,
) {
    let shared = connection.options.organization_calendar.is_some();
    if session.share && !shared {
        body.problem(
            "/share",
            "this catalog has no calendar to share sessions with; enter one in its mail connection",
        );
    }
    for problem in found {
        // Problems that follow from a field that could not be read are not reported.
        let follows = problem.pointer == "/end" && body.is_wrong("/start");
        if !follows && !body.is_wrong(&problem.pointer) {
            body.problem(problem.pointer, problem.detail);
        }
    }
}

/// Returns the session without what the account's licences do not allow (S1-10, S1-11).
fn allowed(
    session: CourseSession,
    connection: &MailConnection,
) -> Result<(CourseSession, Vec<Problem>), ApiError> {
    let has = Capabilities {
        exchange: connection.can.able.contains(&Capability::Rooms),
        teams: connection.can.able.contains(&Capability::Meetings),
    };
    degrade(session, has).map_err(|problem| no_licence(problem.detail))
}

/// Returns the catalog's connection, if it is usable.
pub(super) fn usable(connection: MailConnection) -> Result<MailConnection, ApiError> {
    if connection.options.enabled && connection.status.is_usable() {
        Ok(connection)
    } else {
        Err(not_connected())
    }
}
