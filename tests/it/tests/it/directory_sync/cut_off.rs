//! Runs that are interrupted at any point: the next one produces the same result.

use std::time::Duration;

use rollcall_clients::store::SYNC_LEASE;
use rollcall_domain::base::run::RunStatus;
use rollcall_domain::notices::NoticeKind;
use rollcall_simulators::FaultKind;

use super::{Office, run_id};

/// Asserts the result of a complete run.
fn assert_whole(office: &Office, when: &str) {
    assert_eq!(
        office.active_users(),
        ["Ada", "Alan", "Grace", "Peter"],
        "{when}"
    );
    let teams = office.teams();
    assert_eq!(teams["Peter Wright's team"], "Ada Alan Peter*", "{when}");
    assert_eq!(teams["Sales"], "Ada Grace", "{when}");
    assert_eq!(teams.len(), 2, "{when}: {teams:?}");
    assert_eq!(office.users().len(), 4, "{when}");
}

/// Kills a run at every request in turn, by dropping it as a shutdown of the function does, then
/// runs again.
async fn killed_everywhere(bulk: bool) -> usize {
    for step in 0.. {
        let when = format!("bulk {bulk}, killed at request {step}");
        let mut office = Office::small().await;
        office.ready().await;
        office
            .app
            .edit(|outside| outside.scim.behaviour.bulk = bulk);
        office.app.forget_requests();
        let request = office.request();
        let reached = killed_at(&office, &request, step).await;
        let store = &office.app.services.store;
        let expired = store.expire_lease(office.app.id, SYNC_LEASE).await;
        expired.expect("not expired");
        let run = office.run_of(&request).await;
        assert_eq!(run.status, RunStatus::Succeeded, "{when}: {run:?}");
        assert_whole(&office, &when);
        office.app.forget_requests();
        let again = office.run().await;
        let written = office.written();
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
    office: &Office,
    request: &rollcall_domain::base::run::RunRequest,
    step: usize,
) -> bool {
    // The delayed request is answered after the run was dropped.
    let at = u32::try_from(step).unwrap_or(u32::MAX).saturating_add(1);
    office.app.fault("", FaultKind::Delay { ms: 1_500 }, at, 1);
    let work = office.app.work(request);
    let seen = async {
        loop {
            tokio::time::sleep(Duration::from_millis(10)).await;
            if office.app.simulators.requests(office.app.id.uuid()).len() >= step {
                tokio::time::sleep(Duration::from_millis(120)).await;
                return;
            }
        }
    };
    let killed = tokio::select! {
        done = work => { done.expect("not handled"); false }
        () = seen => true,
    };
    office.app.clear_faults();
    killed
}

/// Proves S2-42, S2-47 and S2-48: a run that crashed and is not retried is reported to the owners
/// by the next run, once; that run makes its changes.
#[tokio::test]
async fn a_run_that_died_is_told_by_the_next_one() {
    let mut office = Office::small().await;
    office.active(|_| ()).await;
    office.app.notices().await;
    let died = office.request();
    assert!(
        killed_at(&office, &died, 2).await,
        "the run ended before it could be killed"
    );
    let store = &office.app.services.store;
    let expired = store.expire_lease(office.app.id, SYNC_LEASE).await;
    expired.expect("not expired");
    assert_eq!(office.run().await.status, RunStatus::Succeeded);
    let dead = office
        .app
        .services
        .store
        .run(&died)
        .await
        .expect("not read");
    let path = format!("/v1/sync/runs/{}", run_id(&dead.expect("no record")));
    let shown = office.owner.get(&path).await.expect(200).body;
    assert_eq!(shown["status"], "failure");
    let told = failures(&office).await;
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].contains("killed"), "{told:?}");
    assert_eq!(shown["error"], told[0].as_str());
    assert_eq!(office.run().await.status, RunStatus::Succeeded);
    assert!(
        failures(&office).await.is_empty(),
        "a second notice was sent"
    );
}

/// Returns the errors of failure notices since the last call, none of which pauses the sync.
async fn failures(office: &Office) -> Vec<String> {
    let told = office.app.told().await.into_iter();
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
        let mut office = Office::small().await;
        office
            .app
            .edit(|outside| outside.scim.behaviour.bulk = bulk);
        office.app.fault(path, FaultKind::LoseAnswer, 4, 2);
        let run = office.active(|_| ()).await;
        assert!(run.is_over(), "{path}: {run:?}");
        office.app.clear_faults();
        office
            .set(rollcall_domain::directory_sync::SyncState::resolve)
            .await;
        office.run().await;
        assert_whole(&office, path);
    }
}

/// With little time the run stops in a consistent state, and its continuation completes it.
#[tokio::test]
async fn a_run_without_time_goes_on_by_itself() {
    let names: Vec<String> = (0..60).map(|number| format!("P{number:02}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let mut office = Office::of(&names).await;
    office
        .app
        .edit(|outside| outside.scim.behaviour.bulk = false);
    office.ready().await;
    office
        .app
        .fault("/Users", FaultKind::Delay { ms: 400 }, 3, 10_000);
    let request = office.request();
    office
        .app
        .work_within(&request, Duration::from_millis(2_600))
        .await
        .expect("not handled");
    let run = office.app.run(&request).await;
    assert_eq!(run.status, RunStatus::Continuing, "{run:?}");
    let made = super::count(&run, "usersCreated");
    assert!((1..60).contains(&made), "{made}");
    office.app.clear_faults();
    office.work().await.expect("no continuation");
    let run = office.app.run(&request).await;
    assert_eq!(
        (run.status, super::count(&run, "usersCreated")),
        (RunStatus::Succeeded, 60),
        "{run:?}"
    );
    assert_eq!(office.active_users().len(), 60);
    let lines = office.changes(&run, "&state=done").await;
    assert_eq!(
        lines.len(),
        60,
        "the report lacks changes of one invocation"
    );
}

/// A run that lost its lease makes no effective write.
#[tokio::test]
async fn a_lost_lock_stops_the_run() {
    let mut office = Office::small().await;
    office.active(|_| ()).await;
    office.person("Ada", |ada| ada.job_title = Some("Lead".to_owned()));
    office
        .app
        .fault("/Schemas", FaultKind::Delay { ms: 2_000 }, 1, 1);
    let request = office.request();
    let steal = async {
        tokio::time::sleep(Duration::from_millis(500)).await;
        let store = &office.app.services.store;
        store
            .expire_lease(office.app.id, SYNC_LEASE)
            .await
            .expect("not expired");
    };
    let (done, ()) = tokio::join!(office.app.work(&request), steal);
    assert!(done.is_err(), "the message was not retried");
    office.app.clear_faults();
    let run = office.run_of(&request).await;
    assert_eq!(
        (run.status, super::count(&run, "usersUpdated")),
        (RunStatus::Succeeded, 1),
        "{run:?}"
    );
}
