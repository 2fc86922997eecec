//! Problems of settings, runs, notifications and operators' input.

use rollcall_simulators::world::{KeyLevel, World};
use serde_json::{Value, json};
use uuid::Uuid;

use super::super::Told;
use super::{NOTHING, says};
use crate::admin::with;
use crate::harness::{TestApp, TestTenant};

fn first(world: &World) -> Value {
    json!({
        "contact": "lms@contoso.example",
        "learn365ApiKey": world.lms_keys[0].key,
        "entraApp": {
            "clientId": world.apps[0].client_id,
            "clientSecret": world.apps[0].client_secret,
        },
    })
}

#[tokio::test]
async fn before_the_first_save() {
    let (app, world) = Box::pin(TestApp::blank(TestTenant::small())).await;
    let owner = app.admin("Owner");
    let mut told = Told::default();
    for request in [
        "GET /v1/settings",
        "GET /v1/tenant",
        "GET /v1/schema",
        "GET /v1/users",
    ] {
        told.refused("nothing saved", &owner, request, "", None)
            .await;
    }
    let run = Some(json!({"job": "refresh"}));
    told.refused("nothing saved", &owner, "POST /v1/runs", "", run)
        .await;
    let save = "PUT /v1/settings";
    let guid = "6f9619ff-8b86-4011-b42d-00c04fc964ff";
    let wrong = json!({
        "contact": "nobody", "lmsUrl": "https://evil.example", "groupPrefix": "x".repeat(65),
        "alsoNotify": ["x"], "displayName": "y".repeat(500), "entraProperties": ["a b"],
        "entraApp": {"clientId": "my app", "clientSecret": guid}, "learn365ApiKey": "short", "tenantId": "x",
    });
    for (what, body) in [
        ("nothing entered", json!({})),
        ("everything wrong", wrong),
        (
            "wrong kinds",
            json!({"contact": 1, "learn365ApiKey": 2, "entraApp": "x", "catalogAdmins": []}),
        ),
        (
            "a key of nobody",
            with(
                first(&world),
                json!({"learn365ApiKey": "nobodys-key-at-all"}),
            ),
        ),
    ] {
        told.refused(what, &owner, save, "", Some(body)).await;
    }
    insta::assert_snapshot!(told.steady());
}

#[tokio::test]
async fn credentials_that_cannot_do_the_work() {
    let (mut app, world) = Box::pin(TestApp::blank(TestTenant::small())).await;
    let owner = app.admin("Owner");
    let mut told = Told::default();
    let save = "PUT /v1/settings";
    for path in ["Enroll", "Users", "Courses"] {
        app.fault(path, says(503, "ServiceUnavailable"), 1, 200);
    }
    told.refused("silent", &owner, save, "", Some(first(&world)))
        .await;
    app.clear_faults();
    app.edit(|outside| outside.world.apps[0].secret_expired = true);
    told.refused("an expired secret", &owner, save, "", Some(first(&world)))
        .await;
    app.edit(|outside| {
        outside.world.apps[0].secret_expired = false;
        outside.world.lms_keys[0].level = KeyLevel::ReadOnly;
        outside.world.apps[0].roles.clear();
    });
    // Services without cached tokens.
    app.services = app.with_settings(app.services.settings.clone()).await;
    let owner = app.admin("Owner");
    told.refused("no permissions", &owner, save, "", Some(first(&world)))
        .await;
    insta::assert_snapshot!(told.steady());
}

#[tokio::test]
async fn runs_and_notifications() {
    let app = Box::pin(TestApp::ready(TestTenant::small())).await;
    let owner = app.admin("Owner");
    let mut told = Told::default();
    let start = "POST /v1/runs";
    for (what, body) in [
        ("no job", json!({})),
        ("no such job", json!({"job": "everything"})),
        ("not here", json!({"job": "directory_sync"})),
        ("not here", json!({"job": "directory-sync"})),
        (
            "reads no data",
            json!({"job": "maintenance", "acceptSmallerData": true}),
        ),
    ] {
        told.refused(what, &owner, start, "", Some(body)).await;
    }
    let job = json!({"job": "maintenance"});
    let asked = owner.post("/v1/runs", job.clone()).await.expect(202);
    let request = format!("GET {}", asked.header("location"));
    told.refused("not begun", &owner, &request, "", None).await;
    told.refused("just started", &owner, start, "", Some(job))
        .await;
    let read = format!("POST /v1/notifications/{NOTHING}/read");
    told.refused("no such notification", &owner, &read, "", None)
        .await;
    insta::assert_snapshot!(told.steady());
}

#[tokio::test]
async fn what_operators_enter() {
    let app = Box::pin(TestApp::ready(TestTenant::small())).await;
    let operators = Uuid::new_v4();
    let app = Box::pin(app.operated_by(operators)).await;
    let operator = app.admin_of(operators, &["Operator"]);
    let tenant = format!("/v1/operator/tenants/{}", app.id);
    let mut told = Told::default();
    let request = format!("GET {tenant}/entitlement");
    told.refused("no plan yet", &operator, &request, "", None)
        .await;
    for (what, place, body) in [
        ("no plan", "entitlement", json!({})),
        (
            "no such plan",
            "entitlement",
            json!({"plan": "gold", "until": "soon", "directorySync": 1}),
        ),
        (
            "no version",
            "installation",
            json!({"version": "new", "environments": ["", "x"]}),
        ),
        ("no times", "sync-times", json!({})),
        ("none", "sync-times", json!({"times": []})),
        (
            "too close",
            "sync-times",
            json!({"times": ["00:00", "00:05"]}),
        ),
        (
            "no time",
            "sync-times",
            json!({"times": ["noon"], "zone": "Mars"}),
        ),
        ("no sync", "sync-times", json!({"times": ["00:00"]})),
    ] {
        let request = format!("PUT {tenant}/{place}");
        told.refused(what, &operator, &request, "", Some(body))
            .await;
    }
    let request = format!("DELETE {tenant}/sync-times");
    told.refused("no sync", &operator, &request, "", None).await;
    insta::assert_snapshot!(told.steady());
}
