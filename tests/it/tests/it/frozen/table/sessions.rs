//! Course sessions with their calendar events.

use rollcall_domain::base::audit::Action;
use rollcall_domain::course_session::{RoomAnswer, SessionStatus};

use super::Table;
use crate::frozen::samples::{TENANT, event, session_id};
use crate::frozen::values::sessions::{full_session, small_session};

/// Snapshots a scheduled session with pending steps, a cancelled one, one that waits for its room,
/// and one with the required fields only.
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
        put.await.expect("not stored");
    }
    insta::assert_json_snapshot!(table.items().await);
}
