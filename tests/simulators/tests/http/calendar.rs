//! Calendars and rooms over HTTP: bookings, answers, doubles, free and busy times.

use reqwest::Method;
use rollcall_simulators::world::{ExchangePlan, Mailbox};
use serde_json::{Value, json};

use crate::office::{Office, text};

fn event(start: &str, end: &str, transaction: &str) -> Value {
    let moment = |time: &str| json!({"dateTime": format!("2026-07-01T{time}:00"), "timeZone": "America/Denver"});
    json!({
        "subject": "Class",
        "start": moment(start),
        "end": moment(end),
        "location": {"displayName": "Oak"},
        "attendees": [
            {"type": "resource", "emailAddress": {"address": "oak@contoso.example", "name": "Oak"}},
            {"type": "required", "emailAddress": {"address": "eve@x.example"}},
        ],
        "transactionId": transaction,
        "isOnlineMeeting": true,
        "onlineMeetingProvider": "teamsForBusiness",
        "allowNewTimeProposals": false,
    })
}

fn room_answer(event: &Value) -> &str {
    event["attendees"][0]["status"]["response"]
        .as_str()
        .unwrap_or_default()
}

#[tokio::test]
async fn a_room_is_booked_once_and_free_again_after_the_cancellation() {
    let office = Office::new().await;
    let token = office.access_token().await;
    let call = |method: Method, path: String, body: Option<Value>| {
        let (office, token) = (&office, &token);
        async move { office.graph(token, method, &path, body.as_ref()).await }
    };
    let events = || "/me/events".to_owned();
    let (status, rooms) = call(
        Method::GET,
        "/places/microsoft.graph.room?$top=1".into(),
        None,
    )
    .await;
    assert_eq!(
        (status, &rooms["value"][0]["emailAddress"]),
        (200, &json!("oak@contoso.example"))
    );
    assert!(rooms["@odata.nextLink"].is_string());

    let (status, first) = call(Method::POST, events(), Some(event("09:00", "10:00", "t1"))).await;
    assert_eq!(status, 201, "{first}");
    assert_eq!(room_answer(&first), "none");
    assert_eq!(first["start"]["dateTime"], "2026-07-01T15:00:00.0000000");
    assert!(first["onlineMeeting"]["joinUrl"].is_string());
    assert_eq!(first["allowNewTimeProposals"], false);
    let (status, same) = call(Method::POST, events(), Some(event("09:00", "10:00", "t1"))).await;
    assert_eq!((status, &same["id"]), (201, &first["id"]));
    let (_, second) = call(Method::POST, events(), Some(event("09:30", "10:30", "t2"))).await;
    assert_eq!(office.state().events.len(), 2);

    office.wait(31);
    let path = |it: &Value| format!("/me/events/{}", text(it, "id"));
    assert_eq!(
        room_answer(&call(Method::GET, path(&first), None).await.1),
        "accepted"
    );
    assert_eq!(
        room_answer(&call(Method::GET, path(&second), None).await.1),
        "declined"
    );

    let moment = |time: &str| json!({"dateTime": format!("2026-07-01T{time}:00"), "timeZone": "Mountain Standard Time"});
    let question = json!({
        "schedules": ["OAK@contoso.example", "elm@contoso.example", "none@contoso.example", office.ada_upn],
        "startTime": moment("08:30"),
        "endTime": moment("10:30"),
    });
    let (status, busy) = call(
        Method::POST,
        "/me/calendar/getSchedule".into(),
        Some(question),
    )
    .await;
    assert_eq!(status, 200, "{busy}");
    let views: Vec<&str> = busy["value"]
        .as_array()
        .expect("rows")
        .iter()
        .filter_map(|it| it["availabilityView"].as_str())
        .collect();
    assert_eq!(views, ["0220", "0000", "", "0222"]);
    assert!(busy["value"][2]["error"]["responseCode"].is_string());
    assert_eq!(busy["value"][0]["scheduleItems"][0]["status"], "busy");

    let cancel = format!("{}/cancel", path(&first));
    assert_eq!(
        call(Method::POST, cancel, Some(json!({"comment": "Sorry"})))
            .await
            .0,
        202
    );
    let later = json!({"start": moment("09:00"), "end": moment("09:45")});
    let (status, moved) = call(Method::PATCH, path(&second), Some(later)).await;
    assert_eq!((status, room_answer(&moved)), (200, "none"));
    let changed = json!({"transactionId": "t3"});
    assert_eq!(
        call(Method::PATCH, path(&second), Some(changed)).await.0,
        400
    );
    office.wait(31);
    let (_, all) = call(Method::GET, events(), None).await;
    assert_eq!(room_answer(&all["value"][0]), "accepted");
    assert_eq!(call(Method::DELETE, path(&second), None).await.0, 204);
    assert_eq!(call(Method::DELETE, path(&second), None).await.0, 404);
    let state = office.state();
    assert!(state.events.is_empty());
    let comments: Vec<_> = state
        .cancelled_events
        .iter()
        .map(|it| it.comment.as_deref())
        .collect();
    assert_eq!(comments, [Some("Sorry"), None]);
}

#[tokio::test]
async fn what_the_mailbox_cannot_do_is_refused() {
    let office = Office::new().await;
    let token = office.access_token().await;
    let post = |body: Value| {
        let (office, token) = (&office, &token);
        async move {
            office
                .graph(token, Method::POST, "/me/events", Some(&body))
                .await
        }
    };
    let (status, body) = post(json!({"subject": "x"})).await;
    assert_eq!(
        (status, &body["error"]["code"]),
        (400, &json!("ErrorPropertyValidationFailure"))
    );
    let no_teams = Mailbox {
        teams: false,
        ..Mailbox::default()
    };
    office.world(|world| drop(world.mailboxes.insert(office.ada, no_teams)));
    let (status, body) = post(event("09:00", "10:00", "t")).await;
    assert_eq!(
        (status, &body["error"]["code"]),
        (400, &json!("ErrorOnlineMeetingNotAllowed"))
    );
    let none = Mailbox {
        exchange: ExchangePlan::None,
        ..Mailbox::default()
    };
    office.world(|world| drop(world.mailboxes.insert(office.ada, none)));
    let (status, body) = post(event("09:00", "10:00", "t")).await;
    assert_eq!(
        (status, &body["error"]["code"]),
        (404, &json!("MailboxNotEnabledForRESTAPI"))
    );
    assert!(office.state().events.is_empty());
}
