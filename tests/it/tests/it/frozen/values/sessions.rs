//! Course sessions with all fields and with required fields only, and the identification of their
//! calendar events.

use rollcall_domain::course_session::{
    CalendarOwner, CourseSession, EventStep, Learner, RoomAnswer, RoomRef, SessionEvent,
    SessionStatus, arrange, transaction_id,
};
use serde_json::json;

use super::{known, written};
use crate::frozen::samples::{at, catalog, course, object, session_id};

fn learner(name: &str, address: &str) -> Learner {
    Learner {
        name: name.to_owned(),
        address: address.to_owned(),
    }
}

/// Returns a session with all fields.
pub(in crate::frozen) fn full_session() -> CourseSession {
    let learners = vec![
        learner("Kay", "kay@contoso.example"),
        learner("", "Lee@Contoso.Example"),
    ];
    let events = vec![
        SessionEvent {
            part: 0,
            created: 1,
            event_id: Some("AAMkAD-1".to_owned()),
            learners: learners.iter().map(Learner::key).collect(),
            sent: Some("0123456789abcdef".to_owned()),
        },
        SessionEvent {
            part: 1,
            created: 2,
            event_id: None,
            learners: Vec::new(),
            sent: None,
        },
    ];
    CourseSession {
        id: session_id(1),
        catalog: catalog(1),
        course: Some(course(1)),
        title: "Forklift: first steps".to_owned(),
        description: "Bring shoes.\n\nAnd gloves.".to_owned(),
        start: at(86_400),
        end: at(90_000),
        time_zone: "Europe/Berlin".to_owned(),
        room: Some(RoomRef {
            name: "Hall 3".to_owned(),
            address: "hall-3@contoso.example".to_owned(),
        }),
        online: true,
        share: true,
        learners,
        version: 2,
        status: SessionStatus::Scheduled,
        events,
        calendar: Some(CalendarOwner {
            object: object(7),
            address: "academy@contoso.example".to_owned(),
        }),
        join_url: Some("https://teams.example/join/1".to_owned()),
        room_answer: RoomAnswer::Accepted,
    }
}

/// Returns a session with the required fields only.
pub(in crate::frozen) fn small_session() -> CourseSession {
    CourseSession {
        id: session_id(4),
        course: None,
        description: String::new(),
        room: None,
        online: false,
        share: false,
        learners: Vec::new(),
        version: 1,
        events: Vec::new(),
        calendar: None,
        join_url: None,
        room_answer: RoomAnswer::NoRoom,
        ..full_session()
    }
}

/// Calendar events are identified by ids derived from the session. The session stores a fingerprint
/// of an event's content, and hashes of learners.
#[test]
fn what_events_are_known_by() {
    let session = full_session();
    let ids = session.events.iter();
    let ids: Vec<_> = ids.map(|event| transaction_id(&session, event)).collect();
    let mut many = session.clone();
    many.learners = (0..501)
        .map(|number| learner("", &format!("{number}@contoso.example")))
        .collect();
    let parts = arrange(None, &many);
    let sent: Vec<_> = parts.iter().map(|event| &event.sent).collect();
    let sizes: Vec<_> = parts.iter().map(|event| event.learners.len()).collect();
    let steps = [
        EventStep::Create {
            part: 0,
            transaction_id: ids[0],
        },
        EventStep::Update { part: 1 },
        EventStep::Cancel { part: 2 },
    ];
    insta::assert_json_snapshot!(json!({
        "transaction ids": ids,
        "keys of learners": session.learners.iter().map(Learner::key).collect::<Vec<_>>(),
        "what parts were told": sent,
        "learners of parts": sizes,
        "events as arranged": arrange(Some(&session), &session),
        "steps": known!(steps, EventStep: Create, Update, Cancel),
        "a session": written(&session),
    }));
}
