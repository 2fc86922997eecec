//! Rooms: list, availability and responses to invitations.

use rollcall_domain::notices::{Notice, NoticeKind};
use rollcall_simulators::{FaultKind, TenantState};
use serde_json::{Value, json};

use super::{
    END, START, draft, events, patch, place, room, rooms_of, schedule, slow, start, tenant, with,
};
use crate::harness::{CONTACT, TestApp, TestTenant};

const DAY: &str = "from=2071-05-06T00:00:00Z&to=2071-05-07T00:00:00Z";

fn rooms(app: &TestApp) -> String {
    format!("/v1/catalogs/{}/rooms", app.catalog("Academy"))
}

fn declined(notices: &[Notice]) -> Vec<&Notice> {
    let all = notices.iter();
    all.filter(|it| matches!(it.about, NoticeKind::RoomDeclined { .. }))
        .collect()
}

fn later(outside: &mut TenantState) {
    outside.world.behaviour.clock_ahead_ms = 61_000;
}

/// Proves S1-16: rooms are listed with their properties and availability.
#[tokio::test]
async fn rooms_are_listed_with_their_times() {
    let (app, cara) = start(tenant().room("Elm")).await;
    let base = rooms(&app);
    let plain = cara.get(&base).await.expect(200).body;
    let oak = json!({"name": "Oak", "address": "oak@contoso.example", "capacity": 12, "building": "North", "busy": []});
    assert_eq!(plain["items"][1], oak, "not sorted by name");
    schedule(&app, &cara, with(draft(1), &json!({"room": room("Elm")}))).await;
    let day = cara.get(&format!("{base}?{DAY}")).await.expect(200).body;
    assert_eq!(
        (&day["items"][0]["free"], &day["items"][0]["busy"]),
        (&json!(false), &json!([{"start": START, "end": END}]))
    );
    assert_eq!(
        (&day["items"][1]["free"], &day["items"][1]["busy"]),
        (&json!(true), &json!([]))
    );
    let before = "from=2071-05-06T00:00:00Z&to=2071-05-06T08:00:00Z";
    let before = cara.get(&format!("{base}?{before}")).await.expect(200).body;
    assert_eq!(before["items"][0]["free"], true);

    let schedules = json!({"value": [
        {"scheduleId": "elm@contoso.example", "scheduleItems": [], "error": {"responseCode": "ErrorAccessDenied"}},
        {"scheduleId": "oak@contoso.example", "scheduleItems": []},
    ]});
    let kind = FaultKind::Status {
        code: 200,
        retry_after: None,
        body: Some(schedules),
    };
    app.fault("getSchedule", kind, 1, 1);
    let unread = cara.get(&format!("{base}?{DAY}")).await.expect(200).body;
    assert_eq!(
        (&unread["items"][0]["free"], &unread["items"][1]["free"]),
        (&Value::Null, &json!(true))
    );
}

/// The requested period needs both ends, in order and within the limit.
#[tokio::test]
async fn a_time_for_rooms_has_two_ends() {
    let (app, cara) = start(tenant()).await;
    let base = rooms(&app);
    let day = "2071-05-06T00:00:00Z";
    for query in [
        format!("from={day}"),
        format!("to={day}"),
        format!("from={day}&to={day}"),
        format!("from={day}&to=2071-05-05T00:00:00Z"),
        format!("from={day}&to=2071-07-07T00:00:01Z"),
    ] {
        let refused = cara.get(&format!("{base}?{query}")).await.expect(422);
        assert_eq!(refused.pointers(), ["/to"], "{query}");
    }
    let longest = format!("{base}?from={day}&to=2071-07-07T00:00:00Z");
    cara.get(&longest).await.expect(200);
    for query in ["from=tomorrow", "day=1"] {
        cara.get(&format!("{base}?{query}")).await.expect(400);
    }
}

/// Proves S1-16: all rooms of a large organisation are listed with their availability.
#[tokio::test]
async fn more_rooms_than_a_page_holds() {
    let many = (0..120).fold(tenant(), |tenant: TestTenant, number| {
        tenant.room(&format!("R{number:03}"))
    });
    let (app, cara) = start(many).await;
    schedule(&app, &cara, with(draft(1), &json!({"room": room("R119")}))).await;
    app.forget_requests();
    let found = cara
        .get(&format!("{}?{DAY}", rooms(&app)))
        .await
        .expect(200)
        .body;
    let items = found["items"].as_array().expect("not a list");
    assert_eq!(items.len(), 121);
    let taken: Vec<_> = items.iter().filter(|it| it["free"] == false).collect();
    assert_eq!(taken.len(), 1);
    assert_eq!(taken[0]["name"], "R119");
    assert!(items.iter().all(|it| it["free"].is_boolean()));
    let asked = app.simulators.requests(app.id.uuid());
    let asked = asked.iter().filter(|it| it.path.contains("getSchedule"));
    assert_eq!(asked.count(), 2);
}

/// Proves S1-16: a room that declines later causes one notice to the administrators.
#[tokio::test]
async fn a_room_that_declines_is_reported_once() {
    let tenant = tenant().room_that("Elm", |room| {
        room.accepts = false;
        slow(room);
    });
    let (app, cara) = start(tenant).await;
    let made = schedule(&app, &cara, with(draft(2), &json!({"room": room("Elm")}))).await;
    assert_eq!(
        (&made.body["roomAnswer"], &made.body["settled"]),
        (&json!("waiting"), &json!(true))
    );
    app.tick("connections").await;
    assert!(
        app.notify().await.is_empty(),
        "a notice was sent before the room responded"
    );
    app.tick_after("connections", later).await;
    let told = app.notify().await;
    let about = declined(&told);
    assert_eq!(about.len(), 1, "{told:?}");
    for admin in [CONTACT.to_owned(), TestApp::address("Cara")] {
        assert!(about[0].recipients.contains(&admin), "{admin}");
    }
    let mails = app.mails_to(&TestApp::address("Cara")).await;
    assert!(mails.iter().any(|mail| mail.text.contains("Elm")));
    let one = place(&app, &made.body);
    assert_eq!(
        cara.get(&one).await.expect(200).body["roomAnswer"],
        "declined"
    );
    app.tick("connections").await;
    assert!(app.notify().await.is_empty(), "a second notice was sent");
    let renamed = patch(&app, &cara, &made, json!({"title": "Second aid"})).await;
    assert_eq!(renamed.expect(200).body["roomAnswer"], "declined");
    assert!(
        app.notify().await.is_empty(),
        "a notice was sent without a new response"
    );
}

/// Proves S1-16: a late response of a room is detected, and does not change the version of the
/// session.
#[tokio::test]
async fn a_room_takes_its_time() {
    let (app, cara) = start(tenant().room_that("Elm", slow)).await;
    let made = schedule(&app, &cara, with(draft(2), &json!({"room": room("Elm")}))).await;
    assert_eq!(made.body["roomAnswer"], "waiting");
    let one = place(&app, &made.body);
    assert_eq!(
        cara.get(&one).await.expect(200).body["roomAnswer"],
        "waiting"
    );
    app.edit(later);
    let read = cara.get(&one).await.expect(200);
    assert_eq!(
        (&read.body["roomAnswer"], read.header("etag")),
        (&json!("accepted"), "\"1\"")
    );
    let renamed = patch(&app, &cara, &made, json!({"title": "Second aid"})).await;
    assert_eq!(renamed.expect(200).body["roomAnswer"], "accepted");
}

/// Proves S1-16: a room that is already booked declines immediately; at another time it accepts.
#[tokio::test]
async fn a_room_is_booked_once() {
    let (app, cara) = start(tenant()).await;
    let body = with(draft(2), &json!({"room": room("Oak")}));
    let first = schedule(&app, &cara, body.clone()).await;
    assert_eq!(first.body["roomAnswer"], "accepted");
    let second = schedule(&app, &cara, body).await;
    assert_eq!(second.body["roomAnswer"], "declined");
    assert_eq!(declined(&app.notify().await).len(), 1);
    app.tick("connections").await;
    assert!(app.notify().await.is_empty(), "a second notice was sent");
    // Still not free: it is invited again, declines again, and another notice is sent.
    let half = json!({"start": "2071-05-06T09:00:00Z"});
    let half = patch(&app, &cara, &second, half).await.expect(200);
    assert_eq!(half.body["roomAnswer"], "declined");
    assert_eq!(declined(&app.notify().await).len(), 1);
    let later = json!({"start": END, "end": "2071-05-06T11:00:00Z"});
    let moved = patch(&app, &cara, &half, later).await.expect(200);
    assert_eq!(moved.body["roomAnswer"], "accepted");
    assert!(app.notify().await.is_empty());
    // The first session releases the room; the next one gets it.
    cara.delete(&place(&app, &first.body)).await.expect(200);
    let back = json!({"start": START, "end": END});
    let back = patch(&app, &cara, &moved, back).await.expect(200);
    assert_eq!(back.body["roomAnswer"], "accepted");
}

/// A room's response to an earlier invitation does not count for a new room that is not invited
/// yet.
#[tokio::test]
async fn the_room_before_does_not_answer_for_the_next() {
    let elm = tenant().room_that("Elm", |room| room.accepts = false);
    let (app, cara) = start(elm.room_that("Ash", slow)).await;
    let made = schedule(&app, &cara, with(draft(2), &json!({"room": room("Ash")}))).await;
    let kind = FaultKind::Status {
        code: 400,
        retry_after: None,
        body: None,
    };
    app.simulators.add_fault(
        app.id.uuid(),
        rollcall_simulators::Fault::once("/me/events", kind)
            .method("PATCH")
            .at(1, u32::MAX),
    );
    let moved = patch(&app, &cara, &made, json!({"room": room("Elm")})).await;
    let moved = moved.expect(200);
    assert_eq!(
        (&moved.body["roomAnswer"], &moved.body["settled"]),
        (&json!("waiting"), &json!(false))
    );
    app.edit(later);
    assert_eq!(rooms_of(&events(&app)[0]), ["ash@contoso.example"]);
    let read = cara.get(&place(&app, &made.body)).await.expect(200);
    assert_eq!(
        read.body["roomAnswer"], "waiting",
        "Ash's response was used for Elm"
    );
    app.clear_faults();
    app.tick("connections").await;
    let read = cara.get(&place(&app, &made.body)).await.expect(200);
    assert_eq!(
        (&read.body["roomAnswer"], &read.body["settled"]),
        (&json!("declined"), &json!(true))
    );
}
