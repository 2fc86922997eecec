//! Tests of stored members that are stale, incomplete or invalid.

use super::*;

/// If auto-populate was off between two runs, the group may have been edited and is read.
#[tokio::test]
async fn a_profile_edited_since_is_read() {
    let mut app = settled(TestTenant::small()).await;
    app.put("Denver", |profile| profile.auto_populate = false)
        .await;
    app.edit_members("Denver", &["Grace"], &["Ada"]);
    app.put("Denver", |profile| profile.auto_populate = true)
        .await;
    app.maintained().await;
    assert_eq!(app.member_reads(), 1);
    assert_eq!(
        app.members("Denver").expect("no such group"),
        ["Ada", "Alan"]
    );
    app.maintained().await;
    assert_eq!(app.member_reads(), 1, "not stored for the new version");
}

/// A run that ends before it checked all groups does not change members.
#[tokio::test]
async fn a_run_that_has_not_seen_every_group_touches_no_members() {
    let mut app = TestApp::ready(TestTenant::small()).await;
    app.put_city("Denver", "Denver", &[]).await;
    app.put_city("Oslo", "Oslo", &[]).await;
    app.fault("uniqueName=", FaultKind::Delay { ms: 3_000 }, 1, 1);
    let request = app.request(Job::Maintenance);
    app.work_within(&request, Duration::from_secs(12))
        .await
        .expect("not handled");
    let run = app.run(&request).await;
    assert_eq!(run.status, RunStatus::Continuing, "{run:?}");
    let steps: Vec<_> = run.steps.iter().map(|step| step.name.as_str()).collect();
    assert_eq!(steps, ["discrepancies", "groups"]);
    let mut rest = request.clone();
    rest.continuation = 1;
    app.work(&rest).await.expect("not handled");
    assert_eq!(app.run(&request).await.status, RunStatus::Succeeded);
    assert_eq!(
        app.members("Denver").expect("no such group"),
        ["Ada", "Alan"]
    );
    assert_eq!(app.members("Oslo").expect("no such group"), ["Grace"]);
}

/// Damaged records, and records whose rows refer to other users, are not used.
#[tokio::test]
async fn damaged_and_outdated_records_are_not_believed() {
    let mut app = settled(TestTenant::small()).await;
    let id = profile_id(app.id, "Denver");
    let store = app.services.store.clone();
    let good = app.kept("Denver").await.expect("members not stored");
    let mut damaged = good.to_bytes().expect("too large");
    let last = damaged.len() - 1;
    damaged[last] ^= 1;
    store
        .put_raw_members(app.id, id, damaged)
        .await
        .expect("not stored");
    app.edit_members("Denver", &["Grace"], &[]);
    app.maintained().await;
    assert_eq!(app.member_reads(), 1);
    assert_eq!(
        app.members("Denver").expect("no such group"),
        ["Ada", "Alan"]
    );

    let mut outdated = app.kept("Denver").await.expect("members not stored");
    outdated.lineage = SnapshotId::new(outdated.read_at, uuid::Uuid::max());
    let lease = locked(&app).await;
    let stored = store.put_members(lease.fence(), &[(id, outdated)]).await;
    stored.expect("not stored");
    lease.release().await.expect("not released");
    app.edit_members("Denver", &["Grace"], &["Ada"]);
    app.maintained().await;
    assert_eq!(app.member_reads(), 2);
    assert_eq!(
        app.members("Denver").expect("no such group"),
        ["Ada", "Alan"]
    );
}

/// While auto-populate is off, the group is edited manually, so the stored members are invalid
/// afterwards.
#[tokio::test]
async fn a_group_left_to_people_is_read_when_it_is_managed_again() {
    let mut app = settled(TestTenant::small()).await;
    app.put("Denver", |profile| profile.auto_populate = false)
        .await;
    app.maintained().await;
    assert_eq!(app.kept("Denver").await, None);
    app.edit_members("Denver", &["Grace"], &[]);
    app.put("Denver", |profile| profile.auto_populate = true)
        .await;
    app.maintained().await;
    assert_eq!(
        app.members("Denver").expect("no such group"),
        ["Ada", "Alan"]
    );
}
