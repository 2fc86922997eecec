//! Preconditions of a run: data exists and is recent, and no refresh is running.

use std::time::Duration;

use rollcall_clients::store::{Lease, MAINTENANCE_LEASE, REFRESH_LEASE};
use rollcall_domain::base::run::{MAX_WAITS, RunStatus};
use rollcall_domain::base::schedule::{Job, Slot};
use rollcall_domain::notices::NoticeKind;

use crate::harness::{TestApp, TestTenant};

/// Proves S4-107: without data the run ends before it acquires the lock and changes nothing.
#[tokio::test]
async fn without_data_the_run_ends_before_the_lock() {
    let mut app = TestApp::of(TestTenant::small()).await;
    app.put_city("Denver", "Denver", &[]).await;
    let (run, _) = app.maintain().await;
    assert_eq!(run.status, RunStatus::Skipped);
    assert_eq!(
        run.note.as_deref(),
        Some("the data refresh has not run yet")
    );
    assert!(app.writes().is_empty());
    let taken = Lease::acquire(
        &app.services.store,
        app.id,
        MAINTENANCE_LEASE,
        Duration::from_secs(1),
    )
    .await
    .expect("lease request failed");
    assert_eq!(
        taken.map(|lease| lease.token()),
        Some(1),
        "the lock was acquired before"
    );
}

/// Proves S4-095: maintenance waits for a running refresh, and is finally skipped.
#[tokio::test]
async fn maintenance_waits_for_a_running_refresh_but_not_for_ever() {
    let mut app = TestApp::ready(TestTenant::small()).await;
    let refresh = Lease::acquire(
        &app.services.store,
        app.id,
        REFRESH_LEASE,
        Duration::from_mins(1),
    )
    .await
    .expect("lease request failed")
    .expect("lease taken");
    let mut request = app.request(Job::Maintenance);
    app.work(&request).await.expect("not handled");
    assert!(
        app.services
            .store
            .run(&request)
            .await
            .expect("run not read")
            .is_none()
    );
    assert_eq!(
        app.requested(Job::Maintenance).await,
        1,
        "the request was not requeued"
    );
    request.waits = MAX_WAITS;
    app.work(&request).await.expect("not handled");
    let run = app.run(&request).await;
    assert_eq!(run.status, RunStatus::Skipped);
    assert!(run.note.is_some_and(|note| note.contains("still running")));
    refresh.release().await.expect("not released");
}

/// C-03: the membership run of 08:00 follows that slot's refresh.
#[tokio::test]
async fn the_membership_pass_follows_the_refresh_of_its_slot() {
    let mut app = TestApp::ready(TestTenant::small()).await;
    app.put_city("Denver", "Denver", &["Security 101"]).await;
    let eight = Slot::of_tick(
        chrono::Utc::now()
            .date_naive()
            .and_hms_opt(8, 0, 0)
            .expect("invalid time")
            .and_utc(),
    );
    let mut pass = app.request(Job::Membership);
    pass.slot = eight;
    app.work(&pass).await.expect("not handled");
    assert_eq!(
        app.requested(Job::Membership).await,
        1,
        "the request was not requeued"
    );
    let mut refresh = app.request(Job::Refresh);
    refresh.slot = eight;
    app.work(&refresh).await.expect("not handled");
    app.work(&pass).await.expect("not handled");
    assert_eq!(app.run(&pass).await.status, RunStatus::Succeeded);
    assert_eq!(
        app.members("Denver").expect("no such group"),
        ["Ada", "Alan"]
    );
    assert!(
        app.enrolled("Denver").is_empty(),
        "a membership run changed enrolments"
    );
}

/// Proves S4-107 with C-19: data older than the limit is not used, and the contact is notified.
#[tokio::test]
async fn old_data_is_not_acted_upon() {
    let mut app = TestApp::ready(TestTenant::small()).await;
    app.put_city("Denver", "Denver", &[]).await;
    let fence = Lease::acquire(
        &app.services.store,
        app.id,
        REFRESH_LEASE,
        Duration::from_secs(30),
    )
    .await
    .expect("lease request failed")
    .expect("lease taken");
    let mut pointer = app
        .services
        .store
        .snapshot_pointer(app.id)
        .await
        .expect("pointer not read")
        .expect("no pointer");
    pointer.taken_at -= chrono::TimeDelta::hours(7);
    app.services
        .store
        .set_snapshot_pointer(fence.fence(), &pointer)
        .await
        .expect("pointer not moved");
    fence.release().await.expect("not released");
    let (run, _) = app.maintain().await;
    assert_eq!(run.status, RunStatus::Skipped);
    assert!(app.writes().is_empty());
    let told = app.told().await;
    assert!(
        matches!(&told[..], [NoticeKind::Failure { errors, .. }] if errors[0].contains("7 hours ago")),
        "{told:?}"
    );
}

/// Proves S4-096: a slot runs once, however often it is requested.
#[tokio::test]
async fn a_slot_is_done_once() {
    let mut app = TestApp::ready(TestTenant::small()).await;
    app.put_city("Denver", "Denver", &[]).await;
    let request = app.request(Job::Maintenance);
    app.work(&request).await.expect("not handled");
    app.forget_requests();
    app.work(&request).await.expect("not handled");
    assert!(app.simulators.requests(app.id.uuid()).is_empty());
}

#[tokio::test]
async fn a_request_for_an_unknown_tenant_goes_back_to_the_queue() {
    let mut app = TestApp::ready(TestTenant::small()).await;
    let mut request = app.request(Job::Maintenance);
    request.tenant = "00000000-0000-4000-8000-0000000000ff"
        .parse()
        .expect("invalid GUID");
    let failure = app.work(&request).await.expect_err("was accepted");
    assert!(failure.0.contains("has no settings"), "{failure:?}");
    request.job = Job::Refresh;
    assert!(
        Box::pin(rollcall_maintenance_job::execute_run(
            &app.services,
            request,
            rollcall_runtime::Deadline::after(Duration::from_secs(5))
        ))
        .await
        .is_err()
    );
}
