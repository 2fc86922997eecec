//! E-mail to learners about their sessions, in addition to Microsoft's invitations (S1-15).

use rollcall_domain::course_session::{CourseSession, SessionStatus};
use rollcall_domain::notices::NoticeKind;
use rollcall_runtime::auth::Caller;

use crate::error::ApiError;
use crate::mail_connection;
use crate::state::ApiState;

/// Queues a separate e-mail to each learner, so that learners do not see one another.
pub(super) async fn notify_learners(
    api: &ApiState,
    caller: &Caller,
    session: &CourseSession,
) -> Result<(), ApiError> {
    let (tenant, catalog) = (caller.tenant, session.catalog);
    let title = mail_connection::model::find(api, tenant, catalog)
        .await?
        .value
        .title;
    let about = about(session, title);
    let learners = session.learners.iter();
    let addresses: Vec<String> = learners.map(|learner| learner.address.clone()).collect();
    let queued = api
        .services
        .notify_over_catalog(tenant, catalog, &addresses, &about);
    // The session is stored already, so the text must not ask the caller to repeat the request.
    queued.await.map_err(ApiError::LearnerMails)
}

fn about(session: &CourseSession, catalog_title: String) -> NoticeKind {
    let (title, time_zone) = (session.title.clone(), session.time_zone.clone());
    let (session_id, version) = (session.id.uuid(), session.version);
    let room = session.room.as_ref().map(|room| room.name.clone());
    // A meeting cannot be removed from its event, so its address is omitted instead.
    let join_url = session.join_url.clone().filter(|_| session.online);
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
