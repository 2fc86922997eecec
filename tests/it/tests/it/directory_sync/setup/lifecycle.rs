//! Connecting, deactivating and disconnecting the directory sync.

use rollcall_domain::base::run::RunStatus;
use serde_json::json;

use crate::directory_sync::{SyncFixture, count};

/// Proves S2-44, S2-45 and S2-46: runs of a deactivated sync do nothing; activated again, it works
/// as before.
#[tokio::test]
async fn a_deactivated_sync_rests_until_it_is_activated_again() {
    let mut fixture = SyncFixture::small().await;
    fixture.active(|_| ()).await;
    fixture
        .owner
        .post("/v1/sync/deactivate", json!({}))
        .await
        .expect(200);
    let state = fixture.state().await;
    assert_eq!(state.due, None);
    fixture.person("Ada", |ada| ada.job_title = Some("Lead".to_owned()));
    let run = fixture.run().await;
    assert_eq!(run.status, RunStatus::Skipped);
    fixture
        .owner
        .post("/v1/sync/runs", json!({}))
        .await
        .expect(409);
    fixture
        .owner
        .post("/v1/sync/deactivate", json!({}))
        .await
        .expect(409);
    fixture
        .owner
        .post("/v1/sync/activate", json!({"confirm": true}))
        .await
        .expect(202);
    let run = fixture.work().await.expect("no run recorded");
    assert_eq!(
        (run.status, count(&run, "usersUpdated")),
        (RunStatus::Succeeded, 1)
    );
    let runs = fixture.owner.get("/v1/sync/runs").await.expect(200);
    assert_eq!(
        runs.body["items"].as_array().map(Vec::len),
        Some(3),
        "the history was deleted"
    );
}

/// Proves S3-38…S3-40 and S3-42: disconnecting deletes the credentials and no users; no run begins;
/// connected again, the configuration is still stored.
#[tokio::test]
async fn a_disconnected_sync_keeps_people_and_settings() {
    let mut fixture = SyncFixture::small().await;
    fixture.active(|body| body["jobTitle"] = json!(false)).await;
    let unsaid = fixture.owner.post("/v1/sync/disconnect", json!({})).await;
    assert_eq!(unsaid.expect(422).pointers(), ["/confirm"]);
    let gone = fixture
        .owner
        .post("/v1/sync/disconnect", json!({"confirm": true}))
        .await
        .expect(200)
        .body;
    assert_eq!(
        (&gone["status"], &gone["jobTitle"]),
        (&json!("disconnected"), &json!(false))
    );
    assert_eq!(
        (&gone["scimToken"]["isSet"], &gone["clientSecret"]["isSet"]),
        (&json!(false), &json!(false))
    );
    let refused = fixture
        .owner
        .post("/v1/sync/runs", json!({}))
        .await
        .expect(409);
    assert!(refused.detail().contains("not connected"));
    assert_eq!(fixture.run().await.status, RunStatus::Skipped);
    assert_eq!(fixture.active_users().len(), 4);
    fixture
        .owner
        .post("/v1/sync/disconnect", json!({"confirm": true}))
        .await
        .expect(409);
    let back = fixture
        .save(|body| body["jobTitle"] = json!(false))
        .await
        .expect(200)
        .body;
    assert_eq!(
        (&back["status"], &back["phase"]),
        (&json!("connected"), &json!("inactive"))
    );
    assert_eq!(
        back["message"],
        "Microsoft Entra ID is connected to Perform & Engage 365."
    );
    fixture
        .owner
        .post("/v1/sync/test", json!({}))
        .await
        .expect(200);
    fixture
        .owner
        .post("/v1/sync/activate", json!({"confirm": true}))
        .await
        .expect(202);
    let run = fixture.work().await.expect("no run recorded");
    assert_eq!(
        (run.status, count(&run, "usersCreated")),
        (RunStatus::Succeeded, 0)
    );
}

/// Proves S3-07…S3-13 (C-28): after connecting by consent nothing is synced until a refresh is
/// requested; the first one tests, syncs all users and completes the set-up.
#[tokio::test]
async fn a_consent_connects_and_a_refresh_completes_it() {
    let fixture = SyncFixture::small().await;
    let it_admin = fixture.app.admin("ItAdmin");
    fixture
        .save(|body| {
            body.as_object_mut()
                .expect("not an object")
                .remove("entraApp");
            body["teams"] = json!({});
        })
        .await
        .expect(200);
    fixture.consent(&["User.Read.All", "Group.Read.All", "GroupMember.Read.All"]);
    let connected = it_admin
        .post("/v1/sync/connect", json!({}))
        .await
        .expect(200)
        .body;
    assert_eq!(
        connected["message"],
        "Microsoft Entra ID is connected to Perform & Engage 365."
    );
    assert_eq!(
        (&connected["status"], &connected["source"]),
        (&json!("connected"), &json!({"kind": "consent"}))
    );
    assert!(connected.get("nextRun").is_none() && fixture.active_users().is_empty());
    it_admin.post("/v1/sync/runs", json!({})).await.expect(202);
    let run = fixture.work().await.expect("no run recorded");
    assert_eq!(
        (run.status, count(&run, "usersCreated")),
        (RunStatus::Succeeded, 4),
        "{run:?}"
    );
    let after = it_admin.get("/v1/sync").await.expect(200).body;
    assert_eq!(
        (&after["phase"], &after["tested"]),
        (&json!("active"), &json!(true))
    );
    assert!(after["nextRun"].is_string());
}

/// Proves S3-11: a permission that was not granted prevents the connection, and is named.
#[tokio::test]
async fn a_partial_consent_connects_nothing() {
    let fixture = SyncFixture::small().await;
    fixture
        .save(|body| {
            _ = body
                .as_object_mut()
                .expect("not an object")
                .remove("entraApp");
        })
        .await
        .expect(200);
    fixture.consent(&["User.Read.All"]);
    let refused = fixture
        .owner
        .post("/v1/sync/connect", json!({}))
        .await
        .expect(409);
    assert!(
        refused.detail().contains("Group.Read.All was not accepted"),
        "{}",
        refused.detail()
    );
    let state = fixture.owner.get("/v1/sync").await.expect(200).body;
    assert_eq!(state["status"], "not_configured");
}
