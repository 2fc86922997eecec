//! Runs whose changes administrators review: proposed, approved or rejected one by one, superseded,
//! applied.

use rollcall_domain::base::run::{Run, RunStatus};
use serde_json::{Value, json};

use super::{SyncFixture, count, run_id};

async fn reviewed() -> (SyncFixture, Run) {
    let fixture = SyncFixture::small().await;
    let run = fixture.active(|body| body["apply"] = json!("review")).await;
    (fixture, run)
}

async fn decide(fixture: &SyncFixture, run: &Run, body: Value) -> crate::harness::Answer {
    let path = format!("/v1/sync/runs/{}/decisions", run_id(run));
    fixture.owner.post(&path, body).await
}

async fn waiting(fixture: &SyncFixture, run: &Run) -> Vec<Value> {
    let path = format!(
        "/v1/sync/runs/{}/changes?state=waiting&limit=200",
        run_id(run)
    );
    let page = fixture.owner.get(&path).await.expect(200);
    page.body["items"].as_array().expect("not a list").clone()
}

fn key_of(items: &[Value], text: &str) -> String {
    let found = items
        .iter()
        .find(|item| item["text"].as_str().is_some_and(|it| it.starts_with(text)));
    found.unwrap_or_else(|| panic!("{text} in {items:#?}"))["key"]
        .as_str()
        .expect("no key")
        .to_owned()
}

/// Proves S3-20 and S3-22: nothing is written before the approval; then all changes are applied,
/// and the next comparison finds none.
#[tokio::test]
async fn nothing_is_written_before_it_is_approved() {
    let (mut fixture, run) = reviewed().await;
    assert_eq!((run.status, fixture.written()), (RunStatus::Succeeded, 0));
    assert_eq!(count(&run, "waiting"), 8);
    let state = fixture.owner.get("/v1/sync").await.expect(200).body;
    assert_eq!(state["review"]["run"], json!(run_id(&run)));
    let decided = decide(&fixture, &run, json!({"all": "accept", "apply": true}))
        .await
        .expect(202);
    assert_eq!(
        (&decided.body["accepted"], &decided.body["rejected"]),
        (&json!(8), &json!(0))
    );
    decide(&fixture, &run, json!({"all": "accept"}))
        .await
        .expect(409);
    let applied = fixture.work().await.expect("no run recorded");
    assert_eq!(
        (
            count(&applied, "usersCreated"),
            count(&applied, "teamsCreated")
        ),
        (4, 2)
    );
    let after = fixture.owner.get("/v1/sync").await.expect(200).body;
    assert!(after.get("review").is_none(), "{after:#}");
    let next = fixture.run().await;
    assert_eq!(
        (next.status, count(&next, "waiting")),
        (RunStatus::Succeeded, 0)
    );
}

/// Proves S3-21 and C-26: a rejected change is not applied, also in later runs and in teams; it is
/// proposed again after the rejection is withdrawn.
#[tokio::test]
async fn what_is_rejected_stays_rejected() {
    let (mut fixture, run) = reviewed().await;
    let items = waiting(&fixture, &run).await;
    let alan = key_of(&items, "create Alan");
    decide(&fixture, &run, json!({"reject": [alan]}))
        .await
        .expect(200);
    let items = waiting(&fixture, &run).await;
    let rejected: Vec<_> = items
        .iter()
        .filter(|item| item["rejected"] == json!(true))
        .collect();
    assert_eq!(rejected.len(), 1);
    decide(&fixture, &run, json!({"apply": true}))
        .await
        .expect(202);
    let applied = fixture.work().await.expect("no run recorded");
    assert_eq!(
        (count(&applied, "usersCreated"), count(&applied, "pinned")),
        (3, 1)
    );
    assert_eq!(fixture.active_users(), ["Ada", "Grace", "Peter"]);
    assert_eq!(fixture.teams()["Peter Wright's team"], "Ada Peter*");
    let again = fixture.run().await;
    assert_eq!((count(&again, "waiting"), count(&again, "pinned")), (0, 1));
    let pins = fixture.owner.get("/v1/sync/pins").await.expect(200).body;
    let pin = &pins["items"][0];
    assert_eq!(
        (&pin["rejected"], &pin["by"]["name"]),
        (
            &json!("create Alan Wright (alan@contoso.example)"),
            &json!(fixture.owner.name)
        )
    );
    let path = format!(
        "/v1/sync/pins/{}",
        pin["id"].as_str().expect("not a string")
    );
    fixture.owner.delete(&path).await.expect(204);
    fixture.owner.delete(&path).await.expect(404);
    let again = fixture.run().await;
    let items = waiting(&fixture, &again).await;
    key_of(&items, "create Alan");
    key_of(&items, "Alan Wright joins \"Peter Wright's team\"");
}

/// Proves S3-22: a newer comparison supersedes the older one, and a decision about the older one is
/// rejected; changes since the approval are not applied.
#[tokio::test]
async fn a_newer_comparison_supersedes_the_older() {
    let (mut fixture, first) = reviewed().await;
    fixture.person("Ada", |ada| ada.job_title = Some("Lead".to_owned()));
    let second = fixture.run().await;
    let refused = decide(&fixture, &first, json!({"all": "accept", "apply": true}))
        .await
        .expect(409);
    assert!(
        refused.detail().contains(&run_id(&second)),
        "{}",
        refused.detail()
    );
    decide(&fixture, &second, json!({"apply": true}))
        .await
        .expect(202);
    // The directory changes between approval and run: only the approved changes are applied.
    fixture.person("Ada", |ada| {
        ada.mail = Some("countess@contoso.example".to_owned());
    });
    let applied = fixture.work().await.expect("no run recorded");
    assert_eq!(count(&applied, "usersCreated"), 3, "{applied:?}");
    assert!(!fixture.active_users().contains(&"Ada".to_owned()));
    let items = waiting(&fixture, &applied).await;
    key_of(&items, "create Ada Wright (countess@contoso.example)");
}

/// All problems of decisions are reported.
#[tokio::test]
async fn decisions_are_checked() {
    let (fixture, run) = reviewed().await;
    let items = waiting(&fixture, &run).await;
    let ada = key_of(&items, "create Ada");
    let wrong = json!({"accept": ["user/x/exists", ada], "reject": [ada], "perhaps": true});
    let wrong = decide(&fixture, &run, wrong).await.expect(422);
    assert_eq!(wrong.pointers(), ["/accept/0", "/accept", "/perhaps"]);
    decide(&fixture, &run, json!({"all": "perhaps"}))
        .await
        .expect(422);
    let super_admin = fixture.app.admin("SuperAdmin");
    let path = format!("/v1/sync/runs/{}/decisions", run_id(&run));
    super_admin
        .post(&path, json!({"all": "accept"}))
        .await
        .expect(403);
    decide(&fixture, &run, json!({"all": "reject", "apply": true}))
        .await
        .expect(202);
    let applied = fixture.work().await.expect("no run recorded");
    assert_eq!((count(&applied, "usersCreated"), fixture.written()), (0, 0));
}

/// Proves S3-36 and X-05: users who no longer match the filters leave only within the limit; held
/// changes wait for an administrator, who is notified.
#[tokio::test]
async fn too_many_leavers_are_held_for_a_person() {
    let mut fixture = SyncFixture::small().await;
    fixture.active(|_| ()).await;
    let narrower = |body: &mut Value| {
        body["guard"] = json!({"maxPercent": 25.0});
        body["filters"] = json!({"email": {"include": ["ada@"]}});
    };
    fixture.save(narrower).await.expect(200);
    fixture.app.notices().await;
    fixture.app.forget_requests();
    let run = fixture.run().await;
    assert_eq!((run.status, fixture.written()), (RunStatus::Succeeded, 0));
    let state = fixture.owner.get("/v1/sync").await.expect(200).body;
    let held = state["review"]["held"].as_str().expect("no reason");
    assert!(
        held.starts_with("3 users would be deactivated; the limit is 25 % of 4"),
        "{held}"
    );
    let notices = fixture.app.notices().await;
    assert!(
        notices
            .iter()
            .any(|it| it.recipients.contains(&fixture.owner.name)),
        "{notices:?}"
    );
    decide(&fixture, &run, json!({"apply": true}))
        .await
        .expect(202);
    let applied = fixture.work().await.expect("no run recorded");
    assert_eq!(count(&applied, "usersDeactivated"), 3, "{applied:?}");
    assert_eq!(fixture.active_users(), ["Ada"]);
}

/// Withdrawing a decision approves nothing: changes approved before are undecided again.
#[tokio::test]
async fn a_decision_taken_back_approves_nothing() {
    let (mut fixture, run) = reviewed().await;
    let items = waiting(&fixture, &run).await;
    let alan = key_of(&items, "create Alan");
    decide(&fixture, &run, json!({"reject": [alan], "apply": true}))
        .await
        .expect(202);
    let pins = fixture.owner.get("/v1/sync/pins").await.expect(200).body;
    let path = format!(
        "/v1/sync/pins/{}",
        pins["items"][0]["id"].as_str().expect("not a string")
    );
    fixture.owner.delete(&path).await.expect(204);
    fixture.work().await.expect("no run recorded");
    assert_eq!(
        fixture.written(),
        0,
        "a change was applied without approval"
    );
    let again = fixture.run().await;
    assert_eq!(count(&again, "waiting"), 8);
}

/// An existing account on the platform is linked only after approval, also if all other changes are
/// applied immediately.
#[tokio::test]
async fn existing_accounts_are_linked_by_a_person() {
    let mut fixture = SyncFixture::small().await;
    fixture.active(|_| ()).await;
    fixture.by_hand("Grace", |grace| _ = grace.remove("externalId"));
    let run = fixture.run().await;
    assert_eq!(
        count(&run, "skipped"),
        1,
        "an account was linked without approval: {run:?}"
    );
    fixture
        .save(|body| body["linkExisting"] = json!(true))
        .await
        .expect(200);
    fixture.app.notices().await;
    let run = fixture.run().await;
    let items = waiting(&fixture, &run).await;
    key_of(&items, "link the existing account of Grace");
    assert_eq!(
        fixture.app.notices().await.len(),
        1,
        "no notice for the owners"
    );
    let run = fixture.run().await;
    assert_eq!(
        fixture.app.notices().await.len(),
        0,
        "a second notice was sent"
    );
    decide(&fixture, &run, json!({"all": "accept", "apply": true}))
        .await
        .expect(202);
    fixture.work().await.expect("no run recorded");
    assert_eq!(
        fixture.users()["Grace"]["externalId"],
        json!(fixture.id_of("Grace"))
    );
    let run = fixture.run().await;
    assert_eq!(
        (count(&run, "waiting"), count(&run, "skipped")),
        (0, 0),
        "{run:?}"
    );
}

/// Proves S3-20 and S3-22: managers are shown by name; approved changes that no longer match the
/// configuration are not applied, and the note of the run reports them.
#[tokio::test]
async fn approved_changes_that_no_longer_fit_are_reported() {
    let (fixture, run) = reviewed().await;
    let items = waiting(&fixture, &run).await;
    let managed: Vec<&str> = items
        .iter()
        .filter(|item| item["field"] == "manager")
        .filter_map(|item| item["text"].as_str())
        .collect();
    assert!(!managed.is_empty(), "{items:#?}");
    for text in managed {
        assert!(
            text.ends_with("manager from nothing to Peter Wright"),
            "{text}"
        );
    }
    let undecided = decide(&fixture, &run, json!({})).await.expect(422);
    assert!(undecided.body.to_string().contains("decision is required"));
    fixture
        .save(|body| {
            body["apply"] = json!("review");
            body["filters"] = json!({"email": {"include": ["nobody.example"]}});
        })
        .await
        .expect(200);
    decide(&fixture, &run, json!({"apply": true}))
        .await
        .expect(202);
    let applied = fixture.work().await.expect("no run recorded");
    assert_eq!(count(&applied, "usersCreated"), 0);
    let note = applied.note.expect("no note");
    assert!(
        note.contains("8 of the approved changes were not made"),
        "{note}"
    );
    assert_eq!(fixture.written(), 0);
}
