//! Sessions of courses, with the events in the account's calendar.

use rollcall_domain::base::audit::Action;
use rollcall_domain::course_session::{RoomAnswer, SessionStatus};

use super::Table;
use crate::frozen::samples::{TENANT, event, session_id};
use crate::frozen::values::sessions::{full_session, small_session};

/// One waits for its room, one is settled, one has steps to be done.
#[tokio::test]
async fn sessions() {
    let table = Table::new("sessions").await;
    let mut settled = small_session();
    settled.id = session_id(2);
    settled.status = SessionStatus::Cancelled;
    let mut asked = full_session();
    asked.id = session_id(3);
    asked.room_answer = RoomAnswer::Waiting;
    let all = [
        (full_session(), 1),
        (settled, 2),
        (asked, 3),
        (small_session(), 4),
    ];
    for (session, seconds) in all {
        let events = [event(seconds, Action::SessionScheduled)];
        let put = table.store.put_session(TENANT, &session, None, &events);
        put.await.expect("stored");
    }
    insta::assert_json_snapshot!(table.items().await);
}
