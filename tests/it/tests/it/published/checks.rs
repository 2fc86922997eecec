//! The results of credential tests, check by check, for all possible problems.

use std::fmt::Write;

use rollcall_simulators::TenantState;
use rollcall_simulators::world::KeyLevel;
use serde_json::{Value, json};

use super::problems::says;
use super::steady;
use crate::directory_sync::SyncFixture;
use crate::harness::{Answer, TestApp, TestTenant};

/// Returns the checks of a test, one line each.
fn checks(headline: &str, test: &Value) -> String {
    let mut text = format!("## {headline}\nok: {}\n", test["ok"]);
    for check in test["checks"].as_array().expect("no checks") {
        let part = |name: &str| check[name].as_str().unwrap_or("-");
        let [id, status, pointer] = ["id", "status", "pointer"].map(part);
        let [title, detail] = ["title", "detail"].map(part);
        writeln!(text, "{id} {status} {pointer}\n  {title}\n  {detail}").expect("text not written");
    }
    text
}

/// Tests the entered credentials in services without cached tokens.
async fn test(app: &mut TestApp, body: Value) -> Answer {
    app.services = app.with_settings(app.services.settings.clone()).await;
    let owner = app.admin("Owner");
    owner.post("/v1/settings/test", body).await.expect(200)
}

type World = fn(&mut TenantState);

const WORLDS: [(&str, World); 6] = [
    ("an expired secret", |it| {
        it.world.apps[0].secret_expired = true;
    }),
    ("a disabled app", |it| it.world.apps[0].disabled = true),
    ("no permissions", |it| it.world.apps[0].roles.clear()),
    ("some permissions", |it| {
        it.world.apps[0]
            .roles
            .retain(|role| role.starts_with("User"));
    }),
    ("more than needed", |it| {
        it.world.apps[0]
            .roles
            .push("Directory.ReadWrite.All".to_owned());
    }),
    ("a key that reads only", |it| {
        it.world.lms_keys[0].level = KeyLevel::ReadOnly;
    }),
];

#[tokio::test]
async fn of_the_settings() {
    let mut app = Box::pin(TestApp::ready(TestTenant::small())).await;
    let as_stored = app.outside().world;
    let stored = test(&mut app, json!({})).await;
    let mut text = checks("as stored", &stored.body);
    for (headline, change) in WORLDS {
        app.edit(change);
        let answer = test(&mut app, json!({})).await;
        text += &checks(headline, &answer.body);
        app.edit(|outside| {
            outside.world.apps.clone_from(&as_stored.apps);
            outside.world.lms_keys.clone_from(&as_stored.lms_keys);
        });
    }
    let nobody = "11111111-2222-4333-8444-555555555555";
    for (headline, body) in [
        ("another app", json!({"entraApp": {"clientId": nobody}})),
        (
            "another secret",
            json!({"entraApp": {"clientSecret": "not-the-secret"}}),
        ),
        ("no id", json!({"entraApp": {"clientId": "my app"}})),
        (
            "another key",
            json!({"learn365ApiKey": "nobodys-key-at-all"}),
        ),
        ("no region", json!({"lmsUrl": "https://evil.example"})),
    ] {
        let answer = test(&mut app, body).await;
        text += &checks(headline, &answer.body);
    }
    app.fault("/", says(503, "ServiceUnavailable"), 1, 1_000);
    let answer = test(&mut app, json!({})).await;
    app.clear_faults();
    text += &checks("nothing answers", &answer.body);
    insta::assert_snapshot!(steady(&text));
}

/// Runs the sync's test in services without cached tokens.
async fn sync_test(fixture: &mut SyncFixture, headline: &str) -> String {
    fixture.forget_tokens().await;
    fixture.owner = fixture.app.admin("Owner");
    let answer = fixture.owner.post("/v1/sync/test", json!({})).await;
    checks(headline, &answer.expect(200).body["test"])
}

#[tokio::test]
async fn of_the_directory_sync() {
    let mut fixture = SyncFixture::small().await;
    let sales = fixture.group("Sales", &["Ada", "Grace"]);
    let filters = json!({"graph": "accountEnabled eq true", "groups": [sales]});
    fixture
        .save(|body| body["filters"] = filters)
        .await
        .expect(200);
    let as_stored = fixture.app.outside().world;
    let mut text = sync_test(&mut fixture, "as it should be").await;
    for (headline, change) in &WORLDS[..5] {
        fixture.app.edit(*change);
        text += &sync_test(&mut fixture, headline).await;
        fixture
            .app
            .edit(|outside| outside.world.apps.clone_from(&as_stored.apps));
    }
    fixture.app.edit(|outside| outside.world.groups.clear());
    text += &sync_test(&mut fixture, "groups that are gone").await;
    for (headline, path, code) in [
        ("the platform refuses", "/scim", 401),
        ("the platform is silent", "/scim", 503),
        ("Graph is silent", "/graph", 503),
        ("Entra is silent", "/oauth2/v2.0/token", 503),
    ] {
        fixture.app.fault(path, says(code, "No"), 1, 1_000);
        text += &sync_test(&mut fixture, headline).await;
        fixture.app.clear_faults();
    }
    insta::assert_snapshot!(steady(&text));
}
