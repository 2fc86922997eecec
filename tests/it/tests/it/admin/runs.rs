//! Runs in the API: lists, records, manual starts.

use std::time::Duration;

use rollcall_domain::base::schedule::Job;
use rollcall_simulators::FaultKind;
use serde_json::json;

use super::{column, create, draft};
use crate::harness::{TestApp, TestTenant};

/// Proves X-06 and C-34: runs of every job with trigger, status, counts, steps and report, newest
/// first, in pages.
#[tokio::test]
async fn runs_are_listed_newest_first() {
    let mut app = TestApp::ready(TestTenant::small()).await;
    let admin = app.admin("LmsAdmin");
    create(&admin, draft("Denver", "Denver")).await;
    app.maintained().await;
    app.refresh().await;
    let (by_hand, _report) = app.maintain_by_hand().await;
    assert!(by_hand.is_over());
    let list = admin.get("/v1/runs").await.expect(200).body;
    let jobs = column(&list["items"], "job");
    assert_eq!(jobs, ["maintenance", "refresh", "maintenance", "refresh"]);
    assert_eq!(list["nextCursor"], json!(null));
    let first = admin.get("/v1/runs?limit=3").await.expect(200).body;
    let next = first["nextCursor"].as_str().expect("no cursor");
    let rest = admin
        .get(&format!("/v1/runs?limit=3&cursor={next}"))
        .await
        .expect(200)
        .body;
    assert_eq!(
        column(&rest["items"], "id"),
        [column(&list["items"], "id")[3].clone()]
    );
    let only = admin.get("/v1/runs?job=refresh").await.expect(200).body;
    assert_eq!(column(&only["items"], "job"), ["refresh", "refresh"]);

    let id = column(&list["items"], "id")[0].clone();
    let run = admin.get(&format!("/v1/runs/{id}")).await.expect(200).body;
    assert_eq!(run["status"], "succeeded");
    assert_eq!(run["trigger"]["kind"], "manual");
    let steps = column(&run["steps"], "name");
    assert_eq!(steps[..3], ["discrepancies", "groups", "memberships"]);
    let url = run["reportUrl"].as_str().expect("no report");
    let report: serde_json::Value = reqwest::get(url)
        .await
        .expect("download failed")
        .json()
        .await
        .expect("invalid JSON");
    assert_eq!(report["profiles"][0]["title"], "Denver");
    // The report names users; directory administrators must not see it.
    let global = app.admin("GlobalAdmin");
    let run = global.get(&format!("/v1/runs/{id}")).await.expect(200).body;
    assert_eq!(run["reportUrl"], json!(null));
    admin
        .get("/v1/runs/maintenance-2020-01-01T00:00:00Z")
        .await
        .expect(404);
    admin.get("/v1/runs/nonsense").await.expect(404);
}

/// A run can be started manually; its administrator is recorded.
#[tokio::test]
async fn a_run_is_started_manually() {
    let app = TestApp::ready(TestTenant::small()).await;
    let admin = app.admin("ItAdmin");
    let asked = admin
        .post("/v1/runs", json!({"job": "maintenance"}))
        .await
        .expect(202);
    assert_eq!(
        asked.header("location"),
        format!(
            "/v1/runs/{}",
            asked.body["id"].as_str().expect("not a string")
        )
    );
    let waits = admin.get(asked.header("location")).await.expect(404);
    assert_eq!(waits.body["type"], "urn:rollcall:not-begun");
    assert_eq!(app.requested(Job::Maintenance).await, 1);
    let again = admin
        .post("/v1/runs", json!({"job": "maintenance"}))
        .await
        .expect(429);
    let left: u64 = again.header("retry-after").parse().expect("not a number");
    assert!((1..=60).contains(&left), "{left}");
    assert_eq!(app.requested(Job::Maintenance).await, 1);
    let accept = json!({"job": "refresh", "acceptSmallerData": true});
    admin.post("/v1/runs", accept).await.expect(202);
    assert_eq!(app.requested(Job::Refresh).await, 1);
    let wrong = admin
        .post(
            "/v1/runs",
            json!({"job": "maintenance", "acceptSmallerData": true}),
        )
        .await;
    assert_eq!(wrong.expect(422).pointers(), ["/acceptSmallerData"]);
    let wrong = admin.post("/v1/runs", json!({"job": "everything"})).await;
    assert_eq!(wrong.expect(422).pointers(), ["/job"]);
    let audit = admin.get("/v1/audit?limit=1").await.expect(200).body;
    assert_eq!(audit["items"][0]["action"], "run_started");
    assert_eq!(audit["items"][0]["details"]["acceptSmallerData"], "yes");
    assert!(audit["nextCursor"].is_string());
}

/// Proves X-06: the record of a running job shows its progress.
#[tokio::test]
async fn a_run_shows_how_far_it_is() {
    let mut app = TestApp::ready(TestTenant::small()).await;
    let admin = app.admin("LmsAdmin");
    create(&admin, draft("Denver", "Denver")).await;
    app.fault("/$batch", FaultKind::Delay { ms: 1_500 }, 1, 50);
    let request = app.request(Job::Maintenance);
    let seen = async {
        loop {
            let list = admin.get("/v1/runs?job=maintenance").await.expect(200).body;
            let run = &list["items"][0];
            if run["status"] == "running"
                && run["steps"]
                    .as_array()
                    .is_some_and(|steps| !steps.is_empty())
            {
                return column(&run["steps"], "name");
            }
            assert!(
                !run["finishedAt"].is_string(),
                "the run ended before it was seen running"
            );
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let (worked, seen) = tokio::join!(app.work(&request), seen);
    worked.expect("not handled");
    assert_eq!(seen[0], "discrepancies");
}
