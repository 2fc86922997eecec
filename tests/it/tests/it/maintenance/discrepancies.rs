//! References to deleted objects are removed, reported or flagged.

use rollcall_domain::audience::discrepancies::{
    MissingReferences, REMOVED_AFTER, REMOVED_AFTER_REFRESHES,
};
use rollcall_domain::audience::profile::Target;
use rollcall_domain::base::run::RunStatus;
use rollcall_domain::membership::report::ProfileStatus;
use rollcall_domain::notices::NoticeKind;
use rollcall_simulators::world::FieldKind;
use serde_json::json;

use crate::harness::{TestApp, TestTenant, line, profile_id};

/// Removes a user from the learning platform's list.
fn leave(app: &TestApp, name: &str) {
    app.edit(|outside| {
        let people = &mut outside.world.people;
        people.retain(|person| person.display_name != name);
    });
}

/// Makes a profile's missing references as old as those that are removed.
async fn a_week_passes(app: &TestApp, title: &str) {
    app.change_state(title, |state| {
        let MissingReferences { users, courses } = &mut state.missing;
        for since in users.values_mut().chain(courses.values_mut()) {
            since.at -= REMOVED_AFTER;
            since.refreshes = REMOVED_AFTER_REFRESHES;
        }
    })
    .await;
}

/// Proves S4-117: overrides of deleted profiles are removed at once, and those of users once they
/// have been missing for long; the others remain.
#[tokio::test]
async fn obsolete_overrides_are_removed() {
    let mut app = TestApp::ready(TestTenant::small()).await;
    app.put_city("Oslo", "Oslo", &[]).await;
    let (grace, alan) = (app.user("Grace"), app.user("Alan"));
    let (oslo, gone) = (profile_id(app.id, "Oslo"), profile_id(app.id, "Never was"));
    app.put_city("Denver", "Denver", &[]).await;
    app.put("Denver", |profile| {
        profile.overrides.include = [Target::User(grace), Target::Profile(oslo)].into();
        profile.overrides.exclude = [Target::User(alan), Target::Profile(gone)].into();
    })
    .await;
    leave(&app, "Alan");
    app.refresh().await;
    let (_, report) = app.maintain().await;
    let overrides = app.profile("Denver").await.overrides;
    assert_eq!(
        overrides.include,
        [Target::User(grace), Target::Profile(oslo)].into()
    );
    assert_eq!(overrides.exclude, [Target::User(alan)].into());
    let found = &line(&report, "Denver").discrepancies;
    assert_eq!(found.overrides, [Target::Profile(gone)].into());
    assert!(found.missing.users.contains_key(&alan), "{found:?}");
    assert_eq!(
        app.members("Denver").expect("no such group"),
        ["Ada", "Grace"]
    );
    a_week_passes(&app, "Denver").await;
    app.refresh().await;
    let (_, report) = app.maintain().await;
    assert!(app.profile("Denver").await.overrides.exclude.is_empty());
    let found = &line(&report, "Denver").discrepancies;
    assert_eq!(found.overrides, [Target::User(alan)].into());
}

/// F-2: a person who is excluded and missing from one refresh is still excluded after the next one,
/// and the API shows since when the person is missing. Meanwhile the profile can be saved.
#[tokio::test]
async fn an_excluded_user_who_reappears_is_still_excluded() {
    let mut app = TestApp::ready(TestTenant::small()).await;
    let alan = app.user("Alan");
    app.put_city("Denver", "Denver", &[]).await;
    app.put("Denver", |profile| {
        profile.overrides.exclude = [Target::User(alan)].into();
    })
    .await;
    let before = app.outside().world.people;
    for _ in 0..3 {
        leave(&app, "Alan");
        app.refresh().await;
        app.maintained().await;
        app.maintained().await;
        let admin = app.admin("LmsAdmin");
        let path = format!("/v1/profiles/{}", profile_id(app.id, "Denver"));
        let read = admin.get(&path).await.expect(200);
        let since = &read.body["standing"]["missingUsers"][alan.to_string()];
        assert!(since.is_string(), "{}", read.body);
        let tag = read.header("etag").to_owned();
        let mut body = read.body.clone();
        for name in ["id", "version", "standing", "modifiedAt", "modifiedBy"] {
            body.as_object_mut().expect("no object").remove(name);
        }
        body["description"] = json!("changed while somebody is missing");
        admin.put(&path, &tag, body).await.expect(200);
        app.edit(|outside| outside.world.people.clone_from(&before));
        app.refresh().await;
        app.maintained().await;
        assert_eq!(app.members("Denver").expect("no such group"), ["Ada"]);
        assert!(app.state("Denver").await.missing.is_empty());
    }
}

/// F-2: a course that one refresh lacks stays selected and enrolled; nothing is written to the
/// platform meanwhile, and nothing is left to repair when it is listed again.
#[tokio::test]
async fn a_course_that_reappears_was_never_unenrolled() {
    let mut app = TestApp::ready(TestTenant::small()).await;
    app.put_city("Denver", "Denver", &["Security 101", "Fire Safety"])
        .await;
    app.maintained().await;
    let before = app.outside().world.courses;
    app.edit(|outside| {
        let courses = &mut outside.world.courses;
        courses.retain(|course| course.title != "Security 101");
    });
    app.refresh().await;
    app.forget_requests();
    let (_, report) = app.maintain().await;
    assert!(app.writes().is_empty(), "{:?}", app.writes());
    let course = app.course("Security 101");
    let found = &line(&report, "Denver").discrepancies;
    assert!(found.missing.courses.contains_key(&course), "{found:?}");
    assert!(found.courses.is_empty() && app.profile("Denver").await.courses.contains(&course));
    assert!(app.state("Denver").await.managed.contains(&course));
    app.edit(|outside| outside.world.courses = before);
    app.refresh().await;
    app.maintained().await;
    assert!(app.writes().is_empty(), "{:?}", app.writes());
    assert_eq!(app.enrolled("Denver"), ["Fire Safety", "Security 101"]);
}

/// Proves S4-117 for the opposite case: a profile that cannot be read still exists; overrides that
/// refer to it remain, and no member is added or removed until it can be read.
#[tokio::test]
async fn overrides_of_an_unreadable_profile_stay() {
    let mut app = TestApp::ready(TestTenant::small()).await;
    let broken = profile_id(app.id, "Broken");
    app.put_city("Denver", "Denver", &[]).await;
    app.put_city("Broken", "Oslo", &[]).await;
    app.put("Denver", |profile| {
        profile.overrides.exclude = [Target::Profile(broken)].into();
    })
    .await;
    app.maintained().await;
    let store = &app.services.store;
    store
        .put_raw_profile(app.id, &broken.to_string(), "{\"newer\": true}")
        .await
        .expect("not stored");
    let (_, report) = app.maintain().await;
    assert_eq!(
        app.profile("Denver").await.overrides.exclude,
        [Target::Profile(broken)].into()
    );
    assert_eq!(line(&report, "Denver").status, ProfileStatus::Failed);
    assert_eq!(
        app.members("Denver").expect("no such group"),
        ["Ada", "Alan"]
    );
}

/// Proves S4-118: a profile without filter and overrides fails without affecting others, and its
/// members remain.
#[tokio::test]
async fn a_profile_with_nothing_left_fails_and_matches_no_one() {
    let mut app = TestApp::ready(TestTenant::small()).await;
    let grace = app.user("Grace");
    app.put("Only Grace", |profile| {
        profile.overrides.include = [Target::User(grace)].into();
    })
    .await;
    app.put_city("Denver", "Denver", &[]).await;
    app.maintained().await;
    assert_eq!(app.members("Only Grace").expect("no such group"), ["Grace"]);
    app.edit(|outside| {
        outside
            .world
            .people
            .retain(|person| person.display_name != "Grace");
    });
    app.refresh().await;
    let (run, report) = app.maintain().await;
    assert_eq!(run.status, RunStatus::SucceededWithFailures);
    let left = line(&report, "Only Grace");
    assert_eq!(left.status, ProfileStatus::Failed);
    assert!(
        left.reason
            .as_deref()
            .is_some_and(|reason| reason.contains("neither a filter nor overrides"))
    );
    assert_eq!(line(&report, "Denver").status, ProfileStatus::Synchronised);
}

/// Proves S4-119 and S4-120: a deleted field stops the profile's population, its members remain,
/// and one notice is sent immediately; after the rules are fixed, population continues.
#[tokio::test]
async fn a_deleted_field_needs_review_and_is_reported_once() {
    let tenant = TestTenant::small()
        .field("Team", FieldKind::String)
        .person("Barbara", "Lyon")
        .custom("Team", "Blue");
    let mut app = TestApp::ready(tenant).await;
    let field = app.field("Team");
    let blue =
        json!({"combinator": "and", "rules": [{"field": field, "operator": "=", "value": "blue"}]});
    app.put("Blue", |profile| profile.filter.properties = Some(blue))
        .await;
    app.maintained().await;
    assert_eq!(app.members("Blue").expect("no such group"), ["Barbara"]);
    app.edit(|outside| outside.world.fields.clear());
    app.refresh().await;
    let early = app.notices().await;
    assert!(
        matches!(&early[..], [notice] if matches!(notice.about, NoticeKind::NeedsReview { .. })),
        "no notice after the refresh: {early:?}"
    );
    let (_, report) = app.maintain().await;
    assert_eq!(line(&report, "Blue").status, ProfileStatus::NeedsReview);
    assert_eq!(
        app.members("Blue").expect("no such group"),
        ["Barbara"],
        "a member was removed"
    );
    let again = app.notices().await;
    assert!(
        again.iter().all(|notice| notice.id == early[0].id),
        "a notice with another id was sent"
    );
    app.put_city("Blue", "Lyon", &[]).await;
    let (_, report) = app.maintain().await;
    assert_eq!(line(&report, "Blue").status, ProfileStatus::Synchronised);
}

/// Proves S4-124: the same for a deleted course in a rule.
#[tokio::test]
async fn a_deleted_course_in_a_rule_needs_review() {
    let mut app =
        TestApp::ready(TestTenant::small().completed("Grace", "Fire Safety", chrono::Utc::now()))
            .await;
    let rule = json!({"combinator": "and", "rules": [{"field": format!("course:{}", app.course("Fire Safety")), "operator": "completed"}]});
    app.put("Done", |profile| profile.filter.activities = Some(rule))
        .await;
    app.maintained().await;
    assert_eq!(app.members("Done").expect("no such group"), ["Grace"]);
    app.edit(|outside| {
        outside
            .world
            .courses
            .retain(|course| course.title != "Fire Safety");
    });
    app.refresh().await;
    let (_, report) = app.maintain().await;
    assert_eq!(line(&report, "Done").status, ProfileStatus::NeedsReview);
    assert_eq!(app.members("Done").expect("no such group"), ["Grace"]);
}

/// Proves S4-121, S4-122 and S4-123: a deleted course is removed from the selection without a mail,
/// reported, and flagged if none is left.
#[tokio::test]
async fn a_deleted_course_is_unselected_silently() {
    let tenant = TestTenant::small().behaving(|behaviour| behaviour.list_deleted_courses = true);
    let mut app = TestApp::ready(tenant).await;
    app.put_city("Denver", "Denver", &["Security 101"]).await;
    app.maintained().await;
    let course = app.course("Security 101");
    app.edit(|outside| {
        let mut courses = outside.world.courses.iter_mut();
        let deleted = courses.find(|course| course.title == "Security 101");
        deleted.expect("no such course").deleted = true;
    });
    app.refresh().await;
    app.notices().await;
    let (run, report) = app.maintain().await;
    assert!(app.profile("Denver").await.courses.is_empty());
    assert_eq!(
        line(&report, "Denver").discrepancies.courses,
        [course].into()
    );
    assert!(line(&report, "Denver").discrepancies.obsolete);
    assert!(
        app.services
            .store
            .profile_states(app.id)
            .await
            .expect("states not read")[&profile_id(app.id, "Denver")]
            .obsolete
    );
    assert_eq!(run.status, RunStatus::Succeeded);
    assert!(
        app.told().await.is_empty(),
        "a mail about a deleted course was sent"
    );
}
