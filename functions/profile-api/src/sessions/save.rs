//! Schedules, changes and cancels sessions: stored first, then carried out in the calendar, the rest by itself.

use axum::extract::State;
use axum::http::header::LOCATION;
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::Response;
use chrono::{DateTime, Utc};
use rollcall_clients::store::connections::Versioned;
use rollcall_domain::audit::{Action, AuditEvent};
use rollcall_domain::connection::{Capability, MailConnection};
use rollcall_domain::ids::{CatalogId, SessionId};
use rollcall_domain::notices::{Channel, Notice, NoticeKind};
use rollcall_domain::problem::Problem;
use rollcall_domain::session::{
    Capabilities, CourseSession, RoomAnswer, SessionStatus, begin, degrade,
};
use rollcall_runtime::ProblemDetails;
use rollcall_runtime::auth::Caller;
use rollcall_runtime::services::AccountError;
use serde::Deserialize;
use utoipa::IntoParams;
use uuid::Uuid;

use super::input::{self, Change, New};
use super::list::{SessionView, answer};
use crate::failure::{Refused, stale, stored, unavailable};
use crate::form::Form;
use crate::mail::{account, not_connected};
use crate::request::{InPath, InQuery, required_version};
use crate::{Api, now};

/// Schedules a session: an appointment in the calendar of the catalog's account,
/// with the room, a Teams meeting, and the learners invited.
#[utoipa::path(post, path = "/v1/catalogs/{id}/sessions", tag = "Sessions", request_body = New,
    params(("id" = CatalogId, Path, description = "The catalog")),
    responses((status = 201, description = "Scheduled", body = SessionView, headers(("ETag" = String, description = "Its version"), ("Location" = String, description = "Where it is")))))]
pub(crate) async fn create(
    State(api): State<Api>,
    caller: Caller,
    InPath(catalog): InPath<CatalogId>,
    mut form: Form,
) -> Result<Response, Refused> {
    let connection = usable(api.must_work_on(&caller, catalog).await?)?;
    let mut session = blank(catalog);
    let notify = input::read(&mut form, &mut session, true);
    let at = now();
    session = session.tidy();
    problems(
        &mut form,
        session.problems_at_creation(at),
        &connection,
        &session,
    );
    form.finish().map_err(ProblemDetails::invalid)?;
    let (mut session, left_out) = allowed(session, &connection)?;
    session.events = begin(None, &session);
    let events = [event(&caller, at, Action::SessionScheduled, &session)];
    let id = session.id;
    let kept = Kept {
        catalog,
        notify,
        left_out,
    };
    let mut response = api.carry_out(&caller, session, None, &events, kept).await?;
    *response.status_mut() = StatusCode::CREATED;
    if let Ok(place) = HeaderValue::from_str(&format!("/v1/catalogs/{catalog}/sessions/{id}")) {
        response.headers_mut().insert(LOCATION, place);
    }
    Ok(response)
}

/// Changes a session. Everybody invited is told by Microsoft; who is no longer
/// in the list is uninvited.
#[utoipa::path(patch, path = "/v1/catalogs/{id}/sessions/{session}", tag = "Sessions", request_body = Change,
    params(("id" = CatalogId, Path, description = "The catalog"), ("session" = SessionId, Path, description = "The session"),
        ("If-Match" = String, Header, description = "The ETag that was read")),
    responses((status = 200, description = "Changed", body = SessionView, headers(("ETag" = String, description = "Its new version")))))]
pub(crate) async fn update(
    State(api): State<Api>,
    caller: Caller,
    InPath((catalog, id)): InPath<(CatalogId, SessionId)>,
    headers: HeaderMap,
    mut form: Form,
) -> Result<Response, Refused> {
    let expected = required_version(&headers)?;
    let connection = api.must_work_on(&caller, catalog).await?;
    let before = api.session_of(caller.tenant, catalog, id).await?;
    if before.version != expected {
        return Err(stale());
    }
    if before.value.status == SessionStatus::Cancelled {
        let detail = "This session was cancelled; schedule a new one.";
        return Err(ProblemDetails::new(StatusCode::CONFLICT, detail).of_kind("cancelled"));
    }
    let connection = usable(connection)?;
    let mut session = before.value.clone();
    let notify = input::read(&mut form, &mut session, false);
    session = session.tidy();
    problems(&mut form, session.problems(), &connection, &session);
    form.finish().map_err(ProblemDetails::invalid)?;
    let (mut session, left_out) = allowed(session, &connection)?;
    session.version = before.value.version + 1;
    session.events = begin(Some(&before.value), &session);
    if session.room != before.value.room {
        session.room_answer = asked(&session);
    }
    let events = [event(&caller, now(), Action::SessionChanged, &session)];
    let kept = Kept {
        catalog,
        notify,
        left_out,
    };
    api.carry_out(&caller, session, Some(expected), &events, kept)
        .await
}

/// How to cancel.
#[derive(Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Cancellation {
    /// Whether learners get a mail beside Microsoft's cancellation.
    #[serde(default)]
    notify: bool,
}

/// Cancels a session: everybody invited is told, the room is free again.
#[utoipa::path(delete, path = "/v1/catalogs/{id}/sessions/{session}", tag = "Sessions",
    params(("id" = CatalogId, Path, description = "The catalog"), ("session" = SessionId, Path, description = "The session"), Cancellation),
    responses((status = 200, description = "Cancelled", body = SessionView)))]
pub(crate) async fn cancel(
    State(api): State<Api>,
    caller: Caller,
    InPath((catalog, id)): InPath<(CatalogId, SessionId)>,
    InQuery(how): InQuery<Cancellation>,
) -> Result<Response, Refused> {
    let connection = api.must_work_on(&caller, catalog).await?;
    let before = api.session_of(caller.tenant, catalog, id).await?;
    if before.value.status == SessionStatus::Cancelled {
        return Ok(answer(before, Vec::new()));
    }
    usable(connection)?;
    let mut session = before.value.clone();
    session.status = SessionStatus::Cancelled;
    session.version += 1;
    session.room_answer = RoomAnswer::NoRoom;
    let events = [event(&caller, now(), Action::SessionCancelled, &session)];
    let kept = Kept {
        catalog,
        notify: how.notify,
        left_out: Vec::new(),
    };
    api.carry_out(&caller, session, Some(before.version), &events, kept)
        .await
}

/// What is needed after a session is stored.
struct Kept {
    catalog: CatalogId,
    notify: bool,
    left_out: Vec<Problem>,
}

impl Api {
    /// Stores a session and does what the calendar lacks. When that breaks off,
    /// the session is stored all the same and a tick goes on.
    async fn carry_out(
        &self,
        caller: &Caller,
        session: CourseSession,
        expected: Option<u64>,
        events: &[AuditEvent],
        kept: Kept,
    ) -> Result<Response, Refused> {
        let (tenant, services) = (caller.tenant, &self.services);
        let put = services
            .store
            .put_session(tenant, &session, expected, events);
        let version = put.await.map_err(stored)?;
        let stored = Versioned {
            value: session,
            version,
        };
        let settled = match services.settle_session(tenant, stored.clone()).await {
            Ok(settled) => settled,
            Err(error @ (AccountError::NotConnected | AccountError::Lost(_))) => {
                return Err(account(&error));
            }
            Err(error) => {
                tracing::warn!(%error, session = %stored.value.id, "a session is not settled yet");
                let now = services
                    .store
                    .session(tenant, kept.catalog, stored.value.id)
                    .await;
                now.ok().flatten().unwrap_or(stored)
            }
        };
        if kept.notify {
            self.tell_learners(caller, &settled.value).await?;
        }
        Ok(answer(settled, kept.left_out))
    }

    /// One mail to each learner, so that nobody sees who else is invited (S1-15).
    async fn tell_learners(&self, caller: &Caller, session: &CourseSession) -> Result<(), Refused> {
        let (tenant, catalog) = (caller.tenant, session.catalog);
        let title = self.mail_of(tenant, catalog).await?.value.title;
        let settings = self.services.store.tenant(tenant).await.map_err(stored)?;
        let name = settings
            .map(|it| it.settings.display_name)
            .unwrap_or_default();
        let about = about(session, title);
        let notices: Vec<Notice> = session
            .learners
            .iter()
            .map(|learner| {
                let to = vec![learner.address.clone()];
                Notice::new(tenant, &name, to, about.clone()).over(Channel::Catalog { catalog })
            })
            .collect();
        let queued = self.services.notice_queue.send_all(&notices).await;
        queued.map_err(|error| {
            tracing::error!(%error, "mails to learners could not be queued");
            unavailable("Saved, but the mails to learners could not be queued; save again with notify to send them.")
        })
    }
}

/// The catalog's connection, if it has a calendar to invite from.
fn usable(connection: MailConnection) -> Result<MailConnection, Refused> {
    if connection.options.enabled && connection.status.is_usable() {
        Ok(connection)
    } else {
        Err(not_connected())
    }
}

fn about(session: &CourseSession, catalog_title: String) -> NoticeKind {
    let (title, time_zone) = (session.title.clone(), session.time_zone.clone());
    let (session_id, version) = (session.id.uuid(), session.version);
    let room = session.room.as_ref().map(|room| room.name.clone());
    let join_url = session.join_url.clone();
    let (start, end) = (session.start, session.end);
    if session.status == SessionStatus::Cancelled {
        return NoticeKind::SessionCancelled {
            session: session_id,
            version,
            title,
            catalog_title,
            start,
            time_zone,
        };
    }
    if version == 1 {
        return NoticeKind::SessionScheduled {
            session: session_id,
            version,
            title,
            catalog_title,
            start,
            end,
            time_zone,
            room,
            join_url,
        };
    }
    NoticeKind::SessionChanged {
        session: session_id,
        version,
        title,
        catalog_title,
        start,
        end,
        time_zone,
        room,
        join_url,
    }
}

/// What a session is before anything of it is read.
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
        join_url: None,
        room_answer: RoomAnswer::NoRoom,
    }
}

fn problems(
    form: &mut Form,
    found: Vec<Problem>,
    connection: &MailConnection,
    session: &CourseSession,
) {
    let shared = connection.options.organization_calendar.is_some();
    if session.share && !shared {
        form.problem(
            "/share",
            "this catalog shares sessions with no calendar; name one in its mail connection",
        );
    }
    for problem in found {
        form.problem(problem.pointer, problem.detail);
    }
}

/// The session as the account's licences allow it (S1-10, S1-11).
fn allowed(
    mut session: CourseSession,
    connection: &MailConnection,
) -> Result<(CourseSession, Vec<Problem>), Refused> {
    let has = Capabilities {
        exchange: connection.can.able.contains(&Capability::Rooms),
        teams: connection.can.able.contains(&Capability::Meetings),
    };
    session.room_answer = if session.room_answer == RoomAnswer::NoRoom {
        asked(&session)
    } else {
        session.room_answer
    };
    degrade(session, has).map_err(|problem| {
        ProblemDetails::new(StatusCode::CONFLICT, problem.detail).of_kind("licence-missing")
    })
}

fn asked(session: &CourseSession) -> RoomAnswer {
    match session.room {
        Some(_) => RoomAnswer::Waiting,
        None => RoomAnswer::NoRoom,
    }
}

fn event(
    caller: &Caller,
    at: DateTime<Utc>,
    action: Action,
    session: &CourseSession,
) -> AuditEvent {
    AuditEvent::new(at, caller.actor(), action)
        .on(session.id, &session.title)
        .with("catalog", session.catalog)
        .with("learners", session.learners.len())
}
