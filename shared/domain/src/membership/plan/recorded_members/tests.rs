//! Tests stored members: encoding, damage, age, and use with later snapshots.

use super::*;
use crate::snapshot::Lineage;
use crate::testing::{World, slot};
use proptest::prelude::*;

fn kept(rows: u32, members: impl IntoIterator<Item = u32>) -> RecordedMembers {
    let mut set = RowSet::new(rows);
    set.extend(members);
    RecordedMembers {
        lineage: World::new().header().id,
        group: World::object("group"),
        members: GroupMembers {
            rows: set,
            users: [World::object("Tony")].into(),
            others: [World::object("device")].into(),
        },
        profile_version: 7,
        read_at: slot(),
        unconfirmed: [World::object("Grace")].into(),
    }
}

proptest! {
    #[test]
    fn what_is_written_is_read(rows in 0u32..5_000, members in proptest::collection::btree_set(0u32..5_000, 0..300)) {
        let kept = kept(rows, members);
        let bytes = kept.to_bytes().expect("record too large");
        prop_assert_eq!(RecordedMembers::from_bytes(&bytes), Ok(kept));
    }

    #[test]
    fn no_changed_byte_goes_unnoticed(at in 0usize..1_000, bit in 0u8..8) {
        let mut bytes = kept(1_000, (0..1_000).step_by(3)).to_bytes().expect("record too large");
        let at = at % bytes.len();
        bytes[at] ^= 1 << bit;
        prop_assert!(RecordedMembers::from_bytes(&bytes).is_err());
        prop_assert!(RecordedMembers::from_bytes(&bytes[..at]).is_err());
    }

    #[test]
    fn forged_rows_are_refused_and_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..40), rows in 0u32..2_000) {
        for set in [from_gaps(&bytes, rows), from_bits(&bytes, rows)].into_iter().flatten() {
            prop_assert!(set.iter().all(|row| row < rows));
        }
    }
}

#[test]
fn rows_take_the_smaller_form_and_fit_an_item_at_a_million() {
    let million = 1_000_000;
    let size = |members: Vec<u32>| {
        let kept = kept(million, members);
        let bytes = kept.to_bytes().expect("record too large");
        assert_eq!(RecordedMembers::from_bytes(&bytes), Ok(kept));
        bytes.len()
    };
    // Random bits are the worst case: one bit for each row.
    let mut lcg = 1u64;
    let random = (0..million).filter(|_| {
        lcg = lcg.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        lcg >> 63 == 1
    });
    assert!(size(random.collect()) < 140_000);
    assert!(size((0..million).collect()) < 1_000);
    assert!(size((0..million).step_by(10_000).collect()) < 1_000);
}

#[test]
fn a_group_full_of_strangers_is_not_kept() {
    let mut full = kept(10, [1]);
    let stranger = |n: u128| ObjectId::new(uuid::Uuid::from_u128(n));
    full.members.users = (0..1_000).map(stranger).collect();
    full.members.others.clear();
    full.unconfirmed.clear();
    assert!(full.to_bytes().is_some_and(|bytes| bytes.len() < MAX_BYTES));
    full.members.others.insert(stranger(5_000));
    assert_eq!(full.to_bytes(), None);
}

#[test]
fn kept_members_are_valid_for_a_day_and_not_for_a_manual_run() {
    let kept = kept(10, [1]);
    let stands =
        |hours: i64, by_hand| kept.is_fresh_for(7, slot() + TimeDelta::hours(hours), by_hand);
    assert!(stands(0, false) && stands(23, false) && stands(-3, false));
    assert!(!stands(24, false) && !stands(-24, false));
    assert!(!stands(1, true), "a manual run used stored members");
    assert!(
        stands(0, true),
        "members read for the same slot were not used"
    );
    assert!(
        !kept.is_fresh_for(8, slot(), false),
        "members of another profile version were used"
    );
}

fn three() -> Snapshot {
    let mut world = World::new();
    world.person("Ada").person("Grace").person("Tony");
    world.snapshot()
}

#[test]
fn in_a_later_snapshot_rows_mean_the_same_and_strangers_may_be_learners() {
    let snapshot = three();
    let accounts = Accounts::of(&snapshot.people);
    let ada = snapshot
        .people
        .row(World::user("Ada"))
        .expect("user missing");
    let tony = snapshot
        .people
        .row(World::user("Tony"))
        .expect("user missing");
    let mut kept = kept(3, [ada]);
    let found = kept
        .rebase_on(&snapshot, &accounts)
        .expect("lineage not accepted");
    assert_eq!(
        found.rows.iter().collect::<BTreeSet<_>>(),
        [ada, tony].into()
    );
    assert!(found.users.is_empty() && found.others == kept.members.others);
    kept.lineage = SnapshotId::new(slot(), uuid::Uuid::max());
    assert_eq!(
        kept.rebase_on(&snapshot, &accounts),
        None,
        "members of another lineage were used"
    );
}

#[test]
fn rows_may_have_been_added_since() {
    let snapshot = three();
    let found = kept(1, [0]).rebase_on(&snapshot, &Accounts::of(&snapshot.people));
    let rows = found.expect("lineage not accepted").rows;
    assert!(rows.contains(0) && rows.universe() == 3);
}

#[test]
fn more_rows_than_the_snapshot_has_are_not_believed() {
    let snapshot = three();
    let accounts = Accounts::of(&snapshot.people);
    assert_eq!(kept(4, [1]).rebase_on(&snapshot, &accounts), None);
    let mut other = snapshot.clone();
    other.people.lineage = Lineage::begin(SnapshotId::new(slot(), uuid::Uuid::max()));
    assert_eq!(kept(3, [1]).rebase_on(&other, &accounts), None);
}

/// Proves X-14: manual edits are counted and reported.
#[test]
fn manual_edits_are_the_difference_to_what_was_kept() {
    let mut snapshot = three();
    let before = kept(3, [0, 1]).members;
    let mut found = kept(3, [2]).members;
    found.users.insert(World::object("stranger"));
    let edits = ManualEdits::between(&snapshot.people, &before, &found);
    assert_eq!(
        edits,
        ManualEdits {
            added: 2,
            removed: 2
        }
    );
    assert_eq!(
        edits.to_string(),
        "2 members were added and 2 removed manually in Entra"
    );
    snapshot.people.living.remove(0);
    let edits = ManualEdits::between(&snapshot.people, &before, &found);
    assert_eq!(
        edits.removed, 1,
        "a former learner counted as removed manually"
    );
    assert!(ManualEdits::between(&snapshot.people, &before, &before).is_empty());
    let one = ManualEdits {
        added: 0,
        removed: 1,
    };
    assert_eq!(one.to_string(), "1 member was removed manually in Entra");
}
