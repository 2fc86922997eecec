//! Deletion, restoration, retraction.

use rollcall_domain::audience::lifecycle::restore;
use rollcall_domain::audience::profile::Retraction;
use rollcall_domain::membership::report::ProfileStatus;

use crate::harness::{TestApp, TestTenant, line, profile_id};

async fn enrolled() -> TestApp {
    let mut app = TestApp::ready(TestTenant::small().course_of("Compliance", "Privacy")).await;
    app.put_city("Denver", "Denver", &["Security 101", "Privacy"])
        .await;
    app.maintained().await;
    assert_eq!(app.enrolled("Denver"), ["Privacy", "Security 101"]);
    app
}

/// Proves S4-135, S4-136, S4-137 and S4-138: the group is removed from every catalog, the switches
/// are turned off, and selection, group and members remain; this happens once.
#[tokio::test]
async fn a_deleted_profile_leaves_every_catalog_and_keeps_the_rest() {
    let mut app = enrolled().await;
    let id = profile_id(app.id, "Denver");
    app.services
        .store
        .delete_profile(app.id, id, "ada@contoso.example")
        .await
        .expect("not deleted");
    let (_, report) = app.maintain().await;
    assert!(app.enrolled("Denver").is_empty());
    assert!(app.outside().catalog_users.is_empty());
    assert_eq!(
        app.members("Denver").expect("no such group"),
        ["Ada", "Alan"]
    );
    let profile = app.profile("Denver").await;
    assert!(!profile.enroll && !profile.auto_populate);
    assert_eq!(profile.courses.len(), 2);
    assert_eq!(line(&report, "Denver").status, ProfileStatus::Deleted);
    app.forget_requests();
    app.maintained().await;
    assert!(
        app.writes().is_empty(),
        "a second run wrote again: {:?}",
        app.writes()
    );
}

/// Proves S4-139 and C-22: restoring brings back members, group and enrolments.
#[tokio::test]
async fn a_restored_profile_is_enrolled_again() {
    let mut app = enrolled().await;
    let id = profile_id(app.id, "Denver");
    app.services
        .store
        .delete_profile(app.id, id, "ada@contoso.example")
        .await
        .expect("not deleted");
    app.maintained().await;
    app.put("Denver", |profile| *profile = restore(profile.clone()))
        .await;
    app.maintained().await;
    assert_eq!(app.enrolled("Denver"), ["Privacy", "Security 101"]);
    assert_eq!(
        app.members("Denver").expect("no such group"),
        ["Ada", "Alan"]
    );
}

/// Proves S4-136 and C-08: enrolments made elsewhere that are removed with a catalog are reported;
/// with `courses_only` they remain.
#[tokio::test]
async fn what_goes_along_with_a_catalog_is_named() {
    for (mode, left) in [
        (Retraction::LeaveCatalogs, vec![]),
        (Retraction::CoursesOnly, vec!["Fire Safety".to_owned()]),
    ] {
        let mut app = enrolled().await;
        let elsewhere = app.course("Fire Safety").uuid();
        app.edit(|outside| {
            let mut more = outside.group_enrolments[0].clone();
            more.course_id = elsewhere;
            outside.group_enrolments.push(more);
        });
        app.put("Denver", |profile| {
            profile.enroll = false;
            profile.retraction = mode;
        })
        .await;
        let (_, report) = app.maintain().await;
        assert_eq!(app.enrolled("Denver"), left, "{mode:?}");
        let named = line(&report, "Denver")
            .notes
            .iter()
            .any(|note| note.contains(&elsewhere.to_string()));
        assert_eq!(named, mode == Retraction::LeaveCatalogs, "{report:#?}");
    }
}

/// Proves S4-140: after a switch to "Don't enroll" the group is unenrolled once and its members
/// remain; later manual enrolments are not changed.
#[tokio::test]
async fn a_retraction_is_carried_out_once() {
    let mut app = enrolled().await;
    app.put("Denver", |profile| profile.enroll = false).await;
    app.maintained().await;
    assert!(app.enrolled("Denver").is_empty());
    assert_eq!(
        app.members("Denver").expect("no such group"),
        ["Ada", "Alan"]
    );
    assert!(app.profile("Denver").await.retraction_handled);
    app.forget_requests();
    app.maintained().await;
    assert!(app.writes().is_empty(), "{:?}", app.writes());
    app.put("Denver", |profile| {
        profile.enroll = true;
        profile.retraction_handled = false;
    })
    .await;
    app.maintained().await;
    assert_eq!(app.enrolled("Denver"), ["Privacy", "Security 101"]);
}
