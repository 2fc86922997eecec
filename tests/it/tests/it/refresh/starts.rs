//! Tests of the first refresh, failures, waiting and missed slots.

use super::*;

/// Proves S4-091, S4-096 and S4-103: a tick requests one run per active tenant, the sweep requests
/// runs for tenants that wait for their first refresh, and duplicate ticks result in one run.
#[tokio::test]
async fn ticks_ask_for_active_tenants_and_the_sweep_for_new_ones() {
    let mut app = TestApp::of(TestTenant::small()).await;
    assert_eq!(
        app.tenant().await.onboarding,
        Onboarding::AwaitingFirstRefresh
    );
    assert!(
        !app.services
            .store
            .active_tenants()
            .await
            .expect("tenants not read")
            .contains(&app.id)
    );
    let sweep = Tick {
        tick: "onboarding".to_owned(),
        time: chrono::Utc::now(),
    };
    rollcall_refresh_job::tick(&app.services, &sweep, soon_over())
        .await
        .expect("sweep failed");
    assert!(
        app.requested(Job::Refresh).await >= 1,
        "no request for the new tenant"
    );
    app.refresh().await;
    assert!(
        app.services
            .store
            .active_tenants()
            .await
            .expect("tenants not read")
            .contains(&app.id)
    );
    assert!(
        !app.services
            .store
            .onboarding_tenants()
            .await
            .expect("tenants not read")
            .contains(&app.id)
    );
    let request = app.request(Job::Refresh);
    app.work(&request).await.expect("not handled");
    app.forget_requests();
    app.work(&request).await.expect("not handled");
    assert!(
        app.simulators.requests(app.id.uuid()).is_empty(),
        "a duplicate sent requests"
    );
    let unknown = Tick {
        tick: "midnight".to_owned(),
        time: chrono::Utc::now(),
    };
    assert!(
        rollcall_refresh_job::tick(&app.services, &unknown, soon_over())
            .await
            .is_err()
    );
}

/// Proves S4-096: slots that never ran are recorded in the next run.
#[tokio::test]
async fn missed_slots_are_visible() {
    let mut app = TestApp::ready(TestTenant::small()).await;
    let mut request = app.request(Job::Refresh);
    let at = |text: &str| Slot::of_tick(text.parse().expect("invalid time"));
    request.slot = at("2030-01-01T02:00:00Z");
    app.work(&request).await.expect("not handled");
    request.slot = at("2030-01-01T11:00:00Z");
    app.work(&request).await.expect("not handled");
    assert_eq!(
        app.run(&request).await.missed,
        [at("2030-01-01T05:00:00Z"), at("2030-01-01T08:00:00Z")]
    );
}

/// Proves S4-102 and S4-104: after the first save the tenant is shown as waiting; after the first
/// refresh it is ready, and one notice is sent.
#[tokio::test]
async fn a_new_tenant_is_reported_when_it_is_ready() {
    let mut app = TestApp::of(TestTenant::small()).await;
    assert_eq!(
        app.tenant().await.onboarding,
        Onboarding::AwaitingFirstRefresh
    );
    app.refresh().await;
    assert_eq!(app.tenant().await.onboarding, Onboarding::Ready);
    assert_eq!(
        app.told().await,
        [NoticeKind::Ready {
            people: 3,
            courses: 2
        }]
    );
    app.refresh().await;
    assert!(app.told().await.is_empty(), "a second notice was sent");
}

/// Proves S4-105: a failed first refresh is notified, visible, and retried.
#[tokio::test]
async fn a_failed_first_refresh_is_reported_and_tried_again() {
    let mut app = TestApp::of(TestTenant::small()).await;
    app.fault("Courses", FaultKind::BrokenJson, 1, 50);
    let run = app.refresh().await;
    assert_eq!(run.status, RunStatus::Failed);
    let told = app.told().await;
    let NoticeKind::Failure { consequence, .. } = failure(&told) else {
        panic!("{told:?}")
    };
    assert!(consequence.contains("no data yet"), "{consequence}");
    assert_eq!(
        app.tenant().await.onboarding,
        Onboarding::AwaitingFirstRefresh
    );
    let begun = app.requested(Job::Refresh).await;
    let soon = Tick {
        tick: "onboarding".to_owned(),
        time: run.request.slot.at() + chrono::TimeDelta::minutes(2),
    };
    rollcall_refresh_job::tick(&app.services, &soon, soon_over())
        .await
        .expect("sweep failed");
    let mine_soon = app.requested(Job::Refresh).await;
    let later = Tick {
        tick: "onboarding".to_owned(),
        time: run.request.slot.at() + chrono::TimeDelta::minutes(16),
    };
    rollcall_refresh_job::tick(&app.services, &later, soon_over())
        .await
        .expect("sweep failed");
    assert!(
        app.requested(Job::Refresh).await > mine_soon,
        "not requested again after 15 minutes (before: {begun})"
    );
    app.simulators.clear_faults(app.id.uuid());
    app.refresh().await;
    assert_eq!(app.tenant().await.onboarding, Onboarding::Ready);
}

#[tokio::test]
async fn a_wrong_key_is_reported_in_words_without_the_key() {
    let mut app = TestApp::of(TestTenant::small()).await;
    app.edit(|outside| outside.world.lms_keys.clear());
    let run = app.refresh().await;
    let error = run.error.expect("no error recorded");
    assert!(error.contains("401"), "{error}");
    assert!(
        !error.contains(&rollcall_simulators::generate::lms_key(app.id.uuid())),
        "{error}"
    );
}

#[tokio::test]
async fn a_refresh_waits_while_another_one_works() {
    let mut app = TestApp::of(TestTenant::small()).await;
    let other = Lease::acquire(
        &app.services.store,
        app.id,
        REFRESH_LEASE,
        Duration::from_secs(30),
    )
    .await
    .expect("lease request failed")
    .expect("lease taken");
    let request = app.request(Job::Refresh);
    app.work(&request).await.expect("not handled");
    assert!(
        app.services
            .store
            .run(&request)
            .await
            .expect("run not read")
            .is_none(),
        "a run was recorded"
    );
    assert_eq!(
        app.requested(Job::Refresh).await,
        1,
        "the request was not requeued"
    );
    other.release().await.expect("not released");
    app.work(&request).await.expect("not handled");
    assert_eq!(counts(&app.run(&request).await, &["people"])["people"], 3);
}
