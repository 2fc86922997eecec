//! The test of a configuration: its checks, its results, and what it permits.

use rollcall_domain::base::run::RunStatus;
use serde_json::{Value, json};

use crate::directory_sync::{SyncFixture, count};

pub(super) fn check<'a>(body: &'a Value, id: &str) -> &'a Value {
    let checks = body["test"]["checks"].as_array().expect("no checks");
    checks
        .iter()
        .find(|check| check["id"] == json!(id))
        .unwrap_or(&Value::Null)
}

/// Proves S2-12…S2-15, S2-30, S3-37 and X-10: the test checks the credential, each permission, a
/// sample, the filters and the platform, and writes nothing.
#[tokio::test]
async fn a_test_looks_at_everything_and_writes_nothing() {
    let fixture = SyncFixture::small().await;
    let sales = fixture.group("Sales", &["Ada"]);
    fixture
        .save(|body| {
            body["filters"] = json!({"groups": format!("{sales}, {}", uuid::Uuid::from_u128(7))});
        })
        .await
        .expect(200);
    fixture.app.forget_requests();
    let test = fixture
        .owner
        .post("/v1/sync/test", json!({}))
        .await
        .expect(200)
        .body;
    assert_eq!(fixture.app.writes(), [""; 0]);
    assert_eq!(test["test"]["ok"], true, "{:#}", test["test"]);
    let groups = check(&test, "entra_groups");
    assert_eq!(groups["status"], "warning");
    assert!(
        groups["detail"]
            .as_str()
            .expect("not a string")
            .contains("00000000-0000-0000-0000-000000000007")
    );
    assert_eq!(
        (&test["tested"], &check(&test, "scim_read")["status"]),
        (&json!(true), &json!("passed"))
    );
}

/// Proves S2-13, S2-14 and S2-15: a missing permission, another token and an expired secret each
/// fail a separate check, which names the field to correct.
#[tokio::test]
async fn a_test_reports_each_thing_that_is_wrong() {
    let fixture = SyncFixture::small().await;
    fixture.save(|_| ()).await.expect(200);
    fixture
        .app
        .edit(|outside| outside.world.apps[0].roles = vec!["User.Read.All".to_owned()]);
    fixture
        .app
        .edit(|outside| outside.scim.token = Some("another".to_owned()));
    let test = fixture
        .owner
        .post("/v1/sync/test", json!({}))
        .await
        .expect(200)
        .body;
    let missing = check(&test, "entra_group_read_all");
    assert_eq!(missing["status"], "failed", "{:#}", test["test"]);
    assert!(
        missing["detail"]
            .as_str()
            .expect("not a string")
            .starts_with("Group.Read.All is missing")
    );
    assert_eq!(check(&test, "entra_user_read_all")["status"], "passed");
    assert_eq!(check(&test, "scim_read")["pointer"], "/scimToken");
    assert_eq!(test["tested"], false);
    fixture
        .app
        .edit(|outside| outside.world.apps[0].secret_expired = true);
    fixture
        .save(|body| body["teams"] = json!({}))
        .await
        .expect(200);
    let test = fixture
        .owner
        .post("/v1/sync/test", json!({}))
        .await
        .expect(200)
        .body;
    let sign_in = check(&test, "entra_sign_in");
    assert_eq!(
        (&sign_in["status"], &sign_in["pointer"]),
        (&json!("failed"), &json!("/entraApp/clientSecret"))
    );
    assert_eq!(
        check(&test, "entra_group_read_all"),
        &Value::Null,
        "a permission for groups was checked"
    );
}

/// Proves S2-31, S2-32 and S2-33: activation requires a passed test of exactly this configuration
/// and a confirmation; then the first run begins.
#[tokio::test]
async fn only_a_tested_configuration_is_activated() {
    let fixture = SyncFixture::small().await;
    fixture.save(|_| ()).await.expect(200);
    let confirm = json!({"confirm": true});
    fixture
        .owner
        .post("/v1/sync/activate", json!({}))
        .await
        .expect(422);
    fixture
        .owner
        .post("/v1/sync/activate", json!({"confirm": false}))
        .await
        .expect(422);
    fixture
        .owner
        .post("/v1/sync/activate", confirm.clone())
        .await
        .expect(409);
    fixture
        .owner
        .post("/v1/sync/test", json!({}))
        .await
        .expect(200);
    fixture
        .save(|body| body["guests"] = json!(false))
        .await
        .expect(200);
    let refused = fixture
        .owner
        .post("/v1/sync/activate", confirm.clone())
        .await
        .expect(409);
    assert!(refused.detail().contains("test it first"));
    fixture
        .owner
        .post("/v1/sync/test", json!({}))
        .await
        .expect(200);
    let begun = fixture
        .owner
        .post("/v1/sync/activate", confirm.clone())
        .await
        .expect(202);
    assert!(begun.header("location").starts_with("/v1/sync/runs/"));
    let run = fixture.work().await.expect("no run recorded");
    assert_eq!(
        (run.status, count(&run, "usersCreated")),
        (RunStatus::Succeeded, 4)
    );
    fixture
        .owner
        .post("/v1/sync/activate", confirm)
        .await
        .expect(409);
    assert!(fixture.state().await.due.is_some());
}

/// A failed test is shown until one passes or a run succeeds.
#[tokio::test]
async fn a_failed_test_shows_in_the_status() {
    let fixture = SyncFixture::small().await;
    fixture
        .save(|body| body["scimToken"] = json!("another-simulated-token"))
        .await
        .expect(200);
    fixture
        .owner
        .post("/v1/sync/test", json!({}))
        .await
        .expect(200);
    let seen = fixture.owner.get("/v1/sync").await.expect(200).body;
    assert_eq!(seen["status"], "error", "{seen:#}");
    let message = seen["message"].as_str().expect("no message");
    assert!(message.contains("last test failed"), "{message}");
    fixture.save(|_| ()).await.expect(200);
    fixture
        .owner
        .post("/v1/sync/test", json!({}))
        .await
        .expect(200);
    let seen = fixture.owner.get("/v1/sync").await.expect(200).body;
    assert_eq!(seen["status"], "connected", "{seen:#}");
}
