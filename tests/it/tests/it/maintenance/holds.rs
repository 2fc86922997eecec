//! Limits: large changes are held for approval.

use chrono::Utc;
use rollcall_clients::store::StoreError;
use rollcall_domain::base::throttle::Throttle;
use rollcall_domain::membership::hold::HoldState;
use rollcall_domain::membership::plan::PlanHash;
use rollcall_domain::membership::report::ProfileStatus;
use rollcall_domain::notices::NoticeKind;

use crate::harness::{TestApp, TestTenant, line, profile_id};

async fn crowded() -> TestApp {
    let app = TestApp::ready(TestTenant::crowd(30)).await;
    app.put_city("Denver", "Denver", &["Security 101"]).await;
    app.put("Denver", |profile| {
        profile.throttle = Throttle {
            max_changes: Some(10),
            max_percent: None,
        }
    })
    .await;
    app
}

fn approved() -> HoldState {
    HoldState::Approved {
        by: "ada@contoso.example".to_owned(),
        at: Utc::now(),
        why: "a new office".to_owned(),
    }
}

fn hash(kinds: &[NoticeKind]) -> PlanHash {
    let held = kinds.iter().find_map(|kind| match kind {
        NoticeKind::Held { hash, .. } => Some(hash.clone()),
        _ => None,
    });
    held.expect("no notice of a held change")
}

/// Proves S4-129, S4-131 and S4-061: nothing is written to the group, the workbook is still
/// created, the contact is notified once, and enrolment continues.
#[tokio::test]
async fn a_large_change_is_held_whole() {
    let mut app = crowded().await;
    let (_, report) = app.maintain().await;
    let denver = line(&report, "Denver");
    assert_eq!(denver.status, ProfileStatus::Held);
    assert_eq!(
        denver.reason.as_deref(),
        Some("30 member changes exceed the limit of 10 members")
    );
    assert_eq!(
        app.members("Denver").expect("no such group"),
        Vec::<String>::new()
    );
    let state = app
        .services
        .store
        .profile_states(app.id)
        .await
        .expect("states not read")
        .remove(&profile_id(app.id, "Denver"));
    assert!(state.expect("no state").members_file.is_some());
    assert_eq!(app.enrolled("Denver"), ["Security 101"]);
    let told = app.told().await;
    assert!(
        matches!(
            &told[..],
            [NoticeKind::Held {
                adds: 30,
                removes: 0,
                ..
            }]
        ),
        "{told:?}"
    );
    app.maintained().await;
    assert!(app.told().await.is_empty(), "a second notice was sent");
}

/// Proves S4-063: an approval applies to exactly one change.
#[tokio::test]
async fn an_approval_releases_exactly_one_change() {
    let mut app = crowded().await;
    app.maintained().await;
    let first = hash(&app.told().await);
    let id = profile_id(app.id, "Denver");
    let store = app.services.store.clone();
    store
        .decide_hold(app.id, id, &first, approved(), None)
        .await
        .expect("not approved");
    app.edit(|outside| {
        outside.world.people.pop();
    });
    app.refresh().await;
    let (_, report) = app.maintain().await;
    assert_eq!(
        line(&report, "Denver").status,
        ProfileStatus::Held,
        "another change was applied"
    );
    let second = hash(&app.told().await);
    assert_ne!(first, second);
    assert!(matches!(
        store
            .decide_hold(app.id, id, &first, approved(), None)
            .await,
        Err(StoreError::Conflict)
    ));
    store
        .decide_hold(app.id, id, &second, approved(), None)
        .await
        .expect("not approved");
    let (_, report) = app.maintain().await;
    assert_eq!(line(&report, "Denver").added.done, 29);
    assert_eq!(app.members("Denver").expect("no such group").len(), 29);
    assert!(
        store
            .holds(app.id)
            .await
            .expect("holds not read")
            .is_empty(),
        "a resolved hold is still stored"
    );
}

/// Proves S4-063: a discarded change remains held without further notices; a higher limit lets it
/// pass.
#[tokio::test]
async fn a_discarded_change_stays_held_until_the_limit_is_raised() {
    let mut app = crowded().await;
    app.maintained().await;
    let change = hash(&app.told().await);
    let discarded = HoldState::Discarded {
        by: "ada@contoso.example".to_owned(),
        at: Utc::now(),
        why: "a mistake".to_owned(),
    };
    app.services
        .store
        .decide_hold(
            app.id,
            profile_id(app.id, "Denver"),
            &change,
            discarded,
            None,
        )
        .await
        .expect("not discarded");
    let (_, report) = app.maintain().await;
    assert!(
        line(&report, "Denver")
            .reason
            .as_deref()
            .is_some_and(|reason| reason.ends_with("it was discarded"))
    );
    assert!(app.told().await.is_empty());
    app.put("Denver", |profile| profile.throttle.max_changes = Some(100))
        .await;
    app.maintained().await;
    assert_eq!(app.members("Denver").expect("no such group").len(), 30);
}

/// Proves S4-061 with C-09: a change that is held, resolved and held again causes another notice.
#[tokio::test]
async fn a_change_that_comes_back_is_reported_again() {
    let mut app = crowded().await;
    app.maintained().await;
    let first = app.notices().await.remove(0);
    app.edit(|outside| {
        outside
            .world
            .people
            .iter_mut()
            .for_each(|person| person.city = Some("Oslo".to_owned()));
    });
    app.refresh().await;
    app.maintained().await;
    assert!(
        app.services
            .store
            .holds(app.id)
            .await
            .expect("holds not read")
            .is_empty()
    );
    app.edit(|outside| {
        outside
            .world
            .people
            .iter_mut()
            .for_each(|person| person.city = Some("Denver".to_owned()));
    });
    app.refresh().await;
    app.maintained().await;
    let second = app.notices().await.remove(0);
    assert_ne!(first.id, second.id);
    assert!(matches!(second.about, NoticeKind::Held { .. }));
}

/// Proves S4-063: an approved change that is interrupted by the deadline is completed by its
/// continuation without a second approval.
#[tokio::test]
async fn an_approved_change_survives_being_cut_off() {
    let mut app = TestApp::ready(TestTenant::crowd(900)).await;
    app.put_city("Denver", "Denver", &[]).await;
    app.put("Denver", |profile| {
        profile.throttle = Throttle {
            max_changes: Some(10),
            max_percent: None,
        }
    })
    .await;
    app.maintained().await;
    let change = hash(&app.told().await);
    app.services
        .store
        .decide_hold(
            app.id,
            profile_id(app.id, "Denver"),
            &change,
            approved(),
            None,
        )
        .await
        .expect("not approved");
    app.fault(
        "/$batch",
        rollcall_simulators::FaultKind::Delay { ms: 1_200 },
        1,
        100,
    );
    let request = app.request(rollcall_domain::base::schedule::Job::Maintenance);
    app.work_within(&request, std::time::Duration::from_secs(14))
        .await
        .expect("not handled");
    let partly = app.members("Denver").expect("no such group").len();
    assert!(
        partly > 0 && partly < 900,
        "not interrupted while working: {partly}"
    );
    app.simulators.clear_faults(app.id.uuid());
    let mut rest = request.clone();
    rest.continuation = 1;
    app.work(&rest).await.expect("not handled");
    assert_eq!(app.members("Denver").expect("no such group").len(), 900);
    assert!(app.told().await.is_empty(), "a second hold was created");
    assert!(
        app.services
            .store
            .holds(app.id)
            .await
            .expect("holds not read")
            .is_empty()
    );
}
