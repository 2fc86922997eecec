//! Stores a session and updates the calendar; a tick completes what a request does not.

use std::time::Duration;

use axum::response::Response;
use chrono::{DateTime, Utc};
use rollcall_app::mail_account::AccountError;
use rollcall_clients::store::StoreError;
use rollcall_clients::store::connections::Versioned;
use rollcall_domain::base::audit::{Action, AuditEvent};
use rollcall_domain::base::ids::{CatalogId, TenantId};
use rollcall_domain::base::problem::Problem;
use rollcall_domain::course_session::{
    CalendarOwner, CourseSession, RoomAnswer, SessionStatus, planned_events,
};
use rollcall_runtime::auth::Caller;

use super::list::answer;
use super::model;
use super::notify::notify_learners;
use crate::error::ApiError;
use crate::mail_connection;
use crate::mail_connection::not_connected;
use crate::state::{ApiState, now};

/// The time for updating the calendar within a request, which ends after 30 seconds. A
/// tick completes the rest.
const SETTLE_FOR: Duration = Duration::from_secs(20);
/// The maximum number of attempts when concurrent writes conflict.
const TRIES: u32 = 6;

/// Stores a changed session. Concurrent updates of its calendar events are preserved; a
/// concurrent edit is a conflict.
pub(super) async fn save_over(
    api: &ApiState,
    caller: &Caller,
    mut before: Versioned<CourseSession>,
    wanted: CourseSession,
    action: Action,
) -> Result<Versioned<CourseSession>, ApiError> {
    let (tenant, seen) = (caller.tenant, before.value.version);
    for _ in 0..TRIES {
        let session = over(&before.value, wanted.clone());
        let events = [event(caller, now(), action, &session)];
        let store = &api.services.store;
        let put = store.put_session(tenant, &session, Some(before.version), &events);
        match put.await {
            Ok(version) => {
                return Ok(Versioned {
                    value: session,
                    version,
                });
            }
            Err(StoreError::Conflict) => {}
            Err(error) => return Err(error.into()),
        }
        before = model::find(api, tenant, wanted.catalog, wanted.id).await?;
        if before.value.version != seen {
            return Err(ApiError::Stale);
        }
    }
    Err(StoreError::Contended.into())
}

/// Updates the calendar for a stored session. If that is incomplete, the response contains
/// `settled: false` and a tick continues. The request must not be repeated, because that
/// would schedule a second session.
pub(super) async fn carry_out(
    api: &ApiState,
    caller: &Caller,
    saved: Versioned<CourseSession>,
    notify: bool,
    mut left_out: Vec<Problem>,
) -> Result<Response, ApiError> {
    let (tenant, services) = (caller.tenant, &api.services);
    let (catalog, id) = (saved.value.catalog, saved.value.id);
    let saved_in = saved.value.calendar.clone();
    let work = Box::pin(services.record_session(tenant, saved.clone()));
    let done = tokio::time::timeout(SETTLE_FOR, work).await;
    let late = || AccountError::Later("it takes longer than a request allows".to_owned());
    let settled = match done.unwrap_or_else(|_| Err(late())) {
        Ok(settled) => settled,
        Err(error) => {
            tracing::warn!(%error, session = %id, "a calendar update is incomplete; a tick continues");
            left_out.extend(until_connected(&error));
            let newest = services.store.session(tenant, catalog, id).await;
            newest.ok().flatten().unwrap_or(saved)
        }
    };
    left_out.extend(stays_elsewhere(api, tenant, saved_in.as_ref(), catalog).await?);
    if notify && let Err(error) = notify_learners(api, caller, &settled.value).await {
        error.log();
        left_out.push(Problem::at("/notify", error.into_problem().detail));
    }
    Ok(answer(settled, left_out))
}

/// Returns a problem if earlier events are in the calendar of an account that has been
/// replaced, which this service can no longer change.
async fn stays_elsewhere(
    api: &ApiState,
    tenant: TenantId,
    calendar: Option<&CalendarOwner>,
    catalog: CatalogId,
) -> Result<Option<Problem>, ApiError> {
    let Some(then) = calendar else {
        return Ok(None);
    };
    let connected = mail_connection::model::find(api, tenant, catalog)
        .await?
        .value
        .account;
    if connected.is_none_or(|now| now.object == then.object) {
        return Ok(None);
    }
    let detail = format!(
        "Earlier events are in the calendar of {}, which is no longer connected. Cancel them there.",
        then.address
    );
    Ok(Some(Problem::at("", detail)))
}

/// Returns a problem if the calendar cannot be updated before the account is connected
/// again.
fn until_connected(error: &AccountError) -> Option<Problem> {
    let why = match error {
        AccountError::NotConnected => not_connected().into_problem().detail,
        AccountError::Lost(cause) => cause.message().to_owned(),
        _ => return None,
    };
    let detail = format!("{why} The session is saved; its invitations are sent after that.");
    Some(Problem::at("", detail))
}

/// Merges a changed session with the current state of its calendar events.
fn over(known: &CourseSession, mut session: CourseSession) -> CourseSession {
    session.version = known.version + 1;
    session.join_url.clone_from(&known.join_url);
    session.calendar.clone_from(&known.calendar);
    session.events = planned_events(Some(known), &session);
    // A room is requested again if the room or the time has changed.
    let place = |it: &CourseSession| (it.room.clone(), it.start, it.end);
    session.room_answer = if session.status == SessionStatus::Cancelled {
        RoomAnswer::NoRoom
    } else if place(known) == place(&session) {
        known.room_answer
    } else {
        initial_answer(&session)
    };
    session
}

/// Returns the room's answer before it has responded.
pub(super) fn initial_answer(session: &CourseSession) -> RoomAnswer {
    match session.room {
        Some(_) => RoomAnswer::Waiting,
        None => RoomAnswer::NoRoom,
    }
}

/// Returns the audit event of a change.
pub(super) fn event(
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
