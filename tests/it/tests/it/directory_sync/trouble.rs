//! Failures: logged, all owners notified, the sync paused until they are resolved; a single
//! rejected change does not stop others.

use chrono::TimeDelta;
use rollcall_domain::base::run::RunStatus;
use rollcall_domain::notices::{Channel, NoticeKind};
use rollcall_simulators::FaultKind;
use serde_json::json;

use super::{Office, count, run_id};
use crate::harness::CONTACT;

fn broken(code: u16) -> FaultKind {
    FaultKind::Status {
        code,
        body: None,
        retry_after: Some(0.0),
    }
}

/// Starts an active sync whose secret has expired, before any notice was sent.
async fn expired() -> Office {
    let mut office = Office::small().await;
    office.active(|_| ()).await;
    office.app.notices().await;
    office
        .app
        .edit(|outside| outside.world.apps[0].secret_expired = true);
    office.forget_tokens().await;
    office
}

/// Proves S2-40, S2-42, S2-47, S2-48 and X-08: a failure is recorded in the run, and all owners who
/// ever signed in are notified once.
#[tokio::test]
async fn a_failure_is_told_to_all_owners() {
    let mut office = expired().await;
    let tenant = office.app.id.uuid();
    let somebody = uuid::Uuid::new_v4();
    let spec = rollcall_simulators::UserTokenSpec::new(tenant, somebody, crate::harness::AUDIENCE);
    let mut spec = spec.roles(&["Owner"]);
    spec.name = "second.owner@contoso.example".to_owned();
    let second = office.app.admin_with(&spec);
    second.get("/v1/sync").await.expect(200);
    let run = office.run().await;
    assert_eq!(run.status, RunStatus::Failed);
    let path = format!("/v1/sync/runs/{}", run_id(&run));
    let shown = office.owner.get(&path).await.expect(200).body;
    assert_eq!(shown["status"], "failure");
    let error = shown["error"].as_str().expect("no error");
    assert!(error.contains("AADSTS7000222"), "{error}");
    let told = office.app.notices().await;
    let [notice] = &told[..] else {
        panic!("{told:?}")
    };
    let about = &notice.about;
    assert!(matches!(about, NoticeKind::SyncFailed { paused: true, .. }));
    let recipients = &notice.recipients;
    for owner in [CONTACT, office.owner.name.as_str(), second.name.as_str()] {
        let is_told = recipients.iter().any(|it| it == owner);
        assert!(is_told, "{owner} in {recipients:?}");
    }
    assert_eq!(notice.channel, Channel::System);
}

/// Proves S2-49 and S2-50: nothing runs automatically until the failure is resolved; new
/// credentials resolve it.
#[tokio::test]
async fn a_failure_pauses_until_it_is_resolved() {
    let mut office = expired().await;
    assert_eq!(office.run().await.status, RunStatus::Failed);
    let state = office.owner.get("/v1/sync").await.expect(200).body;
    assert_eq!(
        (&state["status"], &state["pause"]["needsPerson"]),
        (&json!("error"), &json!(true))
    );
    assert!(state.get("nextRun").is_none());
    let run = office.run().await;
    assert_eq!(
        run.status,
        RunStatus::Skipped,
        "a paused sync ran automatically"
    );
    office.app.edit(|outside| {
        outside.world.apps[0].secret_expired = false;
        outside.world.apps[0].client_secret = "another-simulated-secret".to_owned();
    });
    let state = office.save(|_| ()).await.expect(200).body;
    assert!(
        state.get("pause").is_none() && state["nextRun"].is_string(),
        "{state:#}"
    );
    assert_eq!(office.run().await.status, RunStatus::Succeeded);
}

/// Proves S2-50: a passed test resolves a failure, and so does a manual run.
#[tokio::test]
async fn a_test_or_a_run_by_hand_resolves_a_pause() {
    let mut office = Office::small().await;
    office.active(|_| ()).await;
    let break_it = |office: &Office| {
        office
            .app
            .edit(|outside| outside.scim.token = Some("another".to_owned()));
    };
    let mend_it = |office: &Office| office.app.edit(|outside| outside.scim.token = None);
    break_it(&office);
    assert_eq!(office.run().await.status, RunStatus::Failed);
    mend_it(&office);
    office
        .owner
        .post("/v1/sync/test", json!({}))
        .await
        .expect(200);
    assert_eq!(office.state().await.pause, None);
    break_it(&office);
    assert_eq!(office.run().await.status, RunStatus::Failed);
    mend_it(&office);
    office
        .owner
        .post("/v1/sync/runs", json!({}))
        .await
        .expect(202);
    assert_eq!(
        office.work().await.expect("no run recorded").status,
        RunStatus::Succeeded
    );
    assert_eq!(office.state().await.pause, None);
}

/// Proves C-25: a possibly temporary failure is retried in the next slot, after a test and without
/// a second mail while it fails.
#[tokio::test]
async fn what_may_be_over_is_tried_again() {
    let mut office = Office::small().await;
    office.active(|_| ()).await;
    office.app.notices().await;
    office.app.fault("/v1.0/users/delta", broken(503), 1, 100);
    let run = office.run().await;
    assert_eq!(run.status, RunStatus::Failed, "{run:?}");
    let state = office.state().await;
    assert!(
        state
            .pause
            .as_ref()
            .is_some_and(|pause| !pause.needs_person)
            && state.due.is_some()
    );
    assert_eq!(office.app.notices().await.len(), 1);
    let run = office.run().await;
    assert!(
        run.error
            .is_some_and(|error| error.starts_with("The test failed"))
    );
    assert_eq!(
        office.app.notices().await.len(),
        0,
        "a second notice was sent"
    );
    office.app.clear_faults();
    assert_eq!(office.run().await.status, RunStatus::Succeeded);
    assert_eq!(office.state().await.pause, None);
}

/// A rejected change is listed, and the others are applied; the next run retries it.
#[tokio::test]
async fn one_refused_change_stops_no_other() {
    let mut office = Office::small().await;
    office
        .app
        .edit(|outside| outside.scim.behaviour.bulk = false);
    let taken = json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:Error"], "status": "400", "scimType": "invalidValue", "detail": "Not this one."});
    office.app.fault(
        "/Users",
        FaultKind::Status {
            code: 400,
            body: Some(taken),
            retry_after: None,
        },
        5,
        1,
    );
    let run = office.active(|_| ()).await;
    assert_eq!(run.status, RunStatus::SucceededWithFailures, "{run:?}");
    assert_eq!(
        (count(&run, "failed"), count(&run, "usersCreated")),
        (1, 3),
        "{run:?}"
    );
    let failed = office.changes(&run, "&state=failed").await;
    assert!(failed[0].starts_with("failed create "), "{failed:?}");
    let page = office
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
    let run = office.run().await;
    assert_eq!(
        (run.status, count(&run, "usersCreated")),
        (RunStatus::Succeeded, 1),
        "{run:?}"
    );
    assert_eq!(office.active_users().len(), 4);
    assert_eq!(office.teams()["Peter Wright's team"], "Ada Alan Peter*");
}

/// Proves S3-24, S3-25, S3-26, S3-28: the selected super administrator is notified in the product
/// and not by mail; without a selection there is no notice.
#[tokio::test]
async fn a_super_admin_is_told_in_the_product() {
    let mut office = Office::small().await;
    let chosen = office.app.admin("SuperAdmin");
    chosen.get("/v1/tenant").await;
    office.active(|_| ()).await;
    assert!(
        office.app.notices().await.is_empty(),
        "a notice was sent without a recipient"
    );
    let recipients = office
        .owner
        .get("/v1/sync/recipients")
        .await
        .expect(200)
        .body;
    assert_eq!(recipients["items"][0]["id"], json!(chosen.object));
    office
        .save(|body| body["notify"] = json!(chosen.object))
        .await
        .expect(200);
    let run = office.run().await;
    assert_eq!(run.status, RunStatus::Succeeded, "{run:?}");
    let told = office.app.notices().await;
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
    let office = Office::small().await;
    let chosen = office.app.admin("SuperAdmin");
    chosen.get("/v1/tenant").await;
    let state = office
        .save(|body| body["notify"] = json!(chosen.object))
        .await
        .expect(200)
        .body;
    assert!(state.get("recipientLost").is_none());
    let mut spec = rollcall_simulators::UserTokenSpec::new(
        office.app.id.uuid(),
        chosen.object,
        crate::harness::AUDIENCE,
    )
    .roles(&["LmsAdmin"]);
    spec.name.clone_from(&chosen.name);
    office.app.admin_with(&spec).get("/v1/tenant").await;
    let state = office.owner.get("/v1/sync").await.expect(200).body;
    assert_eq!(state["recipientLost"], true);
}

/// Proves S2-09 and S2-10: if the expiry of the secret is known, a notice is sent before.
#[tokio::test]
async fn a_secret_that_ends_soon_is_told() {
    let mut office = Office::small().await;
    let ends = chrono::Utc::now() + TimeDelta::days(10);
    office
        .active(|body| body["entraApp"]["secretExpires"] = json!(ends))
        .await;
    let state = office.owner.get("/v1/sync").await.expect(200).body;
    assert_eq!(
        (&state["status"], &state["secretExpiresInDays"]),
        (&json!("secret_expiring"), &json!(9))
    );
    let told = office.app.told().await;
    assert!(
        matches!(told[..], [NoticeKind::SecretExpiring { days: 14, .. }]),
        "{told:?}"
    );
    office.run().await;
    let ids: std::collections::BTreeSet<_> = office
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
    let mut office = Office::of(&names).await;
    office.on_platform(|outside| outside.scim.behaviour.bulk = false);
    office.ready().await;
    // Sixteen requests at a time, each delayed.
    office
        .app
        .fault("/Users", FaultKind::Delay { ms: 300 }, 3, 10_000);
    let request = office.request();
    let switch = async {
        tokio::time::sleep(std::time::Duration::from_millis(500)).await;
        let off = office.owner.post("/v1/sync/deactivate", json!({})).await;
        off.expect(200);
    };
    let (done, ()) = tokio::join!(office.app.work(&request), switch);
    done.expect("not handled");
    let run = office.app.run(&request).await;
    let made = count(&run, "usersCreated");
    assert!((1..40).contains(&made), "{run:?}");
    assert!(
        run.note
            .is_some_and(|note| note.contains("switched the sync off"))
    );
    assert_eq!(office.active_users().len() as u64, made);
    office.app.clear_faults();
    assert_eq!(office.run().await.status, RunStatus::Skipped);
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

/// An account that the platform never lets us change does not stop others, is reported in every
/// run, and pauses nothing.
#[tokio::test]
async fn an_account_nobody_may_change_pauses_nothing() {
    for code in [400, 403, 409] {
        let mut office = Office::small().await;
        office.active(|_| ()).await;
        office.person("Ada", |ada| ada.job_title = Some("Lead".to_owned()));
        let key = office.key_of("Ada");
        office
            .app
            .fault(&format!("/Users/{key}"), refused(code), 1, 1_000);
        office.on_platform(|outside| outside.scim.behaviour.bulk = false);
        for _ in 0..2 {
            let run = office.run().await;
            let failed = count(&run, "failed");
            assert_eq!(
                (run.status, failed),
                (RunStatus::SucceededWithFailures, 1),
                "{code}: {run:?}"
            );
        }
        let state = office.state().await;
        assert!(state.pause.is_none() && state.due.is_some(), "{code}");
        office.person("Alan", |alan| alan.account_enabled = false);
        let run = office.run().await;
        assert_eq!(count(&run, "usersDeactivated"), 1, "{code}: {run:?}");
    }
}

/// Proves S2-48: if a temporary failure turns into one that requires an administrator, another
/// notice is sent.
#[tokio::test]
async fn what_takes_a_person_only_now_is_told() {
    let mut office = Office::small().await;
    office.active(|_| ()).await;
    office.app.notices().await;
    office.app.fault("/v1.0/users/delta", broken(503), 1, 100);
    office.run().await;
    assert_eq!(office.app.notices().await.len(), 1);
    office.app.clear_faults();
    office
        .app
        .edit(|outside| outside.world.apps[0].secret_expired = true);
    office.forget_tokens().await;
    assert_eq!(office.run().await.status, RunStatus::Failed);
    assert_eq!(office.app.notices().await.len(), 1);
    assert!(office.state().await.pause.is_some_and(|it| it.needs_person));
}

/// If a swap of addresses fails halfway, every user keeps the old address.
#[tokio::test]
async fn a_circle_that_does_not_close_locks_nobody_out() {
    let mut office = Office::small().await;
    office.active(|_| ()).await;
    office.person("Ada", |it| {
        it.mail = Some("alan@contoso.example".to_owned());
    });
    office.person("Alan", |it| {
        it.mail = Some("ada@contoso.example".to_owned());
    });
    // The user with the smaller id gets a temporary address first; the change of the other one is
    // refused.
    let keys = [office.key_of("Ada"), office.key_of("Alan")];
    let last = keys.iter().max().expect("no keys").clone();
    office
        .app
        .fault(&format!("/Users/{last}"), refused(409), 1, 1);
    let run = office.run().await;
    assert_eq!(run.status, RunStatus::SucceededWithFailures, "{run:?}");
    let users = office.users();
    let names: Vec<_> = ["Ada", "Alan"]
        .map(|name| users[name]["userName"].clone())
        .into();
    assert!(
        names
            .iter()
            .all(|name| !name.as_str().is_some_and(|it| it.ends_with(".invalid"))),
        "{names:?}"
    );
    office.app.clear_faults();
    let run = office.run().await;
    assert_eq!(run.status, RunStatus::Succeeded, "{run:?}");
    assert_eq!(office.users()["Ada"]["userName"], "alan@contoso.example");
}

/// An account linked to a user who is not in the directory is reported in every run.
#[tokio::test]
async fn an_account_of_nobody_is_listed() {
    let mut office = Office::small().await;
    office.active(|_| ()).await;
    let stranger = uuid::Uuid::from_u128(99);
    office.by_hand("Grace", |grace| grace["externalId"] = json!(stranger));
    let run = office.run().await;
    let lines = office.changes(&run, "&state=skipped").await;
    let line = "skipped Grace Wright is linked to an account that Microsoft Entra ID does not know";
    assert!(lines.iter().any(|it| it.starts_with(line)), "{lines:?}");
}
