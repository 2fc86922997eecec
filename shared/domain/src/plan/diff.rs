//! Desired members against those the group has: what joins, what leaves, why.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::{AddReason, MembershipPlan, RemoveReason};
use crate::desired::Members;
use crate::ids::{ObjectId, ProfileId};
use crate::rowset::RowSet;
use crate::snapshot::Snapshot;

/// The group as Entra has it: read completely, or not at all.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct GroupMembers {
    /// Users in it.
    pub users: BTreeSet<ObjectId>,
    /// Everything else in it: nested groups, devices.
    pub others: BTreeSet<ObjectId>,
}

impl GroupMembers {
    /// How many members it has.
    pub fn len(&self) -> usize {
        self.users.len() + self.others.len()
    }

    /// Whether it has none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The learners among them, as rows of the snapshot.
    pub fn rows(&self, rows: &HashMap<ObjectId, u32>, people: u32) -> RowSet {
        let mut set = RowSet::new(people);
        set.extend(self.users.iter().filter_map(|user| rows.get(user).copied()));
        set
    }
}

/// What the plan is about.
#[derive(Debug, Clone, Copy)]
pub struct Subject {
    /// The profile.
    pub profile: ProfileId,
    /// Its group, if it exists.
    pub group: Option<ObjectId>,
}

/// Plans from whole state: who the audience holds against who is in the group.
pub fn plan(
    subject: Subject,
    snapshot: &Snapshot,
    members: &Members,
    current: &GroupMembers,
) -> MembershipPlan {
    let people = &snapshot.people;
    let mut desired: BTreeMap<ObjectId, u32> = BTreeMap::new();
    let mut unreachable = 0;
    for row in members.all.iter() {
        match people.object_ids[row as usize] {
            Some(object) => {
                desired.insert(object, row);
            }
            None => unreachable += 1,
        }
    }
    let adds: BTreeMap<_, _> = desired
        .iter()
        .filter(|(object, _)| !current.users.contains(object) && !current.others.contains(object))
        .map(|(object, row)| {
            let included = members.included.contains(*row);
            (
                *object,
                if included {
                    AddReason::Included
                } else {
                    AddReason::MatchesRules
                },
            )
        })
        .collect();
    let known = people.rows_by_object();
    let users = current
        .users
        .iter()
        .filter(|user| !desired.contains_key(user));
    let leaving = users.map(|user| match known.get(user) {
        Some(_) => (*user, RemoveReason::NotInAudience),
        None => (*user, RemoveReason::NotALearner),
    });
    let others = current
        .others
        .iter()
        .filter(|other| !desired.contains_key(other));
    let removes: BTreeMap<_, _> = leaving
        .chain(others.map(|other| (*other, RemoveReason::NotAPerson)))
        .collect();
    let learners = adds
        .keys()
        .chain(removes.keys())
        .filter_map(|object| Some((*object, people.ids[*known.get(object)? as usize])))
        .collect();
    MembershipPlan {
        profile: subject.profile,
        group: subject.group,
        snapshot: snapshot.header.id.clone(),
        current: current.len(),
        desired: desired.len(),
        unreachable,
        adds,
        removes,
        learners,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{World, profile_id};
    use proptest::prelude::*;

    const NAMES: [&str; 8] = [
        "Ada", "Grace", "Alan", "Edsger", "Barbara", "Donald", "Tony", "Niklaus",
    ];

    fn snapshot() -> Snapshot {
        let mut world = World::new();
        for name in &NAMES[..6] {
            world.person(name);
        }
        world.person("Flo").without_entra();
        world.snapshot()
    }

    fn subject() -> Subject {
        Subject {
            profile: profile_id("P"),
            group: Some(World::object("group")),
        }
    }

    fn members(snapshot: &Snapshot, names: &[&str]) -> Members {
        let mut set = RowSet::new(snapshot.people.count());
        set.extend(
            names
                .iter()
                .filter_map(|name| snapshot.people.row(World::user(name))),
        );
        Members {
            included: RowSet::new(set.universe()),
            all: set,
        }
    }

    fn apply(plan: &MembershipPlan, current: &GroupMembers) -> GroupMembers {
        let mut after = current.clone();
        after.users.extend(plan.adds.keys());
        for id in plan.removes.keys() {
            after.users.remove(id);
            after.others.remove(id);
        }
        after
    }

    /// Proves S4-062 and S4-130: who left the audience or never belonged is removed.
    #[test]
    fn everyone_who_leaves_has_a_reason() {
        let snapshot = snapshot();
        let current = GroupMembers {
            users: ["Ada", "Grace", "Tony"].map(World::object).into(),
            others: [World::object("nested group")].into(),
        };
        let plan = plan(
            subject(),
            &snapshot,
            &members(&snapshot, &["Ada", "Alan", "Flo"]),
            &current,
        );
        assert_eq!(
            plan.adds,
            BTreeMap::from([(World::object("Alan"), AddReason::MatchesRules)])
        );
        assert_eq!(
            plan.removes,
            BTreeMap::from([
                (World::object("Grace"), RemoveReason::NotInAudience),
                (World::object("Tony"), RemoveReason::NotALearner),
                (World::object("nested group"), RemoveReason::NotAPerson),
            ])
        );
        assert_eq!(
            plan.to_string(),
            "4 → 2 members: 1 join, 3 leave (1 more match but have no Entra account)"
        );
    }

    proptest! {
        /// Applying the plan gives the desired members, planning again gives
        /// nothing, and nobody else is touched.
        #[test]
        fn a_plan_applied_is_desired_and_planned_again_is_empty(
            want in proptest::sample::subsequence(NAMES[..6].to_vec(), 0..=6),
            have in proptest::sample::subsequence(NAMES.to_vec(), 0..=8),
        ) {
            let snapshot = snapshot();
            let wanted = members(&snapshot, &want);
            let current = GroupMembers { users: have.iter().copied().map(World::object).collect(), others: BTreeSet::new() };
            let first = plan(subject(), &snapshot, &wanted, &current);
            let after = apply(&first, &current);
            prop_assert_eq!(&after.users, &want.iter().copied().map(World::object).collect());
            let second = plan(subject(), &snapshot, &wanted, &after);
            prop_assert!(second.is_empty());
            prop_assert_eq!(first.is_empty(), first.hash() == second.hash());
        }
    }
}
