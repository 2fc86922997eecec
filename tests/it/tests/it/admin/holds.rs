//! Held changes in the API.

use std::time::Duration;

use rollcall_clients::store::{Lease, MAINTENANCE_LEASE};
use rollcall_domain::base::schedule::Job;
use serde_json::json;

use super::{column, create, draft, path, with};
use crate::harness::{TestApp, TestTenant};

/// Proves S4-061, S4-063 and X-05: a change above the limit is held; its approval names the hash
/// of that change, starts a run that applies it, and is audited.
#[tokio::test]
#[expect(clippy::too_many_lines, reason = "one story from start to end")]
async fn a_held_change_is_approved_by_name() {
    let mut app = TestApp::ready(TestTenant::crowd(12)).await;
    let admin = app.admin("LmsAdmin");
    let limit = json!({"throttle": {"maxChanges": 10}});
    let (id, _) = create(&admin, with(draft("Denver", "Denver"), limit)).await;
    let hold = format!("{}/hold", path(id));
    let none = admin.get(&hold).await.expect(404);
    assert_eq!(none.body["type"], "urn:rollcall:no-hold");
    app.maintained().await;
    assert_eq!(app.members_of(id), Some(Vec::new()));
    let listed = admin.get("/v1/profiles?status=held").await.expect(200).body;
    assert_eq!(column(&listed["items"], "title"), ["Denver"]);
    assert_eq!(listed["items"][0]["standing"]["held"], true);

    let held = admin.get(&hold).await.expect(200).body;
    assert_eq!((&held["adds"], &held["removes"]), (&json!(12), &json!(0)));
    assert!(
        held["reason"]
            .as_str()
            .expect("not a string")
            .contains("limit of 10 members")
    );
    let approve = format!("{hold}/approve");
    let wrong = json!({"hash": "0".repeat(64), "why": "new office"});
    let answer = admin.post(&approve, wrong).await.expect(409);
    assert_eq!(answer.body["type"], "urn:rollcall:hold-changed");
    let nothing = admin
        .post(&approve, json!({"hash": held["hash"], "why": " "}))
        .await;
    assert_eq!(nothing.expect(422).pointers(), ["/why"]);

    let decision = json!({"hash": held["hash"], "why": "new office"});
    let length = Duration::from_secs(30);
    let lease = Lease::acquire(&app.services.store, app.id, MAINTENANCE_LEASE, length).await;
    let lease = lease.expect("lease request failed").expect("lease taken");
    admin.post(&approve, decision.clone()).await.expect(423);
    admin
        .post(&format!("{hold}/discard"), decision.clone())
        .await
        .expect(423);
    lease.release().await.expect("not released");
    let asked = admin.post(&approve, decision).await.expect(202);
    assert!(asked.header("location").starts_with("/v1/runs/membership-"));
    assert_eq!(app.requested(Job::Maintenance).await, 1);
    // A second administrator, whose page was loaded earlier, cannot revoke it unknowingly.
    let late = json!({"hash": held["hash"], "why": "no"});
    let answer = app
        .admin("Owner")
        .post(&format!("{hold}/discard"), late)
        .await
        .expect(409);
    assert_eq!(answer.body["type"], "urn:rollcall:decided");
    let shown = admin.get(&hold).await.expect(200).body;
    assert_eq!(shown["state"]["kind"], "approved");
    assert_eq!(shown["state"]["by"], admin.name);
    app.maintained().await;
    assert_eq!(app.members_of(id).expect("no such group").len(), 12);
    admin.get(&hold).await.expect(404);
    let audit = admin
        .get(&format!("/v1/audit?subject={id}"))
        .await
        .expect(200)
        .body;
    let event = &audit["items"][0];
    assert_eq!(event["action"], "hold_approved");
    assert_eq!(event["details"]["why"], "new office");
}

/// A discarded change remains held without a second notice; a higher limit lets it pass.
#[tokio::test]
async fn a_held_change_is_discarded_or_let_through_by_a_higher_limit() {
    let mut app = TestApp::ready(TestTenant::crowd(12)).await;
    let admin = app.admin("Owner");
    let limit = json!({"throttle": {"maxPercent": 5, "maxChanges": 3}});
    let (id, _) = create(&admin, with(draft("Denver", "Denver"), limit)).await;
    app.maintained().await;
    app.told().await;
    let hold = format!("{}/hold", path(id));
    let held = admin.get(&hold).await.expect(200).body;
    let decision = json!({"hash": held["hash"], "why": "not yet"});
    let shown = admin
        .post(&format!("{hold}/discard"), decision)
        .await
        .expect(200)
        .body;
    assert_eq!(shown["state"]["kind"], "discarded");
    app.maintained().await;
    assert!(app.told().await.is_empty(), "a second mail was sent");
    assert_eq!(app.members_of(id), Some(Vec::new()));
    let tag = admin
        .get(&path(id))
        .await
        .expect(200)
        .header("etag")
        .to_owned();
    let raised = with(
        draft("Denver", "Denver"),
        json!({"throttle": {"maxChanges": 20}}),
    );
    admin.put(&path(id), &tag, raised).await.expect(200);
    app.maintained().await;
    assert_eq!(app.members_of(id).expect("no such group").len(), 12);
}
