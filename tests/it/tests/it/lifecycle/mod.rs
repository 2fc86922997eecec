//! The lifecycle of a run, common to refresh, maintenance and directory sync: one test per job for
//! each difference that their implementations once had.

mod outdated;
mod scripted;

use std::time::Duration;

use rollcall_app::jobs::budget::RunBudget;
use rollcall_app::jobs::job_run::{
    Admission, Completion, JobRun, MAX_CONTINUATIONS, MAX_STALLED, RunError,
};
use rollcall_app::jobs::lifecycle;
use rollcall_clients::store::{Lease, MAINTENANCE_LEASE, REFRESH_LEASE, SYNC_LEASE, StoreError};
use rollcall_domain::base::run::{CRASHED, Run, RunRequest, RunStatus};
use rollcall_domain::base::schedule::Job;
use rollcall_runtime::{Deadline, Failure};
use rollcall_simulators::FaultKind;

use crate::directory_sync::SyncFixture;
use crate::harness::{TestApp, TestTenant};

const JOBS: [Job; 3] = [Job::Refresh, Job::Maintenance, Job::DirectorySync];

/// Starts a tenant for which a run of the job has changes to make.
async fn tenant(job: Job) -> TestApp {
    if job == Job::DirectorySync {
        let fixture = SyncFixture::small().await;
        fixture.ready().await;
        return fixture.app;
    }
    let app = TestApp::ready(TestTenant::crowd(300)).await;
    app.put_city("Denver", "Denver", &[]).await;
    app
}

fn lease_of(job: Job) -> &'static str {
    match job {
        Job::Refresh => REFRESH_LEASE,
        Job::Maintenance | Job::Membership => MAINTENANCE_LEASE,
        Job::DirectorySync => SYNC_LEASE,
    }
}

/// Returns a part of the path of a request that a run of the job sends while it works.
fn path_at_work(job: Job) -> &'static str {
    match job {
        Job::Refresh => "Enrollments",
        Job::Maintenance | Job::Membership => "/$batch",
        Job::DirectorySync => "users/delta",
    }
}

async fn is_locked(app: &TestApp, job: Job) -> bool {
    let held = app.services.store.held_until(app.id, lease_of(job)).await;
    held.expect("lease not read").is_some()
}

/// Records a run of the previous slot as running, as a killed function leaves it.
async fn leave_crashed(app: &mut TestApp, job: Job) -> RunRequest {
    let request = app.request(job);
    let run = Run::begin(request.clone(), chrono::Utc::now());
    let begun = app.services.store.begin_run(&run).await;
    assert!(begun.expect("run not recorded"));
    request
}

/// Difference 1: a message that is delivered twice at the same time is one run.
async fn a_message_delivered_twice_is_one_run(job: Job) {
    let mut app = tenant(job).await;
    let request = app.request(job);
    let (first, second) = tokio::join!(app.work(&request), app.work(&request));
    first.expect("the first delivery failed");
    second.expect("the second delivery failed");
    let again = app.work(&request).await;
    again.expect("a late delivery failed");
    let run = app.run(&request).await;
    assert_eq!(run.status, RunStatus::Succeeded, "{job}: {run:?}");
    // Every job records its steps once per execution.
    let mut steps: Vec<_> = run.steps.iter().map(|step| step.name.as_str()).collect();
    assert!(!steps.is_empty(), "{job}: {run:?}");
    steps.sort_unstable();
    let recorded = steps.len();
    steps.dedup();
    assert_eq!(steps.len(), recorded, "{job} ran twice: {run:?}");
    assert_eq!(run.counts.get("invocations").copied().unwrap_or(1), 1);
}

/// Difference 2: a run that lost its lease stops without writing, notifying or pausing anything,
/// even if its work fails or ends at that moment.
async fn a_lost_lease_stops_a_run_silently(job: Job) {
    let mut app = tenant(job).await;
    app.notices().await;
    app.fault(path_at_work(job), FaultKind::Delay { ms: 1_500 }, 1, 3);
    let request = app.request(job);
    let thief = async {
        tokio::time::sleep(Duration::from_millis(600)).await;
        let store = &app.services.store;
        let expired = store.expire_lease(app.id, lease_of(job)).await;
        expired.expect("the lease did not expire");
        let taken = Lease::acquire(store, app.id, lease_of(job), Duration::from_mins(1)).await;
        taken
            .expect("lease request failed")
            .expect("the lease is held")
    };
    let (ended, thief) = tokio::join!(app.work(&request), thief);
    let failure = ended.expect_err("the message was deleted");
    assert!(failure.0.contains("lock was lost"), "{job}: {failure:?}");
    let run = app.run(&request).await;
    assert_eq!((run.status, run.error), (RunStatus::Running, None), "{job}");
    let notices = app.notices().await;
    assert!(notices.is_empty(), "{job}: {notices:?}");
    if job == Job::DirectorySync {
        let state = app.services.store.sync(app.id).await;
        let state = state.expect("sync not read").expect("no sync is stored");
        assert!(state.value.pause.is_none(), "{:?}", state.value.pause);
    }
    let held = thief.confirm().await;
    assert!(held.expect("lease request failed"), "{job}");
}

/// Difference 3: the next run records that the previous one crashed, and sends a notice with the
/// same text.
async fn a_crashed_run_is_recorded_and_announced(job: Job) {
    let mut app = tenant(job).await;
    app.notices().await;
    let crashed = leave_crashed(&mut app, job).await;
    let request = app.request(job);
    app.work(&request).await.expect("the run failed");
    assert_eq!(app.run(&request).await.status, RunStatus::Succeeded);
    let crashed = app.run(&crashed).await;
    assert_eq!(crashed.status, RunStatus::Failed, "{job}");
    assert_eq!(crashed.error.as_deref(), Some(CRASHED), "{job}");
    let notices = format!("{:?}", app.notices().await);
    assert!(notices.contains(CRASHED), "{job}: {notices}");
}

/// Difference 4: the lease is released when the run fails before its work begins.
async fn a_run_that_cannot_begin_releases_its_lease(job: Job) {
    let mut app = tenant(job).await;
    leave_crashed(&mut app, job).await;
    let mut settings = app.services.settings.clone();
    settings.notice_queue_url.push_str("-that-does-not-exist");
    let broken = app.with_settings(settings).await;
    let working = std::mem::replace(&mut app.services, broken);
    let request = app.request(job);
    let ended = app.work(&request).await;
    ended.expect_err("the crash was not reported");
    assert!(!is_locked(&app, job).await, "{job} holds its lease");
    app.services = working;
    app.work(&request).await.expect("the next delivery failed");
    assert_eq!(
        app.run(&request).await.status,
        RunStatus::Succeeded,
        "{job}"
    );
}

/// Difference 5: a run that needs too many continuations, or whose continuation makes no progress,
/// fails and records the reason; no message is queued any more.
async fn a_run_that_never_ends_fails(job: Job) {
    let mut app = tenant(job).await;
    app.notices().await;
    let mut request = app.request(job);
    request.continuation = MAX_CONTINUATIONS;
    // Too little time for any work: the first request that it needs takes longer.
    app.fault(path_at_work(job), FaultKind::Delay { ms: 600 }, 1, 1_000);
    let ended = app.work_within(&request, Duration::from_millis(300)).await;
    ended.expect("the message was not deleted");
    let run = app.run(&request).await;
    assert_eq!(run.status, RunStatus::Failed, "{job}: {run:?}");
    assert!(run.finished_at.is_some() && run.error.is_some(), "{run:?}");
    assert_eq!(app.requested(job).await, 0, "{job} queued a continuation");
    let notices = format!("{:?}", app.notices().await);
    assert!(
        notices.contains("Failed") || notices.contains("Failure"),
        "{job}: {notices}"
    );
}

#[tokio::test]
async fn a_message_delivered_twice_is_one_run_of_every_job() {
    for job in JOBS {
        Box::pin(a_message_delivered_twice_is_one_run(job)).await;
    }
}

#[tokio::test]
async fn a_lost_lease_stops_the_refresh_silently() {
    Box::pin(a_lost_lease_stops_a_run_silently(Job::Refresh)).await;
}

#[tokio::test]
async fn a_lost_lease_stops_the_maintenance_silently() {
    Box::pin(a_lost_lease_stops_a_run_silently(Job::Maintenance)).await;
}

#[tokio::test]
async fn a_lost_lease_stops_the_directory_sync_silently() {
    Box::pin(a_lost_lease_stops_a_run_silently(Job::DirectorySync)).await;
}

#[tokio::test]
async fn a_crashed_refresh_is_recorded_and_announced() {
    Box::pin(a_crashed_run_is_recorded_and_announced(Job::Refresh)).await;
}

#[tokio::test]
async fn a_crashed_maintenance_is_recorded_and_announced() {
    Box::pin(a_crashed_run_is_recorded_and_announced(Job::Maintenance)).await;
}

#[tokio::test]
async fn a_crashed_directory_sync_is_recorded_and_announced() {
    Box::pin(a_crashed_run_is_recorded_and_announced(Job::DirectorySync)).await;
}

#[tokio::test]
async fn a_refresh_that_cannot_begin_releases_its_lease() {
    Box::pin(a_run_that_cannot_begin_releases_its_lease(Job::Refresh)).await;
}

#[tokio::test]
async fn a_maintenance_that_cannot_begin_releases_its_lease() {
    Box::pin(a_run_that_cannot_begin_releases_its_lease(Job::Maintenance)).await;
}

#[tokio::test]
async fn a_directory_sync_that_cannot_begin_releases_its_lease() {
    Box::pin(a_run_that_cannot_begin_releases_its_lease(
        Job::DirectorySync,
    ))
    .await;
}

#[tokio::test]
async fn a_refresh_that_never_ends_fails() {
    Box::pin(a_run_that_never_ends_fails(Job::Refresh)).await;
}

#[tokio::test]
async fn a_maintenance_that_never_ends_fails() {
    Box::pin(a_run_that_never_ends_fails(Job::Maintenance)).await;
}

#[tokio::test]
async fn a_directory_sync_that_never_ends_fails() {
    Box::pin(a_run_that_never_ends_fails(Job::DirectorySync)).await;
}

/// A job that, after the record was read and before the lease is acquired, stores the run as ended,
/// as a concurrent invocation can do.
struct Overtaken<'a> {
    app: &'a TestApp,
    ended_by_another: Run,
}

impl JobRun for Overtaken<'_> {
    const LEASE: &'static str = REFRESH_LEASE;
    const DROPPED_AFTER: Option<Duration> = None;
    const TIMED_OUT: &'static str = "";
    const REFUSES_OLD_SLOTS: bool = true;
    type Inputs = ();
    type Output = ();
    type Error = StoreError;

    async fn admit(&self, _request: &RunRequest) -> Result<Admission<()>, Failure> {
        self.app
            .services
            .store
            .begin_run(&self.ended_by_another)
            .await?;
        Ok(Admission::Start(()))
    }

    async fn execute(&self, (): (), _run: &mut Run, _budget: &RunBudget) -> Result<(), StoreError> {
        panic!("the run was executed again")
    }

    async fn complete(&self, _run: &mut Run, (): ()) -> Result<Completion<StoreError>, Failure> {
        panic!("the run was recorded again")
    }

    async fn notify_skipped(&self, _run: &Run, _reason: &str) -> Result<(), Failure> {
        panic!("the run was skipped")
    }

    async fn notify_crashed(&self, _crashed: &Run) -> Result<(), Failure> {
        panic!("a crashed run was reported")
    }

    async fn notify_failed(
        &self,
        _run: &Run,
        _error: &RunError<StoreError>,
    ) -> Result<(), Failure> {
        panic!("the run failed")
    }
}

/// Difference 1 with other timing: another invocation ends the run after this one has read its
/// record and before it acquires the lease.
#[tokio::test]
async fn a_run_that_ended_before_the_lease_was_taken_is_not_made_again() {
    let mut app = TestApp::ready(TestTenant::small()).await;
    let request = app.request(Job::Refresh);
    let mut ended_by_another = Run::begin(request.clone(), chrono::Utc::now());
    ended_by_another.status = RunStatus::Succeeded;
    let job = Overtaken {
        app: &app,
        ended_by_another,
    };
    let deadline = Deadline::after(Duration::from_mins(1));
    let ended = lifecycle::run(&app.services, &job, request.clone(), deadline).await;
    ended.expect("the message was not deleted");
    assert_eq!(app.run(&request).await.status, RunStatus::Succeeded);
    assert!(!is_locked(&app, Job::Refresh).await);
}
