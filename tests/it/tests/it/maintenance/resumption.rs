//! Interrupted runs: near the deadline, killed while working, throttled.

use std::time::Duration;

use rollcall_clients::store::{Lease, MAINTENANCE_LEASE};
use rollcall_domain::base::run::RunStatus;
use rollcall_domain::base::schedule::Job;
use rollcall_simulators::{FaultKind, Throttle};

use crate::harness::{TestApp, TestTenant};

/// A run near its deadline stops in a consistent state, releases the lock, and queues its
/// continuation, which completes it; nothing is done twice.
#[tokio::test]
async fn a_run_near_its_deadline_continues_in_another_invocation() {
    let mut app = TestApp::ready(TestTenant::crowd(900)).await;
    app.put_city("Denver", "Denver", &["Security 101"]).await;
    app.fault("/$batch", FaultKind::Delay { ms: 1_200 }, 1, 100);
    let request = app.request(Job::Maintenance);
    app.work_within(&request, Duration::from_secs(12))
        .await
        .expect("not handled");
    let run = app.run(&request).await;
    assert_eq!(run.status, RunStatus::Continuing, "{run:?}");
    assert!(
        app.services
            .store
            .held_until(app.id, MAINTENANCE_LEASE)
            .await
            .expect("lease not read")
            .is_none(),
        "locked between invocations"
    );
    assert_eq!(
        app.requested(Job::Maintenance).await,
        1,
        "no continuation was queued"
    );
    app.simulators.clear_faults(app.id.uuid());
    let mut rest = request.clone();
    rest.continuation = 1;
    app.work(&rest).await.expect("not handled");
    let run = app.run(&request).await;
    assert_eq!(run.status, RunStatus::Succeeded);
    assert_eq!(
        run.counts["added"], 900,
        "not counted over both invocations"
    );
    assert_eq!(run.counts["invocations"], 2);
    assert_eq!(app.members("Denver").expect("no such group").len(), 900);
    assert_eq!(app.enrolled("Denver"), ["Security 101"]);
}

/// Proves S4-116 for a crashed job: after an interruption at any moment, the next run waits for the
/// lease to expire and produces exactly the desired members.
#[tokio::test]
async fn a_run_cut_off_at_any_moment_is_finished_by_the_next() {
    let mut app = TestApp::ready(TestTenant::crowd(1_200)).await;
    app.put_city("Denver", "Denver", &["Security 101"]).await;
    app.fault("/$batch", FaultKind::Delay { ms: 400 }, 1, 1_000);
    let request = app.request(Job::Maintenance);
    let mut cuts = 0;
    for cut in [100, 600, 1_000, 1_400] {
        // Dropping the future has the same effect as a kill: no clean-up runs, the lease remains.
        let cut_off = tokio::time::timeout(Duration::from_millis(cut), app.work(&request)).await;
        cuts += usize::from(cut_off.is_err());
        while app
            .services
            .store
            .held_until(app.id, MAINTENANCE_LEASE)
            .await
            .expect("lease not read")
            .is_some()
        {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }
    assert!(cuts >= 2, "interrupted while working only {cuts} times");
    app.simulators.clear_faults(app.id.uuid());
    app.work(&request).await.expect("not handled");
    assert_eq!(app.run(&request).await.status, RunStatus::Succeeded);
    assert_eq!(app.members("Denver").expect("no such group").len(), 1_200);
    assert_eq!(
        app.outside().world.groups.len(),
        1,
        "a second group was created"
    );
    assert_eq!(app.enrolled("Denver"), ["Security 101"]);
}

/// If another run has acquired the lock (a clock was wrong, a process was paused), this run detects
/// it at its next heartbeat and stops.
#[tokio::test]
async fn a_run_that_lost_its_lock_writes_nothing_more() {
    let mut app = TestApp::ready(TestTenant::crowd(900)).await;
    app.put_city("Denver", "Denver", &[]).await;
    app.fault("/$batch", FaultKind::Delay { ms: 1_500 }, 2, 100);
    let request = app.request(Job::Maintenance);
    let thief = async {
        tokio::time::sleep(Duration::from_millis(700)).await;
        let store = &app.services.store;
        store
            .expire_lease(app.id, MAINTENANCE_LEASE)
            .await
            .expect("not expired");
        let taken = Lease::acquire(store, app.id, MAINTENANCE_LEASE, Duration::from_secs(30)).await;
        taken.expect("lease request failed").expect("lease taken")
    };
    let (ended, thief) = tokio::join!(app.work(&request), thief);
    let failure = ended.expect_err("the message was deleted");
    assert!(failure.0.contains("lock was lost"), "{failure:?}");
    assert_eq!(
        app.run(&request).await.status,
        RunStatus::Running,
        "the previous owner wrote the record"
    );
    let requests = app.simulators.requests(app.id.uuid()).len();
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert!(
        app.simulators.requests(app.id.uuid()).len() <= requests + 30,
        "more than the pending requests were sent"
    );
    assert!(
        thief.renew().await.expect("not renewed"),
        "the new owner lost the lock"
    );
    thief.release().await.expect("not released");
}

/// Graph's write quota delays a run and does not change its result.
#[tokio::test]
async fn a_throttled_run_ends_at_the_same_members() {
    let tenant = TestTenant::crowd(200).behaving(|behaviour| {
        behaviour.throttle = Some(Throttle {
            writes_per_window: 6,
            window_ms: 700,
            ..Throttle::default()
        });
    });
    let mut app = TestApp::ready(tenant).await;
    app.put_city("Denver", "Denver", &[]).await;
    let (run, _) = app.maintain().await;
    assert_eq!(run.status, RunStatus::Succeeded);
    assert_eq!(app.members("Denver").expect("no such group").len(), 200);
}

/// A killed run cannot record its failure: the next one records it and sends a notice.
#[tokio::test]
async fn a_run_that_died_is_recorded_and_reported_by_the_next() {
    let mut app = TestApp::ready(TestTenant::crowd(60)).await;
    app.put_city("Denver", "Denver", &[]).await;
    app.fault("/$batch", FaultKind::Delay { ms: 2_000 }, 1, 1);
    let dead = app.request(Job::Maintenance);
    let cut_off = tokio::time::timeout(Duration::from_millis(600), app.work(&dead)).await;
    assert!(cut_off.is_err());
    assert_eq!(app.run(&dead).await.status, RunStatus::Running);
    tokio::time::sleep(Duration::from_millis(3_200)).await;
    app.maintained().await;
    let dead = app.run(&dead).await;
    assert_eq!(dead.status, RunStatus::Failed);
    assert!(
        dead.error
            .is_some_and(|error| error.contains("crashed without recording a result"))
    );
    let told = format!("{:?}", app.told().await);
    assert!(
        told.contains("crashed without recording a result"),
        "{told}"
    );
    assert_eq!(app.members("Denver").expect("no such group").len(), 60);
}
