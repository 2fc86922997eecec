//! Members stored between runs: runs without changes, manual edits, and all reasons to invalidate
//! them.

mod invalid;

use std::time::Duration;

use chrono::{TimeDelta, Utc};
use rollcall_clients::store::{Lease, MAINTENANCE_LEASE, StoreError};
use rollcall_domain::base::ids::SnapshotId;
use rollcall_domain::base::run::RunStatus;
use rollcall_domain::base::schedule::Job;
use rollcall_domain::base::throttle::Throttle;
use rollcall_domain::membership::report::ProfileStatus;
use rollcall_simulators::FaultKind;

use crate::harness::{TestApp, TestTenant, line, profile_id, step_count};

/// Starts a tenant whose group Denver is created, filled and confirmed.
async fn settled(tenant: TestTenant) -> TestApp {
    let mut app = TestApp::ready(tenant).await;
    app.put_city("Denver", "Denver", &[]).await;
    app.maintained().await;
    assert!(app.kept("Denver").await.is_some(), "members not stored");
    written_an_hour_ago(&app).await;
    app.forget_requests();
    app
}

/// Sets our last write to Denver's group to an hour ago, when Graph shows it everywhere.
async fn written_an_hour_ago(app: &TestApp) {
    let mut state = app.state("Denver").await;
    state.written_at = Some(Utc::now() - TimeDelta::hours(1));
    let lease = locked(app).await;
    let id = profile_id(app.id, "Denver");
    let store = &app.services.store;
    let stored = store.put_profile_state(lease.fence(), id, &state).await;
    stored.expect("not stored");
    lease.release().await.expect("not released");
}

/// Publishes data in which these users have another city.
async fn move_to(app: &mut TestApp, city: &str, names: &[&str]) {
    let tenant = app.id.uuid();
    let name_of = |id| app.tenant.name_of(tenant, id);
    app.edit(|outside| {
        for person in &mut outside.world.people {
            if names.contains(&person.object_id.map(name_of).unwrap_or_default().as_str()) {
                person.city = Some(city.to_owned());
            }
        }
    });
    app.refresh().await;
    app.forget_requests();
}

fn refused() -> FaultKind {
    FaultKind::Status {
        code: 403,
        retry_after: None,
        body: None,
    }
}

/// Acquires the maintenance lock, for fenced writes.
async fn locked(app: &TestApp) -> Lease {
    let store = &app.services.store;
    let lease = Lease::acquire(store, app.id, MAINTENANCE_LEASE, Duration::from_secs(30)).await;
    lease.expect("lease request failed").expect("lease taken")
}

/// A run without changes reads no members and writes nothing.
#[tokio::test]
async fn a_quiet_run_reads_no_members() {
    let mut app = settled(TestTenant::small()).await;
    app.put_city("Oslo", "Oslo", &[]).await;
    app.maintained().await;
    app.forget_requests();
    let (run, report) = app.maintain().await;
    assert_eq!(run.status, RunStatus::Succeeded, "{report:#?}");
    assert_eq!(app.member_reads(), 0);
    assert!(app.writes().is_empty(), "{:?}", app.writes());
    let counted = |name| step_count(&run, "memberships", name);
    assert_eq!((counted("groupsKept"), counted("groupsRead")), (2, 0));
    assert_eq!(line(&report, "Denver").members, 2);
}

/// Changes are planned from stored members in the same way as from members that were read.
#[tokio::test]
async fn a_change_is_made_from_kept_members() {
    let mut app = settled(TestTenant::small()).await;
    let before = app.kept("Denver").await.expect("members not stored");
    move_to(&mut app, "Oslo", &["Ada"]).await;
    let (_, report) = app.maintain().await;
    assert_eq!(app.member_reads(), 0);
    assert_eq!(line(&report, "Denver").removed.done, 1, "{report:#?}");
    let kept = app.kept("Denver").await.expect("members not stored");
    assert_eq!(
        Some(kept.members.len()),
        app.members("Denver").map(|names| names.len())
    );
    assert_eq!(kept.members.len(), 1);
    assert_eq!(
        kept.read_at, before.read_at,
        "a write changed the time of the last read"
    );
}

/// Proves X-14 and S4-130: manual edits in Entra are detected by the first scheduled run after a
/// day, reverted and reported. Until then scheduled runs use the stored members.
#[tokio::test]
async fn manual_edits_are_found_within_a_day_and_reported() {
    let mut app = settled(
        TestTenant::small()
            .person("Stranger", "Denver")
            .outside_lms(),
    )
    .await;
    app.edit_members("Denver", &["Grace", "Stranger"], &["Ada"]);
    app.maintained().await;
    assert_eq!(app.member_reads(), 0, "a group was read again within a day");
    assert_eq!(app.members("Denver").expect("no such group").len(), 3);
    app.a_day_passes();
    let (run, report) = app.maintain().await;
    assert_eq!(
        app.members("Denver").expect("no such group"),
        ["Ada", "Alan"]
    );
    assert_eq!(
        line(&report, "Denver").notes,
        ["2 members were added and 1 removed manually in Entra; reverted"]
    );
    assert_eq!(step_count(&run, "memberships", "manualEdits"), 3);
    assert_eq!(step_count(&run, "memberships", "groupsRead"), 1);
    app.forget_requests();
    let (_, report) = app.maintain().await;
    assert_eq!(app.member_reads(), 0, "a group was read again within a day");
    assert!(line(&report, "Denver").notes.is_empty());
}

/// Proves X-14: a manual run detects edits immediately, and reports them even if a limit prevents
/// their correction.
#[tokio::test]
async fn a_manual_run_reads_every_group() {
    let mut app = settled(TestTenant::small()).await;
    app.put("Denver", |profile| {
        profile.throttle = Throttle {
            max_changes: Some(0),
            max_percent: None,
        };
    })
    .await;
    app.edit_members("Denver", &["Grace"], &[]);
    let (_, report) = app.maintain_by_hand().await;
    assert_eq!(app.member_reads(), 1);
    assert_eq!(line(&report, "Denver").status, ProfileStatus::Held);
    assert_eq!(
        line(&report, "Denver").notes,
        ["1 member was added manually in Entra"]
    );
    app.forget_requests();
    let (_, report) = app.maintain().await;
    assert_eq!(
        app.member_reads(),
        0,
        "a group with a held change was read again"
    );
    assert_eq!(line(&report, "Denver").status, ProfileStatus::Held);
    assert_eq!(line(&report, "Denver").members, 3);
}

/// The stored members are invalidated before the first write: if the run crashes afterwards, the
/// next one reads the group in full.
#[tokio::test]
async fn a_run_that_dies_while_writing_leaves_the_group_in_doubt() {
    let mut app = settled(TestTenant::crowd(300)).await;
    app.put_city("Denver", "Oslo", &[]).await;
    app.put("Denver", |profile| {
        profile.throttle.max_percent = Some(100.0);
    })
    .await;
    app.fault("/$ref", FaultKind::Delay { ms: 300 }, 1, 10_000);
    let request = app.request(Job::Maintenance);
    let in_doubt = async {
        while app.kept("Denver").await.is_some() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    // Dropping the future has the same effect as a kill: no clean-up runs, the lease remains.
    tokio::select! {
        ended = app.work(&request) => panic!("the run ended before it was killed: {ended:?}"),
        () = in_doubt => {}
    }
    app.simulators.clear_faults(app.id.uuid());
    tokio::time::sleep(Duration::from_millis(3_200)).await;
    app.forget_requests();
    app.maintained().await;
    assert_eq!(app.member_reads(), 1);
    assert_eq!(
        app.members("Denver").expect("no such group"),
        Vec::<String>::new()
    );
    assert_eq!(
        app.kept("Denver").await,
        None,
        "a read soon after a write was stored"
    );
    written_an_hour_ago(&app).await;
    app.maintained().await;
    assert!(app.kept("Denver").await.is_some());
}

/// A failed change is retried based on the stored members, without reading the group.
#[tokio::test]
async fn a_failed_change_is_tried_again_without_reading() {
    let mut app = settled(TestTenant::small()).await;
    move_to(&mut app, "Oslo", &["Ada", "Alan"]).await;
    app.fault("/$ref", refused(), 1, 1);
    let (_, report) = app.maintain().await;
    assert_eq!(line(&report, "Denver").removed.failed, 1, "{report:#?}");
    let (_, report) = app.maintain().await;
    assert_eq!(app.member_reads(), 0);
    assert_eq!(line(&report, "Denver").removed.done, 1);
    assert_eq!(
        app.members("Denver").expect("no such group"),
        Vec::<String>::new()
    );
    let kept = app.kept("Denver").await.expect("members not stored");
    assert!(kept.unconfirmed.is_empty());
}

/// A member that can never be added does not cause the group to be read in every run.
#[tokio::test]
async fn a_member_who_can_never_be_added_does_not_put_the_group_in_doubt() {
    let mut app = TestApp::ready(TestTenant::small().person("Ghost", "Denver")).await;
    let tenant = app.id.uuid();
    app.edit(|outside| {
        for person in &mut outside.world.people {
            let is_ghost = |id| app.tenant.name_of(tenant, id) == "Ghost";
            person.object_id = person.object_id.filter(|id| !is_ghost(*id));
        }
    });
    app.put_city("Denver", "Denver", &[]).await;
    for _ in 0..3 {
        let (run, report) = app.maintain().await;
        assert_eq!(line(&report, "Denver").added.failed, 0, "{report:#?}");
        assert_eq!(line(&report, "Denver").unreachable, 1);
        assert_eq!(step_count(&run, "memberships", "groupsRead"), 0);
        let kept = app.kept("Denver").await.expect("members not stored");
        assert_eq!((kept.members.len(), kept.unconfirmed.len()), (2, 0));
    }
    assert_eq!(app.member_reads(), 0);
    assert_eq!(
        app.members("Denver").expect("no such group"),
        ["Ada", "Alan"]
    );
}

/// A change that failed may nevertheless have been applied. If the next plan does not retry it, the
/// group is read.
#[tokio::test]
async fn a_failed_change_that_is_no_longer_wanted_puts_the_group_in_doubt() {
    let mut app = settled(TestTenant::small()).await;
    move_to(&mut app, "Oslo", &["Ada", "Alan"]).await;
    app.fault("/$ref", refused(), 1, 1);
    app.maintained().await;
    let left = app.members("Denver").expect("no such group");
    assert_eq!(left.len(), 1);
    app.edit_members("Denver", &[], &[left[0].as_str()]);
    move_to(&mut app, "Denver", &["Ada", "Alan"]).await;
    app.maintained().await;
    assert_eq!(app.kept("Denver").await, None);
    app.maintained().await;
    assert_eq!(app.member_reads(), 1);
    assert_eq!(
        app.members("Denver").expect("no such group"),
        ["Ada", "Alan"]
    );
}

/// Soon after our own write, Graph may still return the previous members: such a read is used for
/// planning, but it is not stored, and differences do not count as manual edits.
#[tokio::test]
async fn a_read_soon_after_a_write_is_not_kept() {
    let mut app = TestApp::ready(TestTenant::small()).await;
    app.put_city("Denver", "Denver", &[]).await;
    app.maintained().await;
    app.edit_members("Denver", &["Grace"], &[]);
    let (run, report) = app.maintain_by_hand().await;
    assert_eq!(
        app.members("Denver").expect("no such group"),
        ["Ada", "Alan"]
    );
    assert!(line(&report, "Denver").notes.is_empty(), "{report:#?}");
    assert_eq!(step_count(&run, "memberships", "manualEdits"), 0);
    assert_eq!(app.kept("Denver").await, None);
    written_an_hour_ago(&app).await;
    app.maintained().await;
    assert!(app.kept("Denver").await.is_some());
}

/// Proves X-14 for a run of several invocations: its last report contains the edits that the first
/// one detected, and later runs do not report them.
#[tokio::test]
async fn manual_edits_are_reported_by_the_last_report_of_a_run() {
    let mut app = settled(TestTenant::small()).await;
    app.put_city("Zion", "Oslo", &[]).await;
    app.edit_members("Denver", &["Grace"], &[]);
    app.a_day_passes();
    app.fault("/$ref", FaultKind::Delay { ms: 3_000 }, 1, 1);
    let request = app.request(Job::Maintenance);
    app.work_within(&request, Duration::from_secs(12))
        .await
        .expect("not handled");
    assert_eq!(app.run(&request).await.status, RunStatus::Continuing);
    let mut rest = request.clone();
    rest.continuation = 1;
    app.work(&rest).await.expect("not handled");
    let run = app.run(&request).await;
    assert_eq!(run.status, RunStatus::Succeeded, "{run:?}");
    let told = ["1 member was added manually in Entra; reverted"];
    let report = app.report(&run).await;
    assert_eq!(line(&report, "Denver").notes, told);
    assert_eq!(run.counts["manualEdits"], 1);
    // The first invocation read Denver; the second read Zion, which the first had created.
    assert_eq!(run.counts["groupsRead"], 2);
    assert_eq!(run.counts["groupsKept"], 1);
    let (_, report) = app.maintain().await;
    assert!(line(&report, "Denver").notes.is_empty(), "{report:#?}");
    assert!(app.state("Denver").await.edits.is_empty());
}

/// Proves S4-116: a previous owner of the lease can neither store nor delete members.
#[tokio::test]
async fn a_late_owner_cannot_touch_kept_members() {
    let app = settled(TestTenant::small()).await;
    let id = profile_id(app.id, "Denver");
    let store = app.services.store.clone();
    let before = app.kept("Denver").await.expect("members not stored");
    let late = locked(&app).await;
    store
        .expire_lease(app.id, MAINTENANCE_LEASE)
        .await
        .expect("not expired");
    let now = locked(&app).await;
    let mut emptied = before.clone();
    emptied.members.rows = rollcall_domain::base::rowset::RowSet::new(3);
    let kept = store.put_members(late.fence(), &[(id, emptied)]).await;
    assert!(matches!(kept, Err(StoreError::LeaseLost)), "{kept:?}");
    let forgotten = store.delete_recorded_members(late.fence(), [id]).await;
    assert!(
        matches!(forgotten, Err(StoreError::LeaseLost)),
        "{forgotten:?}"
    );
    assert_eq!(app.kept("Denver").await, Some(before));
    now.release().await.expect("not released");
}

/// All records are stored and read, even if they exceed a transaction and a page.
#[tokio::test]
async fn many_large_records_are_kept_and_found() {
    let app = settled(TestTenant::small()).await;
    let store = app.services.store.clone();
    let mut large = app.kept("Denver").await.expect("members not stored");
    let mut rows = rollcall_domain::base::rowset::RowSet::new(1_600_000);
    let mut lcg = 1u64;
    rows.extend((0..1_600_000).filter(|_| {
        lcg = lcg.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        lcg >> 63 == 1
    }));
    large.members.rows = rows;
    let titles: Vec<String> = (0..25).map(|n| format!("P{n}")).collect();
    let many: Vec<_> = titles
        .iter()
        .map(|title| (profile_id(app.id, title), large.clone()))
        .collect();
    let lease = locked(&app).await;
    store
        .put_members(lease.fence(), &many)
        .await
        .expect("not stored");
    let found = store
        .recorded_members(app.id)
        .await
        .expect("members not read");
    assert_eq!(found.len(), 26);
    for (id, kept) in many {
        assert_eq!(found[&id], Ok(kept));
    }
    lease.release().await.expect("not released");
}
