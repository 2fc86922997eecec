//! Profiles: documents, versions, index rows, states, known members and holds.

use rollcall_clients::store::MAINTENANCE_LEASE;
use rollcall_clients::store::profile_states::{EnrolmentAttempt, ProfileState};
use rollcall_domain::audience::lifecycle;
use rollcall_domain::base::audit::Action;
use rollcall_domain::base::rowset::RowSet;
use rollcall_domain::membership::hold::{Hold, HoldState};
use rollcall_domain::membership::plan::diff::GroupMembers;
use rollcall_domain::membership::plan::recorded_members::{ManualEdits, RecordedMembers};
use rollcall_domain::membership::report::ProfileStatus;

use super::Table;
use crate::frozen::samples::{
    TENANT, at, both_limits, catalog, course, event, hash, large_profile, missing, no_limits,
    object, profile_id, small_profile, snapshot_id,
};

#[tokio::test]
async fn profiles() {
    let table = Table::new("profiles").await;
    let (large, small) = (large_profile(), small_profile());
    let created = event(2, Action::ProfileCreated);
    let save = table
        .store
        .save_audited_profile(TENANT, &large, None, Some(&created), Some(0));
    save.await.expect("not saved");
    let mut changed = large.clone();
    changed.description = "Everybody outside, even at night".to_owned();
    changed.modified_at = at(3);
    let save = table.store.save_profile(TENANT, &changed, Some(1));
    save.await.expect("not saved");
    let save = table.store.save_profile(TENANT, &small, None);
    save.await.expect("not saved");
    insta::assert_json_snapshot!(table.items().await);
}

#[tokio::test]
async fn deleted_profiles() {
    let table = Table::new("deleted-profiles").await;
    let profile = small_profile();
    let save = table.store.save_profile(TENANT, &profile, None);
    save.await.expect("not saved");
    let deleted = lifecycle::delete(profile, at(60), "grace@contoso.example");
    let save = table.store.save_profile(TENANT, &deleted, Some(1));
    save.await.expect("not saved");
    let lease = table.lease(TENANT, MAINTENANCE_LEASE).await;
    let handled = lifecycle::handled(deleted);
    let update = table
        .store
        .save_profile_under_lease(lease.fence(), &handled, 2);
    update.await.expect("not updated");
    insta::assert_json_snapshot!(table.items().await);
}

#[tokio::test]
async fn states_of_profiles() {
    let table = Table::new("states").await;
    let full = ProfileState {
        group: Some(object(3)),
        managed: [course(1), course(2)].into(),
        joined: [catalog(1)].into(),
        status: Some(ProfileStatus::Held),
        reason: Some("60 changes are too many".to_owned()),
        members: 80,
        confirmed_members: 79,
        snapshot: Some(snapshot_id(1)),
        evaluated_at: Some(at(10)),
        obsolete: true,
        members_file: Some("members/a/b.xlsx".to_owned()),
        members_digest: Some("0123456789abcdef".to_owned()),
        written_at: Some(at(11)),
        edits: ManualEdits {
            added: 1,
            removed: 2,
        },
        edits_reported: Some(at(12)),
        missing: missing(),
        assigned: Some(EnrolmentAttempt {
            slot: at(10),
            complete: true,
        }),
    };
    let empty = ProfileState::default();
    let lease = table.lease(TENANT, MAINTENANCE_LEASE).await;
    let states = [(profile_id(1), &full), (profile_id(2), &empty)];
    let put = table.store.put_profile_states(lease.fence(), states);
    put.await.expect("not stored");
    insta::assert_json_snapshot!(table.items().await);
}

fn hold(number: u128, state: HoldState) -> Hold {
    Hold {
        profile: profile_id(number),
        hash: hash(),
        snapshot: snapshot_id(1),
        since: at(20),
        exceeded: if number == 1 {
            no_limits()
        } else {
            both_limits()
        },
        adds: 50,
        removes: 10,
        state,
    }
}

#[tokio::test]
async fn held_changes() {
    let table = Table::new("holds").await;
    let by = || "ada@contoso.example".to_owned();
    let why = || "a new office".to_owned();
    let decided = [
        HoldState::Open,
        HoldState::Approved {
            by: by(),
            at: at(30),
            why: why(),
        },
        HoldState::Applying {
            by: by(),
            at: at(30),
            why: why(),
        },
        HoldState::Discarded {
            by: by(),
            at: at(30),
            why: why(),
        },
    ];
    let lease = table.lease(TENANT, MAINTENANCE_LEASE).await;
    for (number, state) in (1..).zip(decided) {
        let hold = hold(number, state);
        let put = table.store.put_hold(lease.fence(), &hold);
        put.await.expect("not stored");
    }
    lease.release().await.expect("not released");
    let discarded = HoldState::Discarded {
        by: by(),
        at: at(31),
        why: String::new(),
    };
    let told = event(31, Action::HoldDiscarded);
    let (profile, hash) = (profile_id(1), hash());
    let decide = table
        .store
        .decide_hold(TENANT, profile, &hash, discarded, Some(&told));
    decide.await.expect("not decided");
    insta::assert_json_snapshot!(table.items().await);
}

/// Returns the known members of a snapshot with this number of rows, every `step`-th of which is a
/// member.
fn kept(rows: u32, step: u32) -> RecordedMembers {
    let mut members = RowSet::new(rows);
    (0..rows).filter(|row| row % step == 0).for_each(|row| {
        members.insert(row);
    });
    RecordedMembers {
        lineage: snapshot_id(1),
        group: object(3),
        profile_version: 4,
        members: GroupMembers {
            rows: members,
            users: [object(5)].into(),
            others: [object(6)].into(),
        },
        read_at: at(40),
        unconfirmed: [object(8)].into(),
    }
}

/// Snapshots both encodings of members: few as gaps between rows, many as bits.
#[tokio::test]
async fn kept_members() {
    let table = Table::new("memberships").await;
    let lease = table.lease(TENANT, MAINTENANCE_LEASE).await;
    let few = kept(1_000, 400);
    let mut many = kept(640, 2);
    many.unconfirmed.clear();
    let kept = [(profile_id(1), few), (profile_id(2), many)];
    let keep = table.store.put_members(lease.fence(), &kept);
    keep.await.expect("not stored");
    insta::assert_json_snapshot!(table.items().await);
}
