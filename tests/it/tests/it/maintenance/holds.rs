//! Limits: large changes are held for approval.

use std::time::Duration;

use chrono::Utc;
use rollcall_clients::store::StoreError;
use rollcall_domain::audience::profile::Target;
use rollcall_domain::base::run::RunRequest;
use rollcall_domain::base::schedule::Job;
use rollcall_domain::base::throttle::Throttle;
use rollcall_domain::membership::hold::HoldState;
use rollcall_domain::membership::plan::PlanHash;
use rollcall_domain::membership::report::ProfileStatus;
use rollcall_domain::notices::NoticeKind;
use rollcall_simulators::FaultKind;

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

/// Returns a tenant in which an approved change was interrupted by the deadline, and the request of
/// the run. "Zoe" is in no audience.
async fn cut_off() -> (TestApp, RunRequest) {
    let tenant = TestTenant::crowd(900).person("Zoe", "Oslo");
    let mut app = TestApp::ready(tenant).await;
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
    let id = profile_id(app.id, "Denver");
    let store = &app.services.store;
    let decided = store.decide_hold(app.id, id, &change, approved(), None);
    decided.await.expect("not approved");
    app.fault("/$batch", FaultKind::Delay { ms: 1_200 }, 1, 100);
    let mut request = app.request(Job::Maintenance);
    let ended = app.work_within(&request, Duration::from_secs(14)).await;
    ended.expect("not handled");
    let partly = app.members("Denver").expect("no such group").len();
    assert!(
        partly > 0 && partly < 900,
        "not interrupted while working: {partly}"
    );
    app.clear_faults();
    request.continuation = 1;
    (app, request)
}

/// Proves S4-063: an approved change that is interrupted by the deadline is completed by its
/// continuation without a second approval.
#[tokio::test]
async fn an_approved_change_survives_being_cut_off() {
    let (app, rest) = cut_off().await;
    app.work(&rest).await.expect("not handled");
    assert_eq!(app.members("Denver").expect("no such group").len(), 900);
    assert!(app.told().await.is_empty(), "a second hold was created");
    let holds = app.services.store.holds(app.id).await;
    assert!(holds.expect("holds not read").is_empty());
}

/// Proves F-10: an edit of the profile voids the approval in the same transaction.
#[tokio::test]
async fn an_edit_after_a_cut_off_voids_the_approval() {
    let (app, rest) = cut_off().await;
    let zoe = app.user("Zoe");
    app.put("Denver", |profile| {
        profile.overrides.include = [Target::User(zoe)].into();
    })
    .await;
    let holds = app.services.store.holds(app.id).await;
    assert!(holds.expect("holds not read").is_empty(), "still approved");
    let before = app.members("Denver");
    app.work(&rest).await.expect("not handled");
    assert_eq!(
        app.members("Denver"),
        before,
        "a change was made without approval"
    );
    assert!(matches!(app.told().await[..], [NoticeKind::Held { .. }]));
}

/// Proves F-10: the rest may not contain somebody who was not approved, even if it is smaller and no
/// profile was edited.
#[tokio::test]
async fn the_rest_of_an_approved_change_contains_nobody_else() {
    let (app, rest) = cut_off().await;
    app.edit_members("Denver", &["Zoe"], &[]);
    app.forget_kept(profile_id(app.id, "Denver")).await;
    let before = app.members("Denver");
    app.work(&rest).await.expect("not handled");
    assert_eq!(
        app.members("Denver"),
        before,
        "Zoe's removal was not approved"
    );
    assert!(matches!(app.told().await[..], [NoticeKind::Held { .. }]));
}

/// F-2: a profile without limits has the tenant's default limit, until it is switched off.
#[tokio::test]
async fn a_profile_without_limits_has_the_default_limit() {
    let mut app = TestApp::ready(TestTenant::crowd(60)).await;
    app.put_city("Denver", "Denver", &[]).await;
    app.maintained().await;
    assert_eq!(
        app.members("Denver").expect("no such group").len(),
        60,
        "a first fill was held"
    );
    app.edit(|outside| {
        for person in outside.world.people.iter_mut().take(31) {
            person.city = Some("Oslo".to_owned());
        }
    });
    app.refresh().await;
    app.notices().await;
    let (_, report) = app.maintain().await;
    let reason = line(&report, "Denver").reason.clone().expect("not held");
    assert!(
        reason.contains("50 % of 60 current members, the default for profiles without a limit"),
        "{reason}"
    );
    assert!(matches!(app.told().await[..], [NoticeKind::Held { .. }]));
    assert_eq!(app.members("Denver").expect("no such group").len(), 60);
    let preview = format!("/v1/profiles/{}/preview", profile_id(app.id, "Denver"));
    let preview = app.admin("LmsAdmin").get(&preview).await.expect(200);
    assert_eq!(preview.body["heldBecause"], reason);
    let tenant = app.tenant().await;
    let mut settings = tenant.settings.clone();
    settings.default_limit = None;
    let saved = app
        .services
        .store
        .save_settings(app.id, &settings, Some(tenant.version));
    saved.await.expect("settings rejected");
    app.maintained().await;
    assert_eq!(app.members("Denver").expect("no such group").len(), 29);
}

/// Proves F-24: the change of a group that was replaced is measured against its last size.
#[tokio::test]
async fn a_replaced_group_is_not_filled_without_approval() {
    let mut app = TestApp::ready(TestTenant::crowd(60)).await;
    app.put_city("Denver", "Denver", &[]).await;
    app.maintained().await;
    app.edit(|outside| {
        outside.world.groups.clear();
        outside.deleted_groups.clear();
    });
    let (_, report) = app.maintain().await;
    assert_eq!(
        line(&report, "Denver").status,
        ProfileStatus::Held,
        "{report:#?}"
    );
    assert_eq!(app.members("Denver"), Some(Vec::new()));
    let (_, report) = app.maintain().await;
    assert_eq!(
        line(&report, "Denver").status,
        ProfileStatus::Held,
        "{report:#?}"
    );
}
