//! F-12: messages that arrive late, for example moved back from a dead-letter queue, or continuations
//! that newer slots have overtaken.

use chrono::{TimeDelta, Utc};
use rollcall_domain::base::schedule::Slot;

use super::*;

/// A run whose slot is older than that of a newer run that has begun changes nothing.
async fn an_overtaken_run_is_skipped(job: Job) {
    let mut app = tenant(job).await;
    let late = app.request(job);
    let newer = app.request(job);
    app.work(&newer).await.expect("not handled");
    assert_eq!(app.run(&newer).await.status, RunStatus::Succeeded, "{job}");
    app.notices().await;
    app.forget_requests();
    app.work(&late).await.expect("the message was not deleted");
    let run = app.run(&late).await;
    assert_eq!(run.status, RunStatus::Skipped, "{job}: {run:?}");
    let note = run.note.expect("no reason");
    assert!(note.contains(&newer.slot.to_string()), "{job}: {note}");
    assert!(
        app.writes().is_empty() && app.notices().await.is_empty(),
        "{job}"
    );
}

/// A run whose slot is too old changes nothing even if no newer run has begun.
async fn a_run_of_an_old_slot_is_skipped(job: Job) {
    let mut app = tenant(job).await;
    let mut old = app.request(job);
    old.slot = Slot::of_tick(Utc::now() - TimeDelta::hours(25));
    app.forget_requests();
    app.work(&old).await.expect("the message was not deleted");
    let run = app.run(&old).await;
    assert_eq!(run.status, RunStatus::Skipped, "{job}: {run:?}");
    assert!(app.writes().is_empty(), "{job}");
}

#[tokio::test]
async fn an_overtaken_run_is_skipped_by_both_jobs() {
    for job in [Job::Refresh, Job::Maintenance] {
        Box::pin(an_overtaken_run_is_skipped(job)).await;
        Box::pin(a_run_of_an_old_slot_is_skipped(job)).await;
    }
}

/// A run that failed or was skipped does nothing that an older one would do.
#[tokio::test]
async fn a_newer_run_that_changed_nothing_overtakes_no_other() {
    let mut app = tenant(Job::Maintenance).await;
    let late = app.request(Job::Maintenance);
    for status in [RunStatus::Failed, RunStatus::Skipped] {
        let request = app.request(Job::Maintenance);
        let mut newer = Run::begin(request, Utc::now());
        newer.status = status;
        let stored = app.services.store.begin_run(&newer).await;
        assert!(stored.expect("run not recorded"));
    }
    app.work(&late).await.expect("not handled");
    assert_eq!(app.run(&late).await.status, RunStatus::Succeeded);
}

/// The continuation of a run ends when a newer run has begun. Its record tells that changes were
/// made, and which run does the rest.
#[tokio::test]
async fn a_continuation_ends_when_a_newer_run_has_begun() {
    let mut app = TestApp::ready(TestTenant::crowd(900)).await;
    app.put_city("Denver", "Denver", &[]).await;
    app.fault("/$batch", FaultKind::Delay { ms: 1_200 }, 1, 100);
    let request = app.request(Job::Maintenance);
    let ended = app.work_within(&request, Duration::from_secs(12)).await;
    ended.expect("not handled");
    assert_eq!(app.run(&request).await.status, RunStatus::Continuing);
    app.clear_faults();
    let newer = app.request(Job::Maintenance);
    app.work(&newer).await.expect("not handled");
    assert_eq!(app.run(&newer).await.status, RunStatus::Succeeded);
    app.forget_requests();
    let mut rest = request.clone();
    rest.continuation = 1;
    app.work(&rest).await.expect("not handled");
    let run = app.run(&request).await;
    assert_eq!(run.status, RunStatus::SucceededWithFailures, "{run:?}");
    assert!(
        run.note
            .is_some_and(|note| note.contains(&newer.slot.to_string()))
    );
    assert!(run.finished_at.is_some() && app.writes().is_empty());
}
