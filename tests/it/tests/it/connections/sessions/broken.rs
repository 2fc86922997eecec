//! Course sessions with lost responses, calendar errors, crashed functions and lost accounts.

use std::time::Duration;

use rollcall_domain::notices::{Notice, NoticeKind};
use rollcall_simulators::{Fault, FaultKind};
use serde_json::{Value, json};

use super::{draft, events, invited, patch, path, place, room, schedule, start, tenant, with};
use crate::harness::{Admin, TestApp};

fn status(code: u16, error: &str) -> FaultKind {
    FaultKind::Status {
        code,
        retry_after: None,
        body: Some(json!({"error": {"code": error, "message": "Words."}})),
    }
}

/// Makes requests of this method on events fail, starting with request number `from`.
fn fail(app: &TestApp, method: &str, kind: FaultKind, from: u32, times: u32) {
    let fault = Fault::once("/me/events", kind).method(method);
    app.simulators
        .add_fault(app.id.uuid(), fault.at(from, times));
}

async fn shown(app: &TestApp) -> Value {
    let view = app.admin("LmsAdmin").get(&app.mail_path("Academy")).await;
    view.expect(200).body
}

/// Asserts that there are `parts` events and each learner is in exactly one of them.
fn assert_whole(app: &TestApp, parts: usize, learners: usize) {
    let all = events(app);
    assert_eq!(all.len(), parts);
    let each: Vec<_> = all.iter().flat_map(invited).collect();
    let mut once = each.clone();
    once.sort();
    once.dedup();
    assert_eq!((each.len(), once.len()), (learners, learners));
}

async fn settled(admin: &Admin, place: &str) -> Value {
    admin.get(place).await.expect(200).body["settled"].clone()
}

/// Proves S1-17: a lost response of the calendar does not cause a second event.
#[tokio::test]
async fn a_lost_answer_makes_no_second_event() {
    let (app, cara) = start(tenant()).await;
    fail(&app, "POST", FaultKind::LoseAnswer, 1, 1);
    let made = schedule(&app, &cara, with(draft(600), &json!({"online": true}))).await;
    assert_eq!(made.body["settled"], true);
    assert_whole(&app, 2, 600);
    fail(&app, "PATCH", FaultKind::LoseAnswer, 1, 1);
    let renamed = patch(&app, &cara, &made, json!({"title": "Second aid"})).await;
    assert_eq!(renamed.expect(200).body["settled"], true);
    fail(&app, "POST", FaultKind::LoseAnswer, 1, 1);
    let gone = cara.delete(&place(&app, &made.body)).await.expect(200);
    assert_eq!(gone.body["settled"], true);
    assert_eq!(app.outside().cancelled_events.len(), 2);
}

/// Proves S1-17: if the calendar fails halfway, the response states it, and a tick completes the
/// rest.
#[tokio::test]
async fn a_tick_finishes_what_broke_off() {
    let (app, cara) = start(tenant()).await;
    fail(&app, "POST", status(503, "ServiceUnavailable"), 2, u32::MAX);
    let made = schedule(&app, &cara, with(draft(1_200), &json!({"online": true}))).await;
    assert_eq!(made.body["settled"], false);
    assert!(
        made.body["joinUrl"].is_string(),
        "the response lacks the meeting that exists"
    );
    assert_eq!(events(&app).len(), 1);
    let one = place(&app, &made.body);
    assert_eq!(settled(&cara, &one).await, false);
    app.clear_faults();
    app.tick("connections").await;
    assert_eq!(settled(&cara, &one).await, true);
    assert_whole(&app, 3, 1_200);
    app.forget_requests();
    app.tick("connections").await;
    assert!(app.writes().is_empty(), "a tick repeated completed work");

    // The same with a change of all events.
    fail(
        &app,
        "PATCH",
        status(400, "ErrorInvalidRequest"),
        2,
        u32::MAX,
    );
    let renamed = patch(&app, &cara, &made, json!({"title": "Second aid"})).await;
    assert_eq!(renamed.expect(200).body["settled"], false);
    app.clear_faults();
    app.tick("connections").await;
    assert!(events(&app).iter().all(|it| it.subject == "Second aid"));
    assert_whole(&app, 3, 1_200);
}

/// Proves S1-17: a function that crashes between two events leaves nothing missing and nothing
/// duplicated.
#[tokio::test]
async fn a_function_that_dies_leaves_no_doubles() {
    let (app, cara) = start(tenant()).await;
    fail(&app, "POST", FaultKind::Delay { ms: 8_000 }, 2, 1);
    let base = path(&app);
    let dies = async {
        while events(&app).is_empty() {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        // The request for the second event is in progress by now.
        tokio::time::sleep(Duration::from_millis(500)).await;
    };
    tokio::select! {
        answer = cara.post(&base, draft(900)) => panic!("{answer:?}"),
        () = dies => {}
    }
    let list = cara.get(&base).await.expect(200).body;
    assert_eq!(list["items"].as_array().map(Vec::len), Some(1));
    assert_eq!(list["items"][0]["settled"], false);
    app.tick("connections").await;
    let one = place(&app, &list["items"][0]);
    assert_eq!(settled(&cara, &one).await, true);
    tokio::time::sleep(Duration::from_secs(8)).await;
    assert_whole(&app, 2, 900);
}

/// Proves S1-17: a session cancelled before its event is known: an existing event is deleted, and
/// no invitation is sent any more.
#[tokio::test]
async fn what_was_never_known_is_cancelled() {
    let (app, cara) = start(tenant()).await;
    let body = with(draft(5), &json!({"room": room("Oak"), "online": true}));
    fail(&app, "POST", FaultKind::LoseAnswer, 1, u32::MAX);
    let lost = schedule(&app, &cara, body.clone()).await;
    assert_eq!(
        (&lost.body["settled"], events(&app).len()),
        (&json!(false), 1)
    );
    app.clear_faults();
    fail(&app, "POST", status(400, "ErrorInvalidRequest"), 1, 1);
    let never = schedule(&app, &cara, body).await;
    assert_eq!(
        (&never.body["settled"], events(&app).len()),
        (&json!(false), 1)
    );
    for session in [&lost, &never] {
        let gone = cara.delete(&place(&app, &session.body)).await.expect(200);
        assert_eq!(
            (&gone.body["settled"], &gone.body["roomAnswer"]),
            (&json!(true), &json!("noRoom"))
        );
    }
    assert!(events(&app).is_empty());
    let gone = app.outside().cancelled_events;
    let guests: Vec<_> = gone.iter().map(|it| it.event.attendees.len()).collect();
    assert_eq!(
        guests,
        [6, 0],
        "a cancellation was sent to others than invited guests"
    );
    assert!(gone[1].event.join_url.is_none());
}

/// Proves S1-17: an event that was deleted in the calendar is created again by the next change.
#[tokio::test]
async fn a_deleted_event_comes_back() {
    let (app, cara) = start(tenant()).await;
    let made = schedule(
        &app,
        &cara,
        with(draft(600), &json!({"room": room("Oak"), "online": true})),
    )
    .await;
    let before = events(&app);
    app.edit(|outside| outside.events.remove(0));
    let renamed = patch(&app, &cara, &made, json!({"title": "Second aid"})).await;
    let renamed = renamed.expect(200);
    assert_eq!(
        (&renamed.body["settled"], &renamed.body["roomAnswer"]),
        (&json!(true), &json!("accepted"))
    );
    assert_whole(&app, 2, 600);
    let after = events(&app);
    assert!(after.iter().all(|it| it.subject == "Second aid"));
    let first = after
        .iter()
        .find(|it| it.join_url.is_some())
        .expect("no first part");
    assert_ne!(first.transaction_id, before[0].transaction_id);
    assert_eq!(renamed.body["joinUrl"].as_str(), first.join_url.as_deref());
}

/// Proves S1-40 for sessions: a change after another account was connected is made in the new
/// account's calendar.
#[tokio::test]
async fn another_account_takes_the_sessions_over() {
    let (app, cara) = start(tenant()).await;
    let made = schedule(&app, &cara, draft(2)).await;
    app.connect_account_again(&cara, "Academy", "Other").await;
    let renamed = patch(&app, &cara, &made, json!({"title": "Second aid"})).await;
    let renamed = renamed.expect(200).body;
    assert_eq!(renamed["settled"], true);
    let all = events(&app);
    let own: Vec<_> = all
        .iter()
        .filter(|it| it.owner == app.object("Other"))
        .collect();
    assert_eq!(own.len(), 1);
    assert_eq!(
        (own[0].subject.as_str(), invited(own[0]).len()),
        ("Second aid", 2)
    );
    let left = &renamed["leftOut"][0]["detail"];
    assert!(
        left.as_str()
            .expect("no detail")
            .contains(&TestApp::address("Events"))
    );
}

/// Proves S1-16: a room whose response was pending when the account was replaced does not count
/// as declined, and a cancellation lists what it cannot reach.
#[tokio::test]
async fn another_account_knows_nothing_of_the_room() {
    let (app, cara) = start(tenant().room_that("Elm", super::slow)).await;
    let made = schedule(&app, &cara, with(draft(2), &json!({"room": room("Elm")}))).await;
    assert_eq!(made.body["roomAnswer"], "waiting");
    app.connect_account_again(&cara, "Academy", "Other").await;
    app.notify().await;
    app.tick("connections").await;
    let one = place(&app, &made.body);
    let seen = cara.get(&one).await.expect(200);
    assert_eq!(seen.body["roomAnswer"], "waiting");
    // A tick of another test may send the new account's welcome again; it is the same notice.
    let told = app.notify().await;
    let declined = |it: &Notice| matches!(it.about, NoticeKind::RoomDeclined { .. });
    assert!(!told.iter().any(declined), "{told:?}");
    let over = cara.delete(&one).await.expect(200);
    let left = over.body["leftOut"][0]["detail"]
        .as_str()
        .expect("no detail");
    assert!(left.contains(&TestApp::address("Events")), "{left}");
}

/// Proves S1-25 and S1-32 for sessions: an account without access to its calendar is lost, with a
/// notice; saved sessions are sent once after it is connected again.
#[tokio::test]
async fn an_account_that_may_not_is_lost() {
    let (app, cara) = start(tenant()).await;
    fail(&app, "POST", status(403, "ErrorAccessDenied"), 1, u32::MAX);
    let made = schedule(&app, &cara, draft(3)).await;
    assert_eq!(
        (&made.body["settled"], &made.body["leftOut"][0]["pointer"]),
        (&json!(false), &json!(""))
    );
    let seen = shown(&app).await;
    assert_eq!(
        (&seen["status"], &seen["fault"]["code"]),
        (&json!("consent_outdated"), &json!("ErrorAccessDenied"))
    );
    let told = app.notify().await;
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(matches!(told[0].about, NoticeKind::ConnectionLost { .. }));
    let refused = cara.post(&path(&app), draft(1)).await.expect(409);
    assert_eq!(refused.body["type"], "urn:rollcall:account-required");
    let one = place(&app, &made.body);
    cara.delete(&one).await.expect(409);
    app.tick("connections").await;
    assert!(app.notify().await.is_empty(), "a second notice was sent");
    app.clear_faults();
    app.connect_account_again(&cara, "Academy", "Events").await;
    app.tick("connections").await;
    assert_eq!(settled(&cara, &one).await, true);
    assert_whole(&app, 1, 3);
}

/// Proves S1-19 for sessions: a token that is rejected before it expires is renewed, and the
/// request succeeds.
#[tokio::test]
async fn a_refused_token_is_renewed() {
    let (app, cara) = start(tenant()).await;
    let expired = || status(401, "InvalidAuthenticationToken");
    let before = app.outside().refreshes;
    fail(&app, "POST", expired(), 1, 1);
    let made = schedule(&app, &cara, with(draft(600), &json!({"room": room("Oak")}))).await;
    assert_eq!(made.body["settled"], true);
    assert_eq!(app.outside().refreshes, before + 1);
    assert_whole(&app, 2, 600);
    let rooms = format!("/v1/catalogs/{}/rooms", app.catalog("Academy"));
    app.fault("/places/", expired(), 1, 1);
    cara.get(&rooms).await.expect(200);
    assert_eq!(app.outside().refreshes, before + 2);
    fail(&app, "PATCH", expired(), 1, u32::MAX);
    let renamed = patch(&app, &cara, &made, json!({"title": "Second aid"})).await;
    assert_eq!(renamed.expect(200).body["settled"], false);
    assert_eq!(shown(&app).await["status"], "connected");
    app.clear_faults();
    app.tick("connections").await;
    assert!(events(&app).iter().all(|it| it.subject == "Second aid"));
}

/// Proves S1-25 for rooms: an account without access to rooms is lost; an unavailable Graph is
/// not a loss.
#[tokio::test]
async fn rooms_cannot_be_read() {
    let (app, cara) = start(tenant()).await;
    let rooms = format!("/v1/catalogs/{}/rooms", app.catalog("Academy"));
    app.fault("/places/", status(503, "ServiceUnavailable"), 1, 5);
    cara.get(&rooms).await.expect(503);
    app.fault("getSchedule", status(400, "ErrorInvalidRequest"), 1, 1);
    let day = "from=2071-05-06T00:00:00Z&to=2071-05-07T00:00:00Z";
    let refused = cara.get(&format!("{rooms}?{day}")).await.expect(409);
    assert_eq!(refused.body["type"], "urn:rollcall:calendar-refused");
    assert_eq!(shown(&app).await["status"], "connected");
    app.clear_faults();
    let denied = || status(403, "Authorization_RequestDenied");
    app.fault("/places/", denied(), 1, 1);
    cara.get(&rooms).await.expect(200);
    assert_eq!(
        shown(&app).await["status"],
        "connected",
        "the account was lost despite a new token"
    );
    app.fault("/places/", status(403, "ErrorItemNotFound"), 1, u32::MAX);
    cara.get(&rooms).await.expect(409);
    assert_eq!(
        shown(&app).await["status"],
        "connected",
        "one forbidden room lost the account"
    );
    app.clear_faults();
    app.fault("/places/", denied(), 1, u32::MAX);
    let lost = cara.get(&rooms).await.expect(409);
    assert_eq!(lost.body["type"], "urn:rollcall:connection-lost");
    assert_eq!(shown(&app).await["status"], "consent_outdated");
    assert_eq!(app.notify().await.len(), 1);
}
