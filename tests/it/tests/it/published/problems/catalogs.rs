//! Problems of catalogs: their accounts, their rooms and sessions.

use rollcall_simulators::world::{ExchangePlan, Mailbox};
use serde_json::{Value, json};

use super::super::Told;
use super::{NOTHING, says};
use crate::harness::{Admin, TestApp, TestTenant};

const DAY: &str = "from=2071-05-06T00:00:00Z&to=2071-05-07T00:00:00Z";

fn tenant() -> TestTenant {
    let kiosk = Mailbox {
        exchange: ExchangePlan::Kiosk,
        ..Mailbox::default()
    };
    TestTenant::small()
        .course_of("Workshop", "Forklift")
        .person("Events", "Oslo")
        .mailbox("Events", Mailbox::default())
        .person("Kit", "Oslo")
        .mailbox("Kit", kiosk)
        .room("Oak")
}

/// Starts a tenant in which Cara administers the catalog Academy and no other.
async fn start() -> (TestApp, Admin) {
    let app = Box::pin(TestApp::ready(tenant())).await;
    let cara = app.catalog_admin("Cara", &["Academy"]).await;
    (app, cara)
}

fn sessions(app: &TestApp) -> String {
    format!("/v1/catalogs/{}/sessions", app.catalog("Academy"))
}

fn session() -> Value {
    json!({
        "title": "First aid", "start": "2071-05-06T08:00:00Z", "end": "2071-05-06T10:00:00Z",
        "timeZone": "Europe/Berlin",
        "learners": [{"name": "Kay", "address": "kay@learners.example"}],
    })
}

#[tokio::test]
async fn the_account_of_a_catalog() {
    let (app, cara) = start().await;
    let put = format!("PUT {}", app.mail_path("Academy"));
    let connect = format!("POST {}/connect", app.mail_path("Academy"));
    let mut told = Told::default();
    let on = || Some(json!({"enabled": true}));
    let owner = app.admin("Owner");
    told.refused("another role", &owner, &put, "\"0\"", on())
        .await;
    let workshop = format!("PUT {}", app.mail_path("Workshop"));
    told.refused("another catalog", &cara, &workshop, "\"0\"", on())
        .await;
    let nowhere = format!("GET /v1/catalogs/{NOTHING}/mail-connection");
    told.refused("no such catalog", &cara, &nowhere, "", None)
        .await;
    told.refused("no If-Match", &cara, &put, "", on()).await;
    told.refused("switched off", &cara, &connect, "", Some(json!({})))
        .await;
    for (what, body) in [
        ("nothing", json!({})),
        (
            "wrong kinds",
            json!({"enabled": 1, "signIn": 2, "organizationCalendar": 3}),
        ),
        (
            "no sender",
            json!({"enabled": true, "sender": "me@contoso.example", "from": "x"}),
        ),
        (
            "no address",
            json!({"enabled": true, "organizationCalendar": "everybody"}),
        ),
        ("switched off", json!({"enabled": false, "signIn": "x"})),
        ("a password", json!({"enabled": true, "password": "x"})),
        (
            "not activated",
            json!({"enabled": true, "useAzureCommunicationServices": true}),
        ),
        ("no sign-in", json!({"enabled": true, "signIn": "guessed"})),
    ] {
        told.refused(what, &cara, &put, "\"0\"", Some(body)).await;
    }
    app.connect_account(&cara, "Academy", "Events").await;
    told.refused("another version", &cara, &put, "\"77\"", on())
        .await;
    let end = format!("DELETE {}", app.mail_path("Academy"));
    told.refused("not confirmed", &cara, &end, "", None).await;
    let odd = format!("{end}?confirm=perhaps");
    told.refused("no word", &cara, &odd, "", None).await;
    insta::assert_snapshot!(told.steady());
}

#[tokio::test]
async fn sessions_without_a_calendar() {
    let (app, cara) = start().await;
    let list = format!("GET {}", sessions(&app));
    let make = format!("POST {}", sessions(&app));
    let rooms = format!("GET /v1/catalogs/{}/rooms", app.catalog("Academy"));
    let workshop = format!("GET /v1/catalogs/{}/sessions", app.catalog("Workshop"));
    let mut told = Told::default();
    told.refused("another catalog", &cara, &workshop, "", None)
        .await;
    told.refused("no cursor", &cara, &format!("{list}?cursor=zz"), "", None)
        .await;
    told.refused("no account", &cara, &make, "", Some(session()))
        .await;
    told.refused("no account", &cara, &rooms, "", None).await;
    for query in ["from=2071-05-06T00:00:00Z", "from=x&to=y"] {
        let request = format!("{rooms}?{query}");
        told.refused("no time", &cara, &request, "", None).await;
    }
    app.connect_account(&cara, "Academy", "Kit").await;
    told.refused("no licence", &cara, &rooms, "", None).await;
    told.refused("no licence", &cara, &make, "", Some(session()))
        .await;
    insta::assert_snapshot!(told.steady());
}

#[tokio::test]
async fn sessions_that_are_not_right() {
    let (app, cara) = start().await;
    app.connect_account(&cara, "Academy", "Events").await;
    let make = format!("POST {}", sessions(&app));
    let mut told = Told::default();
    let learner = |address: &str| json!({"name": "", "address": address});
    for (what, fields) in [
        (
            "in the past",
            json!({"start": "2001-05-06T08:00:00Z", "end": "2001-05-06T10:00:00Z"}),
        ),
        (
            "the wrong way round",
            json!({"end": "2071-05-06T07:00:00Z"}),
        ),
        (
            "too long",
            json!({"end": "2071-05-08T07:00:00Z", "title": "x".repeat(201), "description": "x".repeat(20_000)}),
        ),
        ("no zone", json!({"timeZone": "Moon", "title": " "})),
        (
            "no address",
            json!({"learners": [learner("kay"), learner("kay@learners.example"), learner("KAY@learners.example")]}),
        ),
        ("no room", json!({"room": {"name": "", "address": "oak"}})),
        ("no calendar", json!({"share": true})),
        (
            "wrong kinds",
            json!({"start": "soon", "room": 1, "online": "yes", "learners": 5, "colour": "red"}),
        ),
    ] {
        let body = crate::admin::with(session(), fields);
        told.refused(what, &cara, &make, "", Some(body)).await;
    }
    told.refused("nothing", &cara, &make, "", Some(json!({})))
        .await;
    let made = cara.post(&sessions(&app), session()).await.expect(201);
    let id = made.body["id"].as_str().expect("no id");
    let patch = format!("PATCH {}/{id}", sessions(&app));
    let change = || Some(json!({"title": "Second aid"}));
    told.refused("no If-Match", &cara, &patch, "", change())
        .await;
    told.refused("another version", &cara, &patch, "\"9\"", change())
        .await;
    cara.delete(&format!("{}/{id}", sessions(&app)))
        .await
        .expect(200);
    told.refused("cancelled", &cara, &patch, "\"2\"", change())
        .await;
    let missing = format!("GET {}/{NOTHING}", sessions(&app));
    told.refused("no such session", &cara, &missing, "", None)
        .await;
    insta::assert_snapshot!(told.steady());
}

#[tokio::test]
async fn a_calendar_that_says_no() {
    let (app, cara) = start().await;
    app.connect_account(&cara, "Academy", "Events").await;
    let rooms = format!("GET /v1/catalogs/{}/rooms", app.catalog("Academy"));
    let mut told = Told::default();
    app.fault("/places/", says(503, "ServiceUnavailable"), 1, 5);
    told.refused("silent", &cara, &rooms, "", None).await;
    app.clear_faults();
    app.fault("getSchedule", says(400, "ErrorInvalidRequest"), 1, 1);
    let day = format!("{rooms}?{DAY}");
    told.refused("refused", &cara, &day, "", None).await;
    app.clear_faults();
    app.fault(
        "/places/",
        says(403, "Authorization_RequestDenied"),
        1,
        u32::MAX,
    );
    told.refused("lost", &cara, &rooms, "", None).await;
    insta::assert_snapshot!(told.steady());
}
