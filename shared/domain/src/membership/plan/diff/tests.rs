//! Tests of the difference between current and desired members.

use super::*;
use crate::audience::desired_members::{Audience, evaluate};
use crate::audience::profile::Target;
use crate::testing::{World, profile, profile_id, slot};
use proptest::prelude::*;

const NAMES: [&str; 8] = [
    "Ada", "Grace", "Alan", "Edsger", "Barbara", "Donald", "Tony", "Niklaus",
];

/// Six learners, Ada's twin with the same account, Flo without an account, and Alan, a former
/// learner.
fn snapshot() -> Snapshot {
    let mut world = World::new();
    for name in &NAMES[..6] {
        world.person(name);
    }
    world.person("Ada's twin");
    world.person("Flo").without_entra();
    let mut snapshot = world.snapshot();
    let people = &mut snapshot.people;
    let (twin, left) = (people.row(World::user("Ada's twin")), row(people, "Alan"));
    people.object_ids[twin.expect("user missing") as usize] = Some(World::object("Ada"));
    people.living.remove(left);
    snapshot
}

fn row(people: &People, name: &str) -> u32 {
    people.row(World::user(name)).expect("user missing")
}

fn subject() -> PlanTarget {
    PlanTarget {
        profile: profile_id("P"),
        group: Some(World::object("group")),
    }
}

fn group(snapshot: &Snapshot, users: &[&str], others: &[&str]) -> GroupMembers {
    let accounts = Accounts::of(&snapshot.people);
    let users = users.iter().map(|name| World::object(name));
    let others = others.iter().map(|name| World::object(name)).collect();
    GroupMembers::of(snapshot, &accounts, users, others)
}

/// The change that makes exactly these users members, by overrides.
fn change(snapshot: &Snapshot, names: &[&str], current: &GroupMembers) -> AudienceChange {
    let mut wanted = profile("P");
    let users = names.iter().map(|name| Target::User(World::user(name)));
    wanted.overrides.include = users.collect();
    let audience = Audience {
        profile: wanted.id,
        filter: None,
        overrides: wanted.overrides,
    };
    let current = BTreeMap::from([(wanted.id, current.rows.clone())]);
    evaluate(&[Ok(audience)], snapshot, slot(), &current)
        .remove(&wanted.id)
        .expect("profile missing in the result")
        .expect("no audience")
}

fn planned(snapshot: &Snapshot, names: &[&str], current: &GroupMembers) -> MembershipPlan {
    let accounts = Accounts::of(&snapshot.people);
    let change = change(snapshot, names, current);
    plan(subject(), snapshot, &accounts, &change, current)
}

/// All members of the group, by object id.
fn objects(snapshot: &Snapshot, members: &GroupMembers) -> BTreeSet<ObjectId> {
    let ids = &snapshot.people.object_ids;
    let learners = members.rows.iter().filter_map(|row| ids[row as usize]);
    learners
        .chain(members.users.iter().copied())
        .chain(members.others.iter().copied())
        .collect()
}

fn applied(plan: &MembershipPlan, mut objects: BTreeSet<ObjectId>) -> BTreeSet<ObjectId> {
    objects.extend(plan.adds.keys());
    objects.retain(|object| !plan.removes.contains_key(object));
    objects
}

#[test]
fn whose_change_failed_stays_as_before() {
    let snapshot = snapshot();
    let accounts = Accounts::of(&snapshot.people);
    let before = group(&snapshot, &["Ada", "Alan", "Tony"], &["nested group"]);
    let change = change(&snapshot, &["Ada", "Barbara", "Grace"], &before);
    let plan = plan(subject(), &snapshot, &accounts, &change, &before);
    let after = before.after(&change, &accounts);
    let none = BTreeSet::new();
    assert_eq!(after.clone().without(&none, &before, &accounts), after);
    let failed = ["Barbara", "Alan", "Tony", "nested group"].map(World::object);
    let left = after.clone().without(&failed.into(), &before, &accounts);
    let expected = group(
        &snapshot,
        &["Ada", "Grace", "Alan", "Tony"],
        &["nested group"],
    );
    assert_eq!(left, expected);
    let all = plan.adds.keys().chain(plan.removes.keys()).copied();
    assert_eq!(after.without(&all.collect(), &before, &accounts), before);
}

/// Proves S4-062 and S4-130: members who left the audience or never belonged to it are removed.
#[test]
fn everyone_who_leaves_has_a_reason() {
    let snapshot = snapshot();
    let current = group(
        &snapshot,
        &["Ada", "Grace", "Alan", "Tony"],
        &["nested group"],
    );
    let plan = planned(&snapshot, &["Ada", "Barbara", "Flo"], &current);
    assert_eq!(
        plan.adds,
        BTreeMap::from([(World::object("Barbara"), AddReason::Included)])
    );
    assert_eq!(
        plan.removes,
        BTreeMap::from([
            (World::object("Grace"), RemoveReason::NotInAudience),
            (World::object("Alan"), RemoveReason::NotALearner),
            (World::object("Tony"), RemoveReason::NotALearner),
            (World::object("nested group"), RemoveReason::NotAPerson),
        ])
    );
    assert_eq!(
        plan.to_string(),
        "5 → 2 members: 1 join, 4 leave (1 more match but have no Entra account)"
    );
    assert_eq!(
        plan.learners[&World::object("Alan")],
        World::user("Alan"),
        "a leaving member is not among the learners"
    );
}

#[test]
fn an_account_behind_two_learners_is_a_member_while_either_is_wanted() {
    let snapshot = snapshot();
    let ada = World::object("Ada");
    for (wanted, is_member) in [
        (&["Ada", "Ada's twin"][..], true),
        (&["Ada"], true),
        (&["Ada's twin"], true),
        (&["Grace"], false),
    ] {
        let from_empty = planned(&snapshot, wanted, &GroupMembers::none(&snapshot));
        assert_eq!(from_empty.adds.contains_key(&ada), is_member, "{wanted:?}");
        let current = group(&snapshot, &["Ada"], &[]);
        assert_eq!(current.len(), 1, "one account is not exactly one member");
        let from_member = planned(&snapshot, wanted, &current);
        assert!(!from_member.adds.contains_key(&ada), "{wanted:?}");
        assert_eq!(
            !from_member.removes.contains_key(&ada),
            is_member,
            "{wanted:?}"
        );
    }
}

proptest! {
    /// Applying the plan gives the desired members, planning again gives an empty plan, no
    /// other member is changed, and the stored members equal those that a read of the group
    /// finds.
    #[test]
    fn a_plan_applied_is_desired_and_planned_again_is_empty(
        want in proptest::sample::subsequence(
            vec!["Ada", "Grace", "Edsger", "Barbara", "Donald", "Ada's twin", "Flo"], 0..=7),
        have in proptest::sample::subsequence(NAMES.to_vec(), 0..=8),
        others in proptest::sample::subsequence(vec!["nested", "device", "Grace"], 0..=3),
    ) {
        let snapshot = snapshot();
        let users: Vec<_> = have.iter().copied().filter(|name| !others.contains(name)).collect();
        let current = group(&snapshot, &users, &others);
        let first = planned(&snapshot, &want, &current);
        let after = applied(&first, objects(&snapshot, &current));
        let wanted: BTreeSet<ObjectId> = want
            .iter()
            .filter_map(|name| snapshot.people.object_ids[row(&snapshot.people, name) as usize])
            .collect();
        prop_assert_eq!(&after, &wanted);
        prop_assert_eq!((first.current, first.desired), (current.len(), wanted.len()));
        let accounts = Accounts::of(&snapshot.people);
        let kept = current.after(&change(&snapshot, &want, &current), &accounts);
        let (listed, people): (BTreeSet<_>, BTreeSet<_>) =
            after.iter().partition(|object| current.others.contains(object));
        prop_assert_eq!(&kept, &GroupMembers::of(&snapshot, &accounts, people, listed));
        let second = planned(&snapshot, &want, &kept);
        prop_assert!(second.is_empty());
        prop_assert_eq!(first.is_empty(), first.hash() == second.hash());
    }
}
