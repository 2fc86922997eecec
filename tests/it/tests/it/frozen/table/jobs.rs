//! Jobs: records of runs, and the latest manual starts.

use std::time::Duration;

use rollcall_clients::store::MAINTENANCE_LEASE;
use rollcall_domain::base::run::{Run, RunStatus, StepRecord, Trigger};
use rollcall_domain::base::schedule::Job;

use super::Table;
use crate::frozen::samples::{TENANT, at, manual, request, slot, snapshot_id};

fn full_run() -> Run {
    let mut request = request(Job::Maintenance, 0);
    request.trigger = manual();
    request.continuation = 2;
    request.waits = 3;
    Run {
        request,
        status: RunStatus::SucceededWithFailures,
        started_at: at(1),
        finished_at: Some(at(90)),
        snapshot: Some(snapshot_id(1)),
        steps: vec![
            StepRecord {
                name: "load".to_owned(),
                ms: 120,
                counts: [("profiles".to_owned(), 7)].into(),
            },
            StepRecord {
                name: "apply".to_owned(),
                ms: 0,
                counts: [].into(),
            },
        ],
        counts: [("added".to_owned(), 5)].into(),
        note: Some("the data is old".to_owned()),
        error: Some("one group is gone".to_owned()),
        stalled: 2,
        missed: vec![slot(-3_600), slot(-7_200)],
        report: Some("reports/a/b.json".to_owned()),
    }
}

#[tokio::test]
async fn records() {
    let table = Table::new("runs").await;
    let store = &table.store;
    for (seconds, job) in (0..).zip(Job::ALL) {
        let mut run = Run::begin(request(job, seconds), at(seconds));
        if job == Job::Refresh {
            run.request.trigger = Trigger::FirstSave;
        }
        assert!(store.begin_run(&run).await.expect("run not recorded"));
    }
    let lease = table.lease(TENANT, MAINTENANCE_LEASE).await;
    let full = full_run();
    let put = store.put_run(lease.fence(), &full);
    put.await.expect("not stored");
    let mut skipped = Run::begin(request(Job::Membership, 600), at(600));
    skipped.status = RunStatus::Skipped;
    let end = store.end_run_without_lease(&skipped);
    end.await.expect("not ended");
    let dead = Run::begin(request(Job::DirectorySync, 700), at(700));
    assert!(store.begin_run(&dead).await.expect("run not recorded"));
    let bury = store.mark_run_crashed(lease.fence(), &dead);
    bury.await.expect("not recorded");
    insta::assert_json_snapshot!(table.items().await);
}

#[tokio::test]
async fn starts_by_hand() {
    let table = Table::new("starts").await;
    for job in Job::ALL {
        let claim = table
            .store
            .claim_start(TENANT, job, Duration::from_mins(15));
        assert_eq!(claim.await.expect("not claimed"), None);
    }
    insta::assert_json_snapshot!(table.items().await);
}
