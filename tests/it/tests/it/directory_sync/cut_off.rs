//! Runs that are interrupted at any point: the next one produces the same result.

use std::time::Duration;

use rollcall_clients::store::SYNC_LEASE;
use rollcall_domain::base::run::RunStatus;
use rollcall_domain::notices::NoticeKind;
use rollcall_simulators::FaultKind;

use super::{SyncFixture, run_id};

/// Asserts the result of a complete run.
fn assert_whole(fixture: &SyncFixture, when: &str) {
    assert_eq!(
        fixture.active_users(),
        ["Ada", "Alan", "Grace", "Peter"],
        "{when}"
    );
    let teams = fixture.teams();
    assert_eq!(teams["Peter Wright's team"], "Ada Alan Peter*", "{when}");
    assert_eq!(teams["Sales"], "Ada Grace", "{when}");
    assert_eq!(teams.len(), 2, "{when}: {teams:?}");
    assert_eq!(fixture.users().len(), 4, "{when}");
}

/// Kills a run at every request in turn, by dropping it as a shutdown of the function does, then
/// runs again.
async fn killed_everywhere(bulk: bool) -> usize {
    for step in 0.. {
        let when = format!("bulk {bulk}, killed at request {step}");
        let mut fixture = SyncFixture::small().await;
        fixture.ready().await;
        fixture
            .app
            .edit(|outside| outside.scim.behaviour.bulk = bulk);
        fixture.app.forget_requests();
        let request = fixture.request();
        let reached = killed_at(&fixture, &request, step).await;
        let store = &fixture.app.services.store;
        let expired = store.expire_lease(fixture.app.id, SYNC_LEASE).await;
        expired.expect("not expired");
        let run = fixture.run_of(&request).await;
        assert_eq!(run.status, RunStatus::Succeeded, "{when}: {run:?}");
        assert_whole(&fixture, &when);
        fixture.app.forget_requests();
        let again = fixture.run().await;
        let written = fixture.written();
        assert_eq!((again.status, written), (RunStatus::Succeeded, 0), "{when}");
        if !reached {
            return step;
        }
    }
    unreachable!("the run did not end")
}

#[tokio::test]
async fn a_run_that_is_killed_anywhere_is_made_up_for() {
    let steps = killed_everywhere(false).await;
    assert!(steps > 20, "a run asks for more than {steps} things");
}

#[tokio::test]
async fn a_run_with_bulk_that_is_killed_anywhere_is_made_up_for() {
    let steps = killed_everywhere(true).await;
    assert!(steps > 10, "a run asks for more than {steps} things");
}

/// Drops a run once the simulators have received `step` requests; returns false if the run ended
/// before.
async fn killed_at(
    fixture: &SyncFixture,
    request: &rollcall_domain::base::run::RunRequest,
    step: usize,
) -> bool {
    // The delayed request is answered after the run was dropped.
    let at = u32::try_from(step).unwrap_or(u32::MAX).saturating_add(1);
    fixture.app.fault("", FaultKind::Delay { ms: 1_500 }, at, 1);
    let work = fixture.app.work(request);
    let seen = async {
        loop {
            tokio::time::sleep(Duration::from_millis(10)).await;
            if fixture.app.simulators.requests(fixture.app.id.uuid()).len() >= step {
                tokio::time::sleep(Duration::from_millis(120)).await;
                return;
            }
        }
    };
    let killed = tokio::select! {
        done = work => { done.expect("not handled"); false }
        () = seen => true,
    };
    fixture.app.clear_faults();
    killed
}

/// Proves S2-42, S2-47 and S2-48: a run that crashed and is not retried is reported to the owners
/// by the next run, once; that run makes its changes.
#[tokio::test]
async fn a_run_that_died_is_reported_by_the_next_one() {
    let mut fixture = SyncFixture::small().await;
    fixture.active(|_| ()).await;
    fixture.app.notices().await;
    let died = fixture.request();
    assert!(
        killed_at(&fixture, &died, 2).await,
        "the run ended before it could be killed"
    );
    let store = &fixture.app.services.store;
    let expired = store.expire_lease(fixture.app.id, SYNC_LEASE).await;
    expired.expect("not expired");
    assert_eq!(fixture.run().await.status, RunStatus::Succeeded);
    let dead = fixture
        .app
        .services
        .store
        .run(&died)
        .await
        .expect("not read");
    let path = format!("/v1/sync/runs/{}", run_id(&dead.expect("no record")));
    let shown = fixture.owner.get(&path).await.expect(200).body;
    assert_eq!(shown["status"], "failure");
    let told = failures(&fixture).await;
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].contains("crashed"), "{told:?}");
    assert_eq!(shown["error"], told[0].as_str());
    assert_eq!(fixture.run().await.status, RunStatus::Succeeded);
    assert!(
        failures(&fixture).await.is_empty(),
        "a second notice was sent"
    );
}

/// Returns the errors of failure notices since the last call, none of which pauses the sync.
async fn failures(fixture: &SyncFixture) -> Vec<String> {
    let told = fixture.app.told().await.into_iter();
    told.filter_map(|about| match about {
        NoticeKind::SyncFailed { errors, paused, .. } => {
            assert!(!paused);
            Some(errors.join(" "))
        }
        _ => None,
    })
    .collect()
}

/// Responses are lost although the write succeeded: nothing is created twice.
#[tokio::test]
async fn lost_answers_make_nothing_twice() {
    for (path, bulk) in [("/Users", false), ("/Groups", false), ("/Bulk", true)] {
        let mut fixture = SyncFixture::small().await;
        fixture
            .app
            .edit(|outside| outside.scim.behaviour.bulk = bulk);
        fixture.app.fault(path, FaultKind::LoseAnswer, 4, 2);
        let run = fixture.active(|_| ()).await;
        assert!(run.is_over(), "{path}: {run:?}");
        fixture.app.clear_faults();
        fixture
            .set(rollcall_domain::directory_sync::SyncState::resolve)
            .await;
        fixture.run().await;
        assert_whole(&fixture, path);
    }
}

/// With little time the run stops in a consistent state, and its continuation completes it.
#[tokio::test]
async fn a_run_without_time_continues_by_itself() {
    let names: Vec<String> = (0..60).map(|number| format!("P{number:02}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let mut fixture = SyncFixture::of(&names).await;
    fixture
        .app
        .edit(|outside| outside.scim.behaviour.bulk = false);
    fixture.ready().await;
    fixture
        .app
        .fault("/Users", FaultKind::Delay { ms: 400 }, 3, 10_000);
    let request = fixture.request();
    fixture
        .app
        .work_within(&request, Duration::from_millis(2_600))
        .await
        .expect("not handled");
    let run = fixture.app.run(&request).await;
    assert_eq!(run.status, RunStatus::Continuing, "{run:?}");
    let made = super::count(&run, "usersCreated");
    assert!((1..60).contains(&made), "{made}");
    fixture.app.clear_faults();
    fixture.work().await.expect("no continuation");
    let run = fixture.app.run(&request).await;
    assert_eq!(
        (run.status, super::count(&run, "usersCreated")),
        (RunStatus::Succeeded, 60),
        "{run:?}"
    );
    assert_eq!(fixture.active_users().len(), 60);
    let lines = fixture.changes(&run, "&state=done").await;
    assert_eq!(
        lines.len(),
        60,
        "the report lacks changes of one invocation"
    );
}

/// A run that lost its lease makes no effective write.
#[tokio::test]
async fn a_lost_lock_stops_the_run() {
    let mut fixture = SyncFixture::small().await;
    fixture.active(|_| ()).await;
    fixture.person("Ada", |ada| ada.job_title = Some("Lead".to_owned()));
    fixture
        .app
        .fault("/Schemas", FaultKind::Delay { ms: 2_000 }, 1, 1);
    let request = fixture.request();
    let steal = async {
        tokio::time::sleep(Duration::from_millis(500)).await;
        let store = &fixture.app.services.store;
        store
            .expire_lease(fixture.app.id, SYNC_LEASE)
            .await
            .expect("not expired");
    };
    let (done, ()) = tokio::join!(fixture.app.work(&request), steal);
    assert!(done.is_err(), "the message was not retried");
    fixture.app.clear_faults();
    let run = fixture.run_of(&request).await;
    assert_eq!(
        (run.status, super::count(&run, "usersUpdated")),
        (RunStatus::Succeeded, 1),
        "{run:?}"
    );
}
