//! Failures: logged, all owners notified, the sync paused until they are resolved; a single
//! rejected change does not stop others.

mod users;

use chrono::TimeDelta;
use rollcall_domain::base::run::RunStatus;
use rollcall_domain::notices::{Channel, NoticeKind};
use rollcall_simulators::FaultKind;
use serde_json::json;

use super::{SyncFixture, count, run_id};
use crate::harness::CONTACT;

fn broken(code: u16) -> FaultKind {
    FaultKind::Status {
        code,
        body: None,
        retry_after: Some(0.0),
    }
}

/// Starts an active sync whose secret has expired, before any notice was sent.
async fn expired() -> SyncFixture {
    let mut fixture = SyncFixture::small().await;
    fixture.active(|_| ()).await;
    fixture.app.notices().await;
    fixture
        .app
        .edit(|outside| outside.world.apps[0].secret_expired = true);
    fixture.forget_tokens().await;
    fixture
}

/// Proves S2-40, S2-42, S2-47, S2-48 and X-08: a failure is recorded in the run, and all owners who
/// ever signed in are notified once.
#[tokio::test]
async fn a_failure_is_reported_to_all_owners() {
    let mut fixture = expired().await;
    let tenant = fixture.app.id.uuid();
    let somebody = uuid::Uuid::new_v4();
    let spec = rollcall_simulators::UserTokenSpec::new(tenant, somebody, crate::harness::AUDIENCE);
    let mut spec = spec.roles(&["Owner"]);
    spec.name = "second.owner@contoso.example".to_owned();
    let second = fixture.app.admin_with(&spec);
    second.get("/v1/sync").await.expect(200);
    let run = fixture.run().await;
    assert_eq!(run.status, RunStatus::Failed);
    let path = format!("/v1/sync/runs/{}", run_id(&run));
    let shown = fixture.owner.get(&path).await.expect(200).body;
    assert_eq!(shown["status"], "failure");
    let error = shown["error"].as_str().expect("no error");
    assert!(error.contains("AADSTS7000222"), "{error}");
    let told = fixture.app.notices().await;
    let [notice] = &told[..] else {
        panic!("{told:?}")
    };
    let about = &notice.about;
    assert!(matches!(about, NoticeKind::SyncFailed { paused: true, .. }));
    let recipients = &notice.recipients;
    for owner in [CONTACT, fixture.owner.name.as_str(), second.name.as_str()] {
        let is_told = recipients.iter().any(|it| it == owner);
        assert!(is_told, "{owner} in {recipients:?}");
    }
    assert_eq!(notice.channel, Channel::System);
}

/// Proves S2-49 and S2-50: nothing runs automatically until the failure is resolved; new
/// credentials resolve it.
#[tokio::test]
async fn a_failure_pauses_until_it_is_resolved() {
    let mut fixture = expired().await;
    assert_eq!(fixture.run().await.status, RunStatus::Failed);
    let state = fixture.owner.get("/v1/sync").await.expect(200).body;
    assert_eq!(
        (&state["status"], &state["pause"]["needsPerson"]),
        (&json!("error"), &json!(true))
    );
    assert!(state.get("nextRun").is_none());
    let run = fixture.run().await;
    assert_eq!(
        run.status,
        RunStatus::Skipped,
        "a paused sync ran automatically"
    );
    fixture.app.edit(|outside| {
        outside.world.apps[0].secret_expired = false;
        outside.world.apps[0].client_secret = "another-simulated-secret".to_owned();
    });
    let state = fixture.save(|_| ()).await.expect(200).body;
    assert!(
        state.get("pause").is_none() && state["nextRun"].is_string(),
        "{state:#}"
    );
    assert_eq!(fixture.run().await.status, RunStatus::Succeeded);
}

/// Proves S2-50: a passed test resolves a failure, and so does a manual run.
#[tokio::test]
async fn a_test_or_a_manual_run_resolves_a_pause() {
    let mut fixture = SyncFixture::small().await;
    fixture.active(|_| ()).await;
    let break_it = |fixture: &SyncFixture| {
        fixture
            .app
            .edit(|outside| outside.scim.token = Some("another".to_owned()));
    };
    let mend_it = |fixture: &SyncFixture| fixture.app.edit(|outside| outside.scim.token = None);
    break_it(&fixture);
    assert_eq!(fixture.run().await.status, RunStatus::Failed);
    mend_it(&fixture);
    fixture
        .owner
        .post("/v1/sync/test", json!({}))
        .await
        .expect(200);
    assert_eq!(fixture.state().await.pause, None);
    break_it(&fixture);
    assert_eq!(fixture.run().await.status, RunStatus::Failed);
    mend_it(&fixture);
    fixture
        .owner
        .post("/v1/sync/runs", json!({}))
        .await
        .expect(202);
    assert_eq!(
        fixture.work().await.expect("no run recorded").status,
        RunStatus::Succeeded
    );
    assert_eq!(fixture.state().await.pause, None);
}

/// Proves C-25: a possibly temporary failure is retried in the next slot, after a test and without
/// a second mail while it fails.
#[tokio::test]
async fn what_may_be_over_is_tried_again() {
    let mut fixture = SyncFixture::small().await;
    fixture.active(|_| ()).await;
    fixture.app.notices().await;
    fixture.app.fault("/v1.0/users/delta", broken(503), 1, 100);
    let run = fixture.run().await;
    assert_eq!(run.status, RunStatus::Failed, "{run:?}");
    let state = fixture.state().await;
    assert!(
        state
            .pause
            .as_ref()
            .is_some_and(|pause| !pause.needs_person)
            && state.due.is_some()
    );
    assert_eq!(fixture.app.notices().await.len(), 1);
    let run = fixture.run().await;
    assert!(
        run.error
            .is_some_and(|error| error.starts_with("The test failed"))
    );
    assert_eq!(
        fixture.app.notices().await.len(),
        0,
        "a second notice was sent"
    );
    fixture.app.clear_faults();
    assert_eq!(fixture.run().await.status, RunStatus::Succeeded);
    assert_eq!(fixture.state().await.pause, None);
}

/// A rejected change is listed, and the others are applied; the next run retries it.
#[tokio::test]
async fn one_refused_change_stops_no_other() {
    let mut fixture = SyncFixture::small().await;
    fixture
        .app
        .edit(|outside| outside.scim.behaviour.bulk = false);
    let taken = json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:Error"], "status": "400", "scimType": "invalidValue", "detail": "Not this one."});
    fixture.app.fault(
        "/Users",
        FaultKind::Status {
            code: 400,
            body: Some(taken),
            retry_after: None,
        },
        5,
        1,
    );
    let run = fixture.active(|_| ()).await;
    assert_eq!(run.status, RunStatus::SucceededWithFailures, "{run:?}");
    assert_eq!(
        (count(&run, "failed"), count(&run, "usersCreated")),
        (1, 3),
        "{run:?}"
    );
    let failed = fixture.changes(&run, "&state=failed").await;
    assert!(failed[0].starts_with("failed create "), "{failed:?}");
    let page = fixture
        .owner
        .get(&format!(
            "/v1/sync/runs/{}/changes?state=failed",
            run_id(&run)
        ))
        .await;
    assert!(
        page.body["items"][0]["detail"]
            .as_str()
            .is_some_and(|it| it.contains("Not this one."))
    );
    let run = fixture.run().await;
    assert_eq!(
        (run.status, count(&run, "usersCreated")),
        (RunStatus::Succeeded, 1),
        "{run:?}"
    );
    assert_eq!(fixture.active_users().len(), 4);
    assert_eq!(fixture.teams()["Peter Wright's team"], "Ada Alan Peter*");
}

/// Proves S3-24, S3-25, S3-26, S3-28: the selected super administrator is notified in the product
/// and not by mail; without a selection there is no notice.
#[tokio::test]
async fn a_super_admin_is_reported_in_the_product() {
    let mut fixture = SyncFixture::small().await;
    let chosen = fixture.app.admin("SuperAdmin");
    chosen.get("/v1/tenant").await;
    fixture.active(|_| ()).await;
    assert!(
        fixture.app.notices().await.is_empty(),
        "a notice was sent without a recipient"
    );
    let recipients = fixture
        .owner
        .get("/v1/sync/recipients")
        .await
        .expect(200)
        .body;
    assert_eq!(recipients["items"][0]["id"], json!(chosen.object));
    fixture
        .save(|body| body["notify"] = json!(chosen.object))
        .await
        .expect(200);
    let run = fixture.run().await;
    assert_eq!(run.status, RunStatus::Succeeded, "{run:?}");
    let told = fixture.app.notices().await;
    let [notice] = &told[..] else {
        panic!("{told:?}")
    };
    assert_eq!(
        (notice.channel, &notice.recipients),
        (Channel::InProduct, &vec![chosen.name.clone()])
    );
    assert!(matches!(
        notice.about,
        NoticeKind::SyncComplete { waiting: 0, .. }
    ));
}

/// Proves S3-27: a recipient who is not a super administrator any more is shown.
#[tokio::test]
async fn a_recipient_who_is_gone_shows() {
    let fixture = SyncFixture::small().await;
    let chosen = fixture.app.admin("SuperAdmin");
    chosen.get("/v1/tenant").await;
    let state = fixture
        .save(|body| body["notify"] = json!(chosen.object))
        .await
        .expect(200)
        .body;
    assert!(state.get("recipientLost").is_none());
    let mut spec = rollcall_simulators::UserTokenSpec::new(
        fixture.app.id.uuid(),
        chosen.object,
        crate::harness::AUDIENCE,
    )
    .roles(&["LmsAdmin"]);
    spec.name.clone_from(&chosen.name);
    fixture.app.admin_with(&spec).get("/v1/tenant").await;
    let state = fixture.owner.get("/v1/sync").await.expect(200).body;
    assert_eq!(state["recipientLost"], true);
}

/// Proves S2-09 and S2-10: if the expiry of the secret is known, a notice is sent before.
#[tokio::test]
async fn a_secret_that_ends_soon_is_reported() {
    let mut fixture = SyncFixture::small().await;
    let ends = chrono::Utc::now() + TimeDelta::days(10);
    fixture
        .active(|body| body["entraApp"]["secretExpires"] = json!(ends))
        .await;
    let state = fixture.owner.get("/v1/sync").await.expect(200).body;
    assert_eq!(
        (&state["status"], &state["secretExpiresInDays"]),
        (&json!("secret_expiring"), &json!(9))
    );
    let told = fixture.app.told().await;
    assert!(
        matches!(told[..], [NoticeKind::SecretExpiring { days: 14, .. }]),
        "{told:?}"
    );
    fixture.run().await;
    let ids: std::collections::BTreeSet<_> = fixture
        .app
        .notices()
        .await
        .into_iter()
        .map(|it| it.id)
        .collect();
    assert!(ids.len() <= 1, "the same reminder has several ids");
}

/// Proves S2-46: a running sync that is deactivated stops before its next step and reports it, and
/// no other run begins.
#[tokio::test]
async fn a_run_stops_when_it_is_switched_off() {
    let names: Vec<String> = (0..40).map(|number| format!("P{number:02}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let mut fixture = SyncFixture::of(&names).await;
    fixture.on_platform(|outside| outside.scim.behaviour.bulk = false);
    fixture.ready().await;
    // Sixteen requests at a time, each delayed.
    fixture
        .app
        .fault("/Users", FaultKind::Delay { ms: 300 }, 3, 10_000);
    let request = fixture.request();
    let switch = async {
        tokio::time::sleep(std::time::Duration::from_millis(500)).await;
        let off = fixture.owner.post("/v1/sync/deactivate", json!({})).await;
        off.expect(200);
    };
    let (done, ()) = tokio::join!(fixture.app.work(&request), switch);
    done.expect("not handled");
    let run = fixture.app.run(&request).await;
    let made = count(&run, "usersCreated");
    assert!((1..40).contains(&made), "{run:?}");
    assert!(run.note.is_some_and(|note| note.contains("switched off")));
    assert_eq!(fixture.active_users().len() as u64, made);
    fixture.app.clear_faults();
    assert_eq!(fixture.run().await.status, RunStatus::Skipped);
}

fn refused(code: u16) -> FaultKind {
    let body = json!({
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:Error"],
        "status": code.to_string(), "detail": "Not this account.",
    });
    FaultKind::Status {
        code,
        body: Some(body),
        retry_after: None,
    }
}
