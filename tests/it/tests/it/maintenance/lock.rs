//! The maintenance lock: what it forbids, who holds it, how it ends.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use rollcall_clients::store::profile_states::ProfileState;
use rollcall_clients::store::{Lease, MAINTENANCE_LEASE, StoreError};
use rollcall_domain::base::run::RunStatus;
use rollcall_domain::base::schedule::Job;
use rollcall_simulators::FaultKind;

use crate::harness::{TestApp, TestTenant, profile_id};

async fn take(app: &TestApp, seconds: u64) -> Lease {
    let lease = Lease::acquire(
        &app.services.store,
        app.id,
        MAINTENANCE_LEASE,
        Duration::from_secs(seconds),
    )
    .await;
    lease.expect("lease request failed").expect("lease taken")
}

/// Proves S4-108, S4-110, S4-111, S4-112 and S4-114: while locked, profiles, their courses and
/// settings cannot be saved; reading and deleting are possible.
#[tokio::test]
async fn under_the_lock_administrators_read_and_delete_only() {
    let app = TestApp::ready(TestTenant::small()).await;
    let profile = app.put_city("Denver", "Denver", &[]).await;
    let lease = take(&app, 30).await;
    let store = &app.services.store;
    let mut changed = profile.clone();
    changed.courses = [app.course("Security 101")].into();
    assert!(matches!(
        store.save_profile(app.id, &changed, Some(1)).await,
        Err(StoreError::Locked)
    ));
    changed.id = profile_id(app.id, "Another");
    assert!(matches!(
        store.save_profile(app.id, &changed, None).await,
        Err(StoreError::Locked)
    ));
    let tenant = app.tenant().await;
    assert!(matches!(
        store
            .save_settings(app.id, &tenant.settings, Some(tenant.version))
            .await,
        Err(StoreError::Locked)
    ));
    assert!(
        store
            .held_until(app.id, MAINTENANCE_LEASE)
            .await
            .expect("lease not read")
            .is_some()
    );
    assert_eq!(
        store
            .profiles(app.id)
            .await
            .expect("profiles not read")
            .len(),
        1
    );
    store
        .delete_profile(app.id, profile.id, "ada@contoso.example")
        .await
        .expect("not deleted");
    lease.release().await.expect("not released");
    assert!(
        store
            .held_until(app.id, MAINTENANCE_LEASE)
            .await
            .expect("lease not read")
            .is_none()
    );
    store
        .save_profile(app.id, &changed, None)
        .await
        .expect("not saved again");
}

/// Proves S4-115 and S4-141: after a run the lock is released and saving works.
#[tokio::test]
async fn after_the_run_the_lock_is_gone() {
    let mut app = TestApp::ready(TestTenant::small()).await;
    app.put_city("Denver", "Denver", &[]).await;
    app.maintained().await;
    assert!(
        app.services
            .store
            .held_until(app.id, MAINTENANCE_LEASE)
            .await
            .expect("lease not read")
            .is_none()
    );
    app.put_city("Denver", "Oslo", &[]).await;
}

/// Proves S4-116: a run that fails releases the lock and records the reason.
#[tokio::test]
async fn a_run_that_breaks_unlocks_and_reports() {
    let mut app = TestApp::ready(TestTenant::small()).await;
    app.put_city("Denver", "Denver", &[]).await;
    app.edit(|outside| outside.world.apps[0].secret_expired = true);
    let (run, _) = app.maintain().await;
    assert!(
        matches!(
            run.status,
            RunStatus::Failed | RunStatus::SucceededWithFailures
        ),
        "{run:?}"
    );
    assert!(
        app.services
            .store
            .held_until(app.id, MAINTENANCE_LEASE)
            .await
            .expect("lease not read")
            .is_none()
    );
    let told = format!("{:?}", app.told().await);
    assert!(
        told.contains("7000222") || told.contains("expired"),
        "{told}"
    );
}

/// Proves S4-116: a held lock cannot be acquired, an expired one can, and its previous owner cannot
/// write any more.
#[tokio::test]
async fn a_paused_owner_that_wakes_late_cannot_write() {
    let app = TestApp::ready(TestTenant::small()).await;
    let first = take(&app, 2).await;
    let store = &app.services.store;
    let second = Lease::acquire(store, app.id, MAINTENANCE_LEASE, Duration::from_secs(30))
        .await
        .expect("lease request failed");
    assert!(second.is_none(), "a held lock was acquired");
    tokio::time::sleep(Duration::from_millis(2_300)).await;
    let second = take(&app, 30).await;
    assert!(second.token() > first.token());
    assert!(
        !first.renew().await.expect("not renewed"),
        "a lost lock was renewed"
    );
    let late = store
        .put_profile_state(
            first.fence(),
            profile_id(app.id, "P"),
            &ProfileState::default(),
        )
        .await;
    assert!(matches!(late, Err(StoreError::LeaseLost)), "{late:?}");
    store
        .put_profile_state(
            second.fence(),
            profile_id(app.id, "P"),
            &ProfileState::default(),
        )
        .await
        .expect("the owner could not write");
    first.release().await.expect("not released");
    assert!(
        second.renew().await.expect("not renewed"),
        "the previous owner released the lock"
    );
}

/// The race of two concurrent messages: one works, the other writes nothing.
#[tokio::test]
async fn of_two_messages_at_once_one_works() {
    let mut app = TestApp::ready(TestTenant::crowd(60)).await;
    app.put_city("Denver", "Denver", &["Security 101"]).await;
    app.fault("/$batch", FaultKind::Delay { ms: 400 }, 1, 50);
    let (first, second) = (app.request(Job::Maintenance), app.request(Job::Maintenance));
    let (a, b) = tokio::join!(app.work(&first), app.work(&second));
    a.expect("not handled");
    b.expect("not handled");
    let begun = [
        app.services.store.run(&first).await.expect("run not read"),
        app.services.store.run(&second).await.expect("run not read"),
    ];
    assert_eq!(
        begun.iter().flatten().count(),
        1,
        "not exactly one run began: {begun:?}"
    );
    assert_eq!(
        app.requested(Job::Maintenance).await,
        1,
        "the other request was not requeued"
    );
    assert_eq!(app.members("Denver").expect("no such group").len(), 60);
}

/// No concurrent save is accepted while the lock is held.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn saves_that_race_with_the_lock_never_land_after_it() {
    let app = TestApp::ready(TestTenant::small()).await;
    let template = app.put_city("Denver", "Denver", &[]).await;
    let saved = AtomicUsize::new(0);
    let locked = AtomicUsize::new(usize::MAX);
    let store = &app.services.store;
    let saves = async {
        for number in 0..60 {
            let mut profile = template.clone();
            profile.title = format!("Racer {number}");
            profile.id = profile_id(app.id, &profile.title);
            match store.save_profile(app.id, &profile, None).await {
                Ok(()) => {
                    saved.fetch_add(1, Ordering::SeqCst);
                }
                Err(StoreError::Locked | StoreError::Contended) => {}
                Err(other) => panic!("{other}"),
            }
        }
    };
    let lock = async {
        tokio::time::sleep(Duration::from_millis(150)).await;
        let lease = take(&app, 30).await;
        let there = store
            .profiles(app.id)
            .await
            .expect("profiles not read")
            .len();
        locked.store(there, Ordering::SeqCst);
        lease
    };
    let ((), lease) = tokio::join!(saves, lock);
    let after = store
        .profiles(app.id)
        .await
        .expect("profiles not read")
        .len();
    assert_eq!(
        locked.load(Ordering::SeqCst),
        after,
        "a save was accepted after the lock was acquired"
    );
    assert_eq!(saved.load(Ordering::SeqCst) + 1, after);
    lease.release().await.expect("not released");
}
