//! Features that require the directory connection.

use serde_json::json;

use super::{app, connect};
use crate::harness::{TestApp, TestTenant};

/// Proves S0-08, S0-11, S0-14 and S0-18: without the connection each feature is rejected with the
/// path to connect; with it, each works.
#[tokio::test]
async fn features_wait_for_the_connection() {
    let app = TestApp::ready(TestTenant::small().global_admin("Ada")).await;
    app.installed("3.74").await;
    app.edit(|outside| {
        outside.world.people[1].manager = outside.world.people[0].object_id;
        outside.world.people[1].department = Some("Sales".to_owned());
    });
    let admin = app.admin("LmsAdmin");
    let alan = format!("/v1/directory/users/{}", app.object("Alan"));
    let catalog = format!("/v1/catalogs/{}/groups", app.catalog("Academy"));
    for path in ["/v1/directory/users", "/v1/directory/groups", &alan] {
        let refused = admin.get(path).await.expect(409);
        assert_eq!(refused.body["type"], "urn:rollcall:integration-required");
        assert_eq!(refused.body["connect"], "/v1/connections/entra/connect");
    }
    for (path, body) in [("/v1/directory/guests", json!({})), (&catalog, json!({}))] {
        let refused = admin.post(path, body).await.expect(409);
        assert_eq!(refused.body["type"], "urn:rollcall:integration-required");
    }
    let features = async || {
        let list = admin.get("/v1/connections").await.expect(200);
        let all = list.body["features"]
            .as_array()
            .expect("not a list")
            .clone();
        assert!(all.iter().all(|it| it["requiresIntegration"] == true));
        all.iter().filter(|it| it["available"] == true).count()
    };
    assert_eq!(features().await, 0);
    connect(&app).await;
    assert_eq!(features().await, 6);
    let found = admin.get("/v1/directory/users?search=Al").await.expect(200);
    assert_eq!(found.body["items"][0]["name"], "Alan");
    let person = admin.get(&alan).await.expect(200);
    assert_eq!(person.body["department"], "Sales");
    assert_eq!(person.body["managers"][0]["name"], "Ada");
}

/// Proves S0-09: a group of the directory is added to a catalog and enrolled.
#[tokio::test]
async fn a_group_is_added_and_enrolled() {
    let app = TestApp::ready(TestTenant::small().global_admin("Ada")).await;
    app.installed("3.74").await;
    connect(&app).await;
    let group = uuid::Uuid::new_v4();
    app.edit(|outside| {
        outside
            .world
            .groups
            .push(rollcall_simulators::world::EntraGroup {
                id: group,
                display_name: "Sales people".to_owned(),
                unique_name: None,
                description: None,
                mail_nickname: "sales".to_owned(),
                dynamic: false,
                on_premises_synced: false,
                role_assignable: false,
                members: [].into(),
            });
    });
    let admin = app.admin("LmsAdmin");
    let found = admin
        .get("/v1/directory/groups?search=Sal")
        .await
        .expect(200);
    assert_eq!(found.body["items"][0]["name"], "Sales people");
    let path = format!("/v1/catalogs/{}/groups", app.catalog("Academy"));
    let course = app.course("Security 101");
    let body = json!({"group": group, "courses": [course]});
    let first = admin.post(&path, body.clone()).await.expect(200);
    assert_eq!(
        first.body["waiting"],
        json!([course]),
        "the platform must import the group first"
    );
    let second = admin.post(&path, body).await.expect(200);
    assert_eq!(second.body["enrolled"], json!([course]));
    assert!(app.outside().is_group_enrolled(group, course.uuid()));
    let strange = admin
        .post(&path, json!({"group": uuid::Uuid::new_v4()}))
        .await
        .expect(422);
    assert_eq!(strange.pointers(), ["/group"]);
}

/// Proves S0-10: changes in the directory are visible immediately, without any action.
#[tokio::test]
async fn changes_in_the_directory_show_at_once() {
    let app = TestApp::ready(TestTenant::small().global_admin("Ada")).await;
    app.installed("3.74").await;
    connect(&app).await;
    let admin = app.admin("LmsAdmin");
    let path = format!("/v1/directory/users/{}", app.object("Grace"));
    assert_eq!(admin.get(&path).await.expect(200).body["enabled"], true);
    app.edit(|outside| {
        outside.world.people[2].display_name = "Grace H.".to_owned();
        outside.world.people[2].account_enabled = false;
    });
    let after = admin.get(&path).await.expect(200);
    assert_eq!(
        (&after.body["name"], &after.body["enabled"]),
        (&json!("Grace H."), &json!(false))
    );
    app.edit(|outside| {
        outside.world.people.remove(2);
    });
    admin.get(&path).await.expect(404);
}

/// Proves S0-12: guests are invited.
#[tokio::test]
async fn a_guest_is_invited() {
    let app = TestApp::ready(TestTenant::small().global_admin("Ada")).await;
    app.installed("3.74").await;
    connect(&app).await;
    let admin = app.admin("LmsAdmin");
    let wrong = admin
        .post("/v1/directory/guests", json!({"address": "nobody"}))
        .await
        .expect(422);
    assert_eq!(wrong.pointers(), ["/address"]);
    let invited = admin.post(
        "/v1/directory/guests",
        json!({"address": "kay@fabrikam.example"}),
    );
    let invited = invited.await.expect(201);
    let path = format!(
        "/v1/directory/users/{}",
        invited.body["id"].as_str().expect("not a string")
    );
    assert_eq!(admin.get(&path).await.expect(200).body["guest"], true);
    let own = admin.post(
        "/v1/directory/guests",
        json!({"address": TestApp::address("Ada")}),
    );
    assert_eq!(own.await.expect(422).pointers(), ["/address"]);
}

/// Proves S0-13: API keys are stored only while connected.
#[tokio::test]
async fn an_api_key_needs_the_connection() {
    let app = app().await;
    let admin = app.admin("ItAdmin");
    let settings = admin.get("/v1/settings").await.expect(200);
    let tag = settings.header("etag").to_owned();
    let key = app.outside().world.lms_keys[0].key.clone();
    let body = json!({"contact": "lms@contoso.example", "learn365ApiKey": key});
    let refused = admin
        .put("/v1/settings", &tag, body.clone())
        .await
        .expect(409);
    assert_eq!(refused.body["type"], "urn:rollcall:integration-required");
    connect(&app).await;
    admin.put("/v1/settings", &tag, body).await.expect(200);
}
