//! Settings and credentials in the API: the first save, later ones, tests, secrets.

use std::time::Duration;

use rollcall_clients::store::{Lease, MAINTENANCE_LEASE};
use rollcall_domain::base::run::{RunStatus, Trigger};
use rollcall_domain::base::schedule::Job;
use rollcall_simulators::FaultKind;
use rollcall_simulators::world::{KeyLevel, World};
use serde_json::{Value, json};

use super::{column, with};
use crate::harness::{TestApp, TestTenant};

/// Returns the body of an administrator's first save.
fn first(world: &World) -> Value {
    json!({
        "contact": "lms@contoso.example",
        "groupPrefix": "LMS - ",
        "displayName": "Contoso",
        "learn365ApiKey": world.lms_keys[0].key,
        "entraApp": {
            "clientId": world.apps[0].client_id,
            "clientSecret": world.apps[0].client_secret,
        },
    })
}

/// Proves S4-012, S4-013, S4-015, S4-017, S4-020, S4-031, S4-102 and S4-103: the first save
/// stores settings and credentials, announces a delay of a few minutes, and requests the first
/// refresh, which succeeds with these credentials.
#[tokio::test]
async fn the_first_save_starts_everything() {
    let (app, world) = TestApp::blank(TestTenant::small()).await;
    let admin = app.admin("LmsAdmin");
    admin.get("/v1/settings").await.expect(404);
    admin.get("/v1/profiles").await.expect(200);
    assert_eq!(
        admin.get("/v1/schema").await.expect(409).body["type"],
        "urn:rollcall:not-ready"
    );
    let saved = admin
        .put("/v1/settings", "", first(&world))
        .await
        .expect(201);
    assert_eq!(saved.header("etag"), "\"1\"");
    assert!(
        saved.body["notice"]
            .as_str()
            .expect("not a string")
            .contains("within a few minutes")
    );
    assert_eq!(saved.body["onboarding"], "awaiting_first_refresh");
    assert_eq!(
        saved.body["connection"]["ok"], true,
        "{:#}",
        saved.body["connection"]
    );
    let requests = app.requests(Job::Refresh).await;
    assert_eq!(requests.len(), 1);
    assert_eq!(requests[0].trigger, Trigger::FirstSave);
    app.work(&requests[0]).await.expect("not handled");
    assert_eq!(app.run(&requests[0]).await.status, RunStatus::Succeeded);
    let ready = admin.get("/v1/settings").await.expect(200).body;
    assert_eq!(ready["onboarding"], "ready");
    admin.get("/v1/schema").await.expect(200);
    let again = admin.put("/v1/settings", "", first(&world)).await;
    assert_eq!(again.status, 428);
}

/// Proves S4-016, S4-023, S4-029 and X-09: no response, audit event or item of the table contains
/// a credential.
#[tokio::test]
async fn credentials_go_in_and_never_come_out() {
    let (app, world) = TestApp::blank(TestTenant::small()).await;
    let admin = app.admin("Owner");
    let saved = admin
        .put("/v1/settings", "", first(&world))
        .await
        .expect(201);
    let (key, secret) = (&world.lms_keys[0].key, &world.apps[0].client_secret);
    let shown = admin.get("/v1/settings").await.expect(200).body;
    let audit = admin.get("/v1/audit").await.expect(200).body;
    let told = format!("{}{shown}{audit}{:?}", saved.body, app.items().await);
    assert!(!told.contains(key.as_str()) && !told.contains(secret.as_str()));
    assert_eq!(shown["learn365ApiKey"]["isSet"], true);
    assert_eq!(
        shown["entraApp"]["clientId"],
        json!(world.apps[0].client_id)
    );
    assert_eq!(shown["entraApp"]["clientSecret"]["isSet"], true);
    let ending = shown["learn365ApiKey"]["ending"]
        .as_str()
        .expect("key too short");
    assert!(key.ends_with(ending) && ending.len() == 4);
    let mut actions = column(&audit["items"], "action");
    actions.sort();
    let expected = [
        "credential_replaced",
        "credential_replaced",
        "credential_replaced",
        "installation_changed",
        "settings_saved",
    ];
    assert_eq!(actions, expected);
}

/// Proves S4-012, S4-030 and C-13: all missing and malformed fields are reported in one response;
/// the id of a secret in place of its value gets a specific hint.
#[tokio::test]
async fn what_is_missing_or_misshapen_is_reported_at_once() {
    let (app, world) = TestApp::blank(TestTenant::small()).await;
    let admin = app.admin("Owner");
    let nothing = admin.put("/v1/settings", "", json!({})).await.expect(422);
    let mut places = nothing.pointers();
    places.sort_unstable();
    let expected = [
        "/contact",
        "/entraApp/clientId",
        "/entraApp/clientSecret",
        "/learn365ApiKey",
    ];
    assert_eq!(places, expected);
    let wrong = with(
        first(&world),
        json!({
            "contact": "nobody",
            "lmsUrl": "https://evil.example",
            "groupPrefix": "x".repeat(65),
            "entraApp": {"clientId": "my app", "clientSecret": "6f9619ff-8b86-4011-b42d-00c04fc964ff"},
            "tenantId": "x",
        }),
    );
    let answer = admin.put("/v1/settings", "", wrong).await.expect(422);
    let mut places = answer.pointers();
    places.sort_unstable();
    let expected = [
        "/contact",
        "/entraApp/clientId",
        "/entraApp/clientSecret",
        "/groupPrefix",
        "/lmsUrl",
        "/tenantId",
    ];
    assert_eq!(places, expected);
    let hint = answer.body["errors"]
        .as_array()
        .expect("no problems")
        .iter();
    let hint = hint
        .clone()
        .find(|error| error["pointer"] == "/entraApp/clientSecret");
    let hint = hint.expect("no hint")["detail"]
        .as_str()
        .expect("not a string");
    assert!(
        hint.contains("Secret ID") && hint.contains("Value"),
        "{hint}"
    );
    assert!(app.items().await.is_empty(), "invalid settings were stored");
}

/// Proves S4-002, S4-018 and S4-027: a Read Only key and an app without its permissions are
/// rejected at save, with their names.
#[tokio::test]
async fn credentials_that_cannot_do_the_work_are_refused() {
    let (app, world) = TestApp::blank(TestTenant::small()).await;
    let admin = app.admin("Owner");
    app.edit(|outside| {
        outside.world.lms_keys[0].level = KeyLevel::ReadOnly;
        outside.world.apps[0].roles.retain(|permission| {
            permission != "GroupMember.ReadWrite.All" && permission != "Group.ReadWrite.All"
        });
    });
    let answer = admin
        .put("/v1/settings", "", first(&world))
        .await
        .expect(422);
    let text = answer.body["errors"].to_string();
    assert!(text.contains("Full"), "{text}");
    assert!(text.contains("Group.ReadWrite.All"), "{text}");
    assert!(answer.pointers().contains(&"/learn365ApiKey"));
    assert!(
        app.items().await.is_empty(),
        "rejected settings were stored"
    );
    let wrong = with(
        first(&world),
        json!({"learn365ApiKey": "nobodys-key-at-all"}),
    );
    let answer = admin.put("/v1/settings", "", wrong).await.expect(422);
    assert!(answer.pointers().contains(&"/learn365ApiKey"));
}

/// A credential that cannot be checked now is not stored (S4-016), and an unchanged client id
/// replaces nothing.
#[tokio::test]
async fn credentials_that_cannot_be_checked_are_not_stored() {
    let (app, world) = TestApp::blank(TestTenant::small()).await;
    let admin = app.admin("Owner");
    let silent = FaultKind::Status {
        code: 503,
        retry_after: None,
        body: None,
    };
    for path in ["Enroll", "Users", "Courses"] {
        app.fault(path, silent.clone(), 1, 200);
    }
    let answer = admin
        .put("/v1/settings", "", first(&world))
        .await
        .expect(503);
    assert!(
        answer.detail().contains("Nothing was saved"),
        "{}",
        answer.detail()
    );
    assert!(app.items().await.is_empty());
    app.clear_faults();
    let saved = admin
        .put("/v1/settings", "", first(&world))
        .await
        .expect(201);
    let same = json!({"contact": "lms@contoso.example", "entraApp": {"clientId": world.apps[0].client_id}});
    let again = admin
        .put("/v1/settings", saved.header("etag"), same)
        .await
        .expect(200);
    assert_eq!(
        again.body["connection"],
        json!(null),
        "a credential was tested again"
    );
}

/// Proves X-10, C-12 and C-33: a test writes nothing, uses stored values where none is entered,
/// and lists missing and excess permissions.
#[tokio::test]
async fn a_test_reports_everything_and_writes_nothing() {
    let app = TestApp::ready(TestTenant::small()).await;
    let admin = app.admin("GlobalAdmin");
    app.forget_requests();
    let before = app.items().await;
    let test = admin
        .post("/v1/settings/test", json!({}))
        .await
        .expect(200)
        .body;
    assert_eq!(test["ok"], true, "{test:#}");
    app.edit(|outside| {
        let permissions = &mut outside.world.apps[0].roles;
        permissions.retain(|permission| permission != "User.Read.All");
    });
    let test = admin
        .post("/v1/settings/test", json!({}))
        .await
        .expect(200)
        .body;
    assert_eq!(test["ok"], false);
    assert!(test["checks"].to_string().contains("User.Read.All"));
    let wrong = json!({"entraApp": {"clientSecret": "not-the-secret"}});
    let test = admin
        .post("/v1/settings/test", wrong)
        .await
        .expect(200)
        .body;
    assert_eq!(test["ok"], false);
    assert!(
        test["checks"]
            .to_string()
            .contains("/entraApp/clientSecret")
    );
    assert!(!test.to_string().contains("not-the-secret"));
    assert_eq!(app.items().await, before);
}

/// Proves S4-014, S4-022, S4-112 and C-42: later saves require the version, replace only what is
/// entered, and request a refresh if a credential changes.
#[tokio::test]
async fn later_saves_replace_only_what_is_entered() {
    let mut app = TestApp::ready(TestTenant::small()).await;
    let admin = app.admin("Owner");
    let tag = admin
        .get("/v1/settings")
        .await
        .expect(200)
        .header("etag")
        .to_owned();
    let plain = json!({"contact": "new@contoso.example", "groupPrefix": "HR - "});
    let saved = admin
        .put("/v1/settings", &tag, plain.clone())
        .await
        .expect(200);
    assert_eq!(
        saved.body["connection"],
        json!(null),
        "an unchanged credential was tested"
    );
    assert_eq!(app.requested(Job::Refresh).await, 0);
    admin.put("/v1/settings", &tag, plain).await.expect(412);
    assert_eq!(saved.body["learn365ApiKey"]["isSet"], true);
    let audit = admin.get("/v1/audit?limit=1").await.expect(200).body;
    assert_eq!(
        audit["items"][0]["details"]["fields"],
        "contact displayName groupPrefix"
    );

    let world = app.outside().world;
    let secret = json!({"contact": "new@contoso.example", "groupPrefix": "HR - ",
        "entraApp": {"clientSecret": world.apps[0].client_secret}});
    let length = Duration::from_secs(30);
    let lease = Lease::acquire(&app.services.store, app.id, MAINTENANCE_LEASE, length).await;
    let lease = lease.expect("lease request failed").expect("lease taken");
    admin
        .put("/v1/settings", saved.header("etag"), secret.clone())
        .await
        .expect(423);
    lease.release().await.expect("not released");
    admin
        .put("/v1/settings", saved.header("etag"), secret)
        .await
        .expect(200);
    assert_eq!(app.requested(Job::Refresh).await, 1);
    let held = app
        .services
        .store
        .held_until(app.id, MAINTENANCE_LEASE)
        .await;
    assert_eq!(
        held.expect("lease not read"),
        None,
        "the lock was not released"
    );
    // A new prefix renames the groups in the next maintenance (S4-014).
    let (id, _) = super::create(&admin, super::draft("Denver", "Denver")).await;
    app.maintained().await;
    let name = admin.get(&super::path(id)).await.expect(200).body["standing"]["groupName"].clone();
    assert_eq!(name, "HR - Denver");
}
