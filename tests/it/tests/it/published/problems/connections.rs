//! Problems of the directory connection and of reading the directory.

use rollcall_simulators::ConsentChoice;
use serde_json::json;
use uuid::Uuid;

use super::super::Told;
use super::{NOTHING, says};
use crate::harness::{TestApp, TestTenant};

/// Starts a tenant of the newest version whose Global Administrator is Ada.
async fn newest() -> TestApp {
    let app = Box::pin(TestApp::ready(TestTenant::small().global_admin("Ada"))).await;
    app.installed("3.74").await;
    app
}

/// Connects the directory completely.
async fn connect(app: &TestApp) {
    let ada = app.person("Ada", &[], true);
    let begun = ada.post("/v1/connections/entra/connect", json!({})).await;
    let begun = begun.expect(201);
    let url = begun.body["url"].as_str().expect("no URL").to_owned();
    let login = TestApp::address("Ada");
    let back = app.sign_in(&url, &login, ConsentChoice::Accept);
    let consent = app.come_back(&back).await.url.to_string();
    let back = app.sign_in(&consent, &login, ConsentChoice::Accept);
    assert_eq!(app.come_back(&back).await.param("result"), "connected");
}

#[tokio::test]
async fn connecting_and_disconnecting() {
    let app = newest().await;
    let ada = app.person("Ada", &[], true);
    let owner = app.admin("Owner");
    let begin = "POST /v1/connections/entra/connect";
    let end = "DELETE /v1/connections/entra";
    let mut told = Told::default();
    for path in [
        "https://evil.example",
        "//evil.example",
        "/a\\b",
        "settings",
    ] {
        let body = Some(json!({"returnTo": path}));
        told.refused("no page", &ada, begin, "", body).await;
    }
    told.refused("not yours to drop", &owner, end, "", None)
        .await;
    connect(&app).await;
    told.refused("set up", &owner, end, "", None).await;
    let older = Box::pin(TestApp::of(TestTenant::small())).await;
    let admin = older.person("Ada", &[], true);
    told.refused("by default", &admin, begin, "", Some(json!({})))
        .await;
    insta::assert_snapshot!(told.steady());
}

#[tokio::test]
async fn features_that_need_the_directory() {
    let app = newest().await;
    let admin = app.admin("LmsAdmin");
    let mut told = Told::default();
    let group = json!({"group": NOTHING});
    let groups = format!("POST /v1/catalogs/{}/groups", app.catalog("Academy"));
    let guest = json!({"address": "kay@fabrikam.com"});
    let key = json!({"contact": "lms@contoso.example", "learn365ApiKey": "a-key-of-somebody"});
    for (request, body) in [
        ("GET /v1/directory/users".to_owned(), None),
        (format!("GET /v1/directory/users/{NOTHING}"), None),
        ("GET /v1/directory/groups".to_owned(), None),
        (groups, Some(group)),
        ("POST /v1/directory/guests".to_owned(), Some(guest)),
        ("PUT /v1/settings".to_owned(), Some(key)),
    ] {
        told.refused("not connected", &admin, &request, "\"1\"", body)
            .await;
    }
    insta::assert_snapshot!(told.steady());
}

#[tokio::test]
async fn the_directory_says_no() {
    let app = newest().await;
    connect(&app).await;
    let admin = app.admin("LmsAdmin");
    let groups = format!("POST /v1/catalogs/{}/groups", app.catalog("Academy"));
    let guests = "POST /v1/directory/guests";
    let mut told = Told::default();
    for (what, request, body) in [
        ("nothing", groups.as_str(), json!({})),
        ("no such group", &groups, json!({"group": Uuid::nil()})),
        (
            "no course of it",
            &groups,
            json!({"group": NOTHING, "courses": [NOTHING]}),
        ),
        ("no ids", &groups, json!({"group": "x", "courses": "y"})),
        ("no address", guests, json!({})),
        ("no address", guests, json!({"address": "kay"})),
        (
            "one of us",
            guests,
            json!({"address": TestApp::address("Ada")}),
        ),
    ] {
        told.refused(what, &admin, request, "", Some(body)).await;
    }
    let nowhere = format!("POST /v1/catalogs/{NOTHING}/groups");
    let group = Some(json!({"group": NOTHING}));
    told.refused("no such catalog", &admin, &nowhere, "", group)
        .await;
    let person = format!("GET /v1/directory/users/{NOTHING}");
    told.refused("no such person", &admin, &person, "", None)
        .await;
    app.fault("/users", says(503, "ServiceUnavailable"), 1, 50);
    let people = "GET /v1/directory/users?search=Al";
    told.refused("silent", &admin, people, "", None).await;
    app.clear_faults();
    app.fault("/users", says(403, "Authorization_RequestDenied"), 1, 50);
    told.refused("not allowed", &admin, people, "", None).await;
    insta::assert_snapshot!(told.steady());
}

#[tokio::test]
async fn the_platform_says_no() {
    let app = newest().await;
    connect(&app).await;
    let admin = app.admin("LmsAdmin");
    let group = Uuid::new_v4();
    app.edit(|outside| {
        outside
            .world
            .groups
            .push(rollcall_simulators::world::EntraGroup {
                id: group,
                display_name: "Sales".to_owned(),
                unique_name: None,
                description: None,
                mail_nickname: "sales".to_owned(),
                dynamic: false,
                on_premises_synced: false,
                role_assignable: false,
                members: [].into(),
            });
    });
    let request = format!("POST /v1/catalogs/{}/groups", app.catalog("Academy"));
    let body = || Some(json!({"group": group}));
    let mut told = Told::default();
    for (what, code) in [("silent", 503), ("refused", 403)] {
        app.fault("/odata/v2/", says(code, "No"), 1, 200);
        told.refused(what, &admin, &request, "", body()).await;
        app.clear_faults();
    }
    insta::assert_snapshot!(told.steady());
}
