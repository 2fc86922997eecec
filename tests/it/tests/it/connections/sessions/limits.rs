//! Sessions: permissions, licences and invalid requests.

use rollcall_simulators::world::{ExchangePlan, Mailbox};
use serde_json::{Value, json};

use super::{
    END, START, draft, events, invited, patch, path, place, room, schedule, start, start_as,
    tenant, with,
};
use crate::harness::Admin;

/// Proves S1-02: administrators of all courses can schedule sessions, catalog administrators in
/// their own catalogs, none of them without a connected account; other tenants see nothing.
#[tokio::test]
async fn sessions_are_for_those_who_may_work_on_the_catalog() {
    let (app, cara) = start(tenant()).await;
    let made = schedule(&app, &cara, draft(1)).await;
    let one = place(&app, &made.body);
    let campus = format!("/v1/catalogs/{}", app.catalog("Campus"));
    let academy = format!("/v1/catalogs/{}", app.catalog("Academy"));
    for tail in ["/rooms", "/sessions"] {
        let refused = cara.get(&format!("{campus}{tail}")).await.expect(403);
        assert_eq!(refused.body["type"], "urn:rollcall:not-your-catalog");
        for role in ["Owner", "SuperAdmin", "LmsAdmin"] {
            let admin = app.admin(role);
            admin.get(&format!("{academy}{tail}")).await.expect(200);
        }
        for role in ["ItAdmin", "GlobalAdmin", "CatalogAdmin", "Learner"] {
            let admin = app.admin(role);
            admin.get(&format!("{academy}{tail}")).await.expect(403);
        }
        let nobody = Admin::without_token(&app);
        nobody.get(&format!("{academy}{tail}")).await.expect(401);
    }
    let refused = cara.post(&format!("{campus}/sessions"), draft(1)).await;
    refused.expect(403);
    let it = app.admin("ItAdmin");
    it.delete(&one).await.expect(403);
    let lms = app.admin("LmsAdmin");
    let refused = [
        lms.get(&format!("{campus}/rooms")).await.expect(409),
        lms.post(&format!("{campus}/sessions"), draft(1))
            .await
            .expect(409),
    ];
    for refused in refused {
        assert_eq!(refused.body["type"], "urn:rollcall:account-required");
    }
    // A session belongs to one catalog and one tenant.
    let id = made.body["id"].as_str().expect("not a string");
    let elsewhere = format!("{campus}/sessions/{id}");
    lms.get(&elsewhere).await.expect(404);
    lms.delete(&elsewhere).await.expect(404);
    let stranger = app.admin_of(uuid::Uuid::new_v4(), &["LmsAdmin"]);
    // A tenant without data gets this error for every catalog.
    for refused in [stranger.get(&one).await, stranger.delete(&one).await] {
        assert_eq!(refused.expect(409).body["type"], "urn:rollcall:not-ready");
    }
    lms.get(&one).await.expect(200);
    assert_eq!(events(&app).len(), 1);
}

/// Proves S1-10 and S1-11: without Teams a session has no meeting but everything else; without
/// Exchange there is no calendar.
#[tokio::test]
async fn licences_limit_sessions() {
    let solo = Mailbox {
        teams: false,
        ..Mailbox::default()
    };
    let kit = Mailbox {
        exchange: ExchangePlan::Kiosk,
        ..Mailbox::default()
    };
    let tenant = tenant()
        .person("Solo", "Oslo")
        .mailbox("Solo", solo)
        .person("Kit", "Oslo")
        .mailbox("Kit", kit);
    let (app, cara) = start_as(tenant, "Solo").await;
    let body = with(draft(2), &json!({"room": room("Oak"), "online": true}));
    let made = schedule(&app, &cara, body.clone()).await;
    assert_eq!(
        (
            &made.body["online"],
            &made.body["joinUrl"],
            &made.body["roomAnswer"]
        ),
        (&json!(false), &Value::Null, &json!("accepted"))
    );
    let left_out = &made.body["leftOut"][0];
    assert_eq!(left_out["pointer"], "/online");
    assert!(
        left_out["detail"]
            .as_str()
            .expect("no reason")
            .contains("Microsoft Teams")
    );
    assert_eq!(invited(&events(&app)[0]).len(), 2);
    app.connect_account_again(&cara, "Academy", "Kit").await;
    let refused = cara.post(&path(&app), body).await.expect(409);
    assert_eq!(refused.body["type"], "urn:rollcall:licence-missing");
    assert!(refused.detail().contains("Exchange"));
    let rooms = format!("/v1/catalogs/{}/rooms", app.catalog("Academy"));
    let rooms = cara.get(&rooms).await.expect(409);
    assert_eq!(rooms.body["type"], "urn:rollcall:licence-missing");
    assert_eq!(events(&app).len(), 1);
}

/// All problems of a session are reported in one response, each once.
#[tokio::test]
async fn everything_wrong_is_reported_at_once() {
    let (app, cara) = start(tenant()).await;
    let base = path(&app);
    let wrong = async |body: Value| {
        let mut answer = cara.post(&base, body).await.expect(422);
        answer.sort_errors();
        let pointers = answer.pointers();
        pointers.iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    assert_eq!(
        wrong(json!({})).await,
        ["/end", "/start", "/timeZone", "/title"]
    );
    let all = json!({
        "title": "  ", "description": "x".repeat(4_001), "start": "2020-01-01T08:00:00Z",
        "end": "2020-01-03T08:00:00Z", "timeZone": "Mars/Base", "room": {"name": "Oak", "address": "oak"},
        "share": true, "learners": [{"address": "z@b.example"}, {"name": "\u{7}", "address": "nobody"}],
        "organiser": "me",
    });
    let expected = [
        "/description",
        "/end",
        "/learners/1/address",
        "/learners/1/name",
        "/organiser",
        "/room/address",
        "/share",
        "/start",
        "/timeZone",
        "/title",
    ];
    assert_eq!(wrong(all).await, expected);
    let unreadable = json!({
        "title": 7, "start": "tomorrow", "end": END, "timeZone": "Europe/Berlin", "online": "yes",
        "learners": [{"address": "a@b.example", "role": "x"}], "room": {"name": "Oak"},
    });
    assert_eq!(
        wrong(unreadable).await,
        ["/learners/0/role", "/online", "/room", "/start", "/title"]
    );
    assert_eq!(wrong(draft(2_001)).await, ["/learners"]);
    let turned = with(draft(1), &json!({"start": END, "end": START}));
    assert_eq!(wrong(turned).await, ["/end"]);
    cara.send("GET", &format!("{base}?offset=1"), None, &[])
        .await
        .expect(400);
    let made = schedule(&app, &cara, draft(1)).await;
    let mut bad = patch(
        &app,
        &cara,
        &made,
        json!({"title": null, "end": START, "colour": 1}),
    )
    .await
    .expect(422);
    bad.sort_errors();
    assert_eq!(bad.pointers(), ["/colour", "/end", "/title"]);
    assert_eq!(events(&app).len(), 1);
}
