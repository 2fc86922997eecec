//! Tests of calendars and rooms over HTTP: bookings, responses, duplicates, free/busy times.

use reqwest::Method;
use rollcall_simulators::world::{ExchangePlan, Mailbox};
use serde_json::{Value, json};

use crate::sign_in_site::{SignInSite, text};
use crate::site::Answered;

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

/// A sign-in site and a user's token.
struct CalendarSite {
    sign_in: SignInSite,
    token: String,
}

impl CalendarSite {
    async fn new() -> Self {
        let sign_in = SignInSite::new().await;
        let token = sign_in.access_token().await;
        Self { sign_in, token }
    }

    async fn call(&self, method: Method, path: &str, body: Option<Value>) -> Answered {
        self.sign_in
            .graph(&self.token, method, path, body.as_ref())
            .await
    }

    async fn book(&self, start: &str, end: &str, transaction: &str) -> Value {
        let body = event(start, end, transaction);
        let (status, made) = self.call(Method::POST, "/me/events", Some(body)).await;
        assert_eq!(status, 201, "{made}");
        made
    }

    async fn room_answer(&self, event: &Value) -> String {
        room_answer(&self.call(Method::GET, &path(event), None).await.1).to_owned()
    }
}

fn path(event: &Value) -> String {
    format!("/me/events/{}", text(event, "id"))
}

fn moment(time: &str) -> Value {
    json!({"dateTime": format!("2026-07-01T{time}:00"), "timeZone": "Mountain Standard Time"})
}

#[tokio::test]
async fn an_event_is_made_once_and_its_room_answers_later() {
    let site = CalendarSite::new().await;
    let rooms = "/places/microsoft.graph.room?$top=1";
    let (status, rooms) = site.call(Method::GET, rooms, None).await;
    let row = &rooms["value"][0];
    assert_eq!(
        (status, &row["emailAddress"]),
        (200, &json!("oak@contoso.example"))
    );
    assert!(rooms["@odata.nextLink"].is_string());

    let first = site.book("09:00", "10:00", "t1").await;
    assert_eq!(room_answer(&first), "none");
    assert_eq!(first["start"]["dateTime"], "2026-07-01T15:00:00.0000000");
    assert!(first["onlineMeeting"]["joinUrl"].is_string());
    assert_eq!(first["allowNewTimeProposals"], false);
    assert_eq!(site.book("09:00", "10:00", "t1").await["id"], first["id"]);
    let second = site.book("09:30", "10:30", "t2").await;
    assert_eq!(site.sign_in.state().events.len(), 2);

    site.sign_in.wait(31);
    assert_eq!(site.room_answer(&first).await, "accepted");
    assert_eq!(site.room_answer(&second).await, "declined");

    let question = json!({
        "schedules": [
            "OAK@contoso.example",
            "elm@contoso.example",
            "none@contoso.example",
            site.sign_in.ada_upn,
        ],
        "startTime": moment("08:30"),
        "endTime": moment("10:30"),
    });
    let ask = site.call(Method::POST, "/me/calendar/getSchedule", Some(question));
    let (status, busy) = ask.await;
    assert_eq!(status, 200, "{busy}");
    let rows = busy["value"].as_array().expect("rows").iter();
    let views: Vec<&str> = rows
        .filter_map(|it| it["availabilityView"].as_str())
        .collect();
    assert_eq!(views, ["0220", "0000", "", "0222"]);
    assert!(busy["value"][2]["error"]["responseCode"].is_string());
    assert_eq!(busy["value"][0]["scheduleItems"][0]["status"], "busy");
}

#[tokio::test]
async fn a_room_is_free_again_after_the_cancellation() {
    let site = CalendarSite::new().await;
    let first = site.book("09:00", "10:00", "t1").await;
    let second = site.book("09:30", "10:30", "t2").await;
    site.sign_in.wait(31);
    assert_eq!(site.room_answer(&second).await, "declined");
    let cancel = format!("{}/cancel", path(&first));
    let comment = json!({"comment": "Sorry"});
    assert_eq!(site.call(Method::POST, &cancel, Some(comment)).await.0, 202);
    let later = json!({"start": moment("09:00"), "end": moment("09:45")});
    let (status, moved) = site.call(Method::PATCH, &path(&second), Some(later)).await;
    assert_eq!((status, room_answer(&moved)), (200, "none"));
    let changed = json!({"transactionId": "t3"});
    assert_eq!(
        site.call(Method::PATCH, &path(&second), Some(changed))
            .await
            .0,
        400
    );
    site.sign_in.wait(31);
    let (_, all) = site.call(Method::GET, "/me/events", None).await;
    assert_eq!(room_answer(&all["value"][0]), "accepted");
    assert_eq!(site.call(Method::DELETE, &path(&second), None).await.0, 204);
    assert_eq!(site.call(Method::DELETE, &path(&second), None).await.0, 404);
    let state = site.sign_in.state();
    assert!(state.events.is_empty());
    let cancelled = state.cancelled_events.iter();
    let comments: Vec<_> = cancelled.map(|it| it.comment.as_deref()).collect();
    assert_eq!(comments, [Some("Sorry"), None]);
}

#[tokio::test]
async fn what_the_mailbox_cannot_do_is_refused() {
    let sign_in = SignInSite::new().await;
    let token = sign_in.access_token().await;
    let post = |body: Value| {
        let (sign_in, token) = (&sign_in, &token);
        async move {
            sign_in
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
    sign_in.world(|world| {
        world.mailboxes.insert(sign_in.ada, no_teams);
    });
    let (status, body) = post(event("09:00", "10:00", "t")).await;
    assert_eq!(
        (status, &body["error"]["code"]),
        (400, &json!("ErrorOnlineMeetingNotAllowed"))
    );
    let none = Mailbox {
        exchange: ExchangePlan::None,
        ..Mailbox::default()
    };
    sign_in.world(|world| {
        world.mailboxes.insert(sign_in.ada, none);
    });
    let (status, body) = post(event("09:00", "10:00", "t")).await;
    assert_eq!(
        (status, &body["error"]["code"]),
        (404, &json!("MailboxNotEnabledForRESTAPI"))
    );
    assert!(sign_in.state().events.is_empty());
}
