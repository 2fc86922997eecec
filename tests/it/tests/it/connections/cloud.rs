//! The whole flow in a national cloud: only that cloud's hosts and authorities are used.

use rollcall_runtime::Cloud;
use rollcall_simulators::ConsentChoice;
use rollcall_simulators::world::Mailbox;
use serde_json::json;

use crate::harness::{TestApp, TestTenant};

/// Proves X-11 and S4-004: GCC High from the first sign-in to a mail, a room and a Teams meeting.
#[tokio::test]
async fn the_whole_flow_in_gcc_high() {
    let tenant = TestTenant::small()
        .person("Cara", "Denver")
        .person("Events", "Denver")
        .global_admin("Ada")
        .mailbox("Events", Mailbox::default())
        .room("Blue room");
    let mut app = Box::pin(TestApp::in_cloud(tenant, Cloud::UsGov)).await;
    app.installed("3.74").await;
    let own = app.services.settings.graph_url.clone();

    let ada = app.person("Ada", &[], true);
    let begun = ada
        .post("/v1/connections/entra/connect", json!({}))
        .await
        .expect(201);
    let url = begun.body["url"].as_str().expect("not a string").to_owned();
    assert!(url.starts_with(&app.services.settings.entra_url), "{url}");
    let back = app.sign_in(&url, &TestApp::address("Ada"), ConsentChoice::Accept);
    let consent = app.come_back(&back).await.url.to_string();
    let asked = url::Url::parse(&consent).expect("invalid address");
    let scope = asked
        .query_pairs()
        .find(|(name, _)| name == "scope")
        .expect("no scope")
        .1;
    assert_eq!(
        scope,
        format!("{own}/.default"),
        "the scope belongs to another cloud"
    );
    let back = app.sign_in(&consent, &TestApp::address("Ada"), ConsentChoice::Accept);
    assert_eq!(app.come_back(&back).await.param("result"), "connected");

    app.refresh().await;
    app.notices().await;
    an_account(&app).await;
}

/// Connects a catalog's account, sends a mail and schedules a session.
async fn an_account(app: &TestApp) {
    let own = &app.services.settings.graph_url;
    let cara = app.catalog_admin("Cara", &["Academy"]).await;
    let path = app.mail_path("Academy");
    cara.put(&path, "\"0\"", json!({"enabled": true}))
        .await
        .expect(200);
    let begun = cara
        .post(&format!("{path}/connect"), json!({}))
        .await
        .expect(201);
    let url = begun.body["url"].as_str().expect("not a string").to_owned();
    let scopes = url::Url::parse(&url).expect("invalid address");
    let scopes = scopes
        .query_pairs()
        .find(|(name, _)| name == "scope")
        .expect("no scopes")
        .1
        .into_owned();
    let resources = scopes.split(' ').filter(|scope| scope.contains("://"));
    assert!(
        resources.clone().count() > 4 && resources.clone().all(|scope| scope.starts_with(own)),
        "{scopes}"
    );
    app.connect_account_again(&cara, "Academy", "Events").await;
    app.notify().await;
    assert_eq!(app.outside().mails.len(), 1, "not one welcome");
    let start = chrono::Utc::now() + chrono::TimeDelta::days(2);
    let session = json!({
        "title": "Welding", "timeZone": "America/New_York", "online": true,
        "start": start, "end": start + chrono::TimeDelta::hours(1),
        "room": {"name": "Blue room", "address": "blue-room@contoso.example"},
    });
    let made = cara
        .post(
            &format!("/v1/catalogs/{}/sessions", app.catalog("Academy")),
            session,
        )
        .await
        .expect(201);
    assert!(
        made.body["joinUrl"].is_string() && made.body["settled"] == true,
        "{}",
        made.body
    );
    assert_eq!(
        app.asked_worldwide().await,
        0,
        "a request was sent to the other cloud"
    );
}
