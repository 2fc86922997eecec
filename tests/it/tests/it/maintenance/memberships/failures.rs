//! Tests of profiles and groups that fail while the others are updated.

use super::*;

#[tokio::test]
async fn a_group_that_cannot_be_managed_fails_its_profile_alone() {
    let mut app = TestApp::ready(TestTenant::small()).await;
    app.put_city("Denver", "Denver", &[]).await;
    app.put_city("Oslo", "Oslo", &[]).await;
    app.maintained().await;
    app.edit(|outside| {
        let group = outside
            .world
            .groups
            .iter_mut()
            .find(|group| group.display_name == "LMS - Denver")
            .expect("no such group");
        group.on_premises_synced = true;
        outside.world.people[2].city = Some("Denver".to_owned());
    });
    app.refresh().await;
    app.notices().await;
    let (run, report) = app.maintain().await;
    assert_eq!(run.status, RunStatus::SucceededWithFailures);
    assert_eq!(line(&report, "Denver").status, ProfileStatus::Failed);
    assert_eq!(
        app.members("Denver").expect("no such group"),
        ["Ada", "Alan"]
    );
    assert_eq!(
        app.members("Oslo").expect("no such group"),
        Vec::<String>::new()
    );
    assert_eq!(app.told().await.len(), 1, "no notice for the contact");
}

/// A partial read of a group's members must not be treated as a small group. (A manual run reads
/// every group.)
#[tokio::test]
async fn members_that_cannot_be_read_are_left_alone() {
    let mut app = TestApp::ready(TestTenant::small()).await;
    app.put_city("Denver", "Denver", &[]).await;
    app.maintained().await;
    app.forget_requests();
    app.fault(
        "/members?",
        FaultKind::Status {
            code: 403,
            retry_after: None,
            body: None,
        },
        1,
        50,
    );
    let (_, report) = app.maintain_by_hand().await;
    assert_eq!(line(&report, "Denver").status, ProfileStatus::Failed);
    assert!(app.writes().is_empty(), "{:?}", app.writes());
}

/// Invalid input: a malformed profile, a cycle, an unknown field, each with a specific reason,
/// while the others are processed.
#[tokio::test]
async fn bad_profiles_fail_with_their_reason_and_others_continue() {
    let mut app = TestApp::ready(TestTenant::small()).await;
    app.put_city("Denver", "Denver", &[]).await;
    let (a, b) = (profile_id(app.id, "A"), profile_id(app.id, "B"));
    app.put("A", |profile| {
        profile.overrides.include = [Target::Profile(b)].into();
    })
    .await;
    app.put("B", |profile| {
        profile.overrides.include = [Target::Profile(a)].into();
    })
    .await;
    app.put("C", |profile| profile.filter.properties = Some(json!({"combinator": "and", "rules": [{"field": "salary", "operator": ">", "value": 1}]}))).await;
    app.services
        .store
        .put_raw_profile(
            app.id,
            "00000000-0000-4000-8000-000000000bad",
            "{\"title\": 7}",
        )
        .await
        .expect("not stored");
    let (run, report) = app.maintain().await;
    assert_eq!(run.status, RunStatus::SucceededWithFailures);
    assert_eq!(
        app.members("Denver").expect("no such group"),
        ["Ada", "Alan"]
    );
    let reason = |title: &str| line(&report, title).reason.clone().unwrap_or_default();
    assert!(
        reason("A").contains("cycle") && reason("B").contains("cycle"),
        "{report:#?}"
    );
    assert!(
        reason("C").contains("/filter/properties/rules/0/field"),
        "{}",
        reason("C")
    );
    assert_eq!(report.unreadable.len(), 1);
    assert_eq!(run.counts["unreadable"], 1);
}
