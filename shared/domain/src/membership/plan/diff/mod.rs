//! Compares desired with current members: who joins, who leaves and why.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::{AddReason, MembershipPlan, RemoveReason};
use crate::audience::desired_members::AudienceChange;
use crate::base::ids::{ObjectId, ProfileId};
use crate::base::rowset::RowSet;
use crate::snapshot::{People, Snapshot};

/// The complete members of a group in Entra.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct GroupMembers {
    /// Members that are learners, or were learners in this lineage, by row.
    pub rows: RowSet,
    /// Members that are users but unknown to the LMS.
    pub users: BTreeSet<ObjectId>,
    /// All other members: nested groups and devices.
    pub others: BTreeSet<ObjectId>,
}

impl GroupMembers {
    /// Returns an empty group.
    pub fn none(snapshot: &Snapshot) -> Self {
        Self {
            rows: RowSet::new(snapshot.people.rows()),
            ..Self::default()
        }
    }

    /// Divides the listed members into learners, other users and other objects.
    pub fn of(
        snapshot: &Snapshot,
        accounts: &Accounts,
        users: impl IntoIterator<Item = ObjectId>,
        others: BTreeSet<ObjectId>,
    ) -> Self {
        let mut members = Self {
            others,
            ..Self::none(snapshot)
        };
        for user in users {
            match accounts.rows.get(&user) {
                Some(row) => members.rows.insert(*row),
                None => {
                    members.users.insert(user);
                }
            }
        }
        members
    }

    /// Returns the members after a plan for this change has been applied completely.
    #[must_use]
    pub fn after(&self, change: &AudienceChange, accounts: &Accounts) -> Self {
        let mut rows = change.members(&self.rows).all;
        accounts.canonicalize(&mut rows);
        let mut others = BTreeSet::new();
        for other in &self.others {
            // Not listed as a user, but the object of a learner: already a member.
            if let Some(row) = accounts.rows.get(other).filter(|row| rows.contains(**row)) {
                rows.remove(*row);
                others.insert(*other);
            }
        }
        Self {
            rows,
            users: BTreeSet::new(),
            others,
        }
    }

    /// Returns these members, but restores the state in `before` for each id whose change `failed`.
    #[must_use]
    pub fn without(
        mut self,
        failed: &BTreeSet<ObjectId>,
        before: &Self,
        accounts: &Accounts,
    ) -> Self {
        for id in failed {
            if let Some(row) = accounts.row(*id) {
                if before.rows.contains(row) {
                    self.rows.insert(row);
                } else {
                    self.rows.remove(row);
                }
            }
            if before.users.contains(id) {
                self.users.insert(*id);
            }
            if before.others.contains(id) {
                self.others.insert(*id);
            }
        }
        self
    }

    /// Returns the number of members.
    pub fn len(&self) -> usize {
        self.rows.len() + self.users.len() + self.others.len()
    }

    /// Returns true if there are no members.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// The Entra accounts of the learners, determined once for all groups of a run.
#[derive(Debug, Clone, Default)]
pub struct Accounts {
    /// The canonical row of each account: [`People::rows_by_object`].
    rows: HashMap<ObjectId, u32>,
    /// Rows without an account, which cannot be in a group.
    without: RowSet,
    /// Rows that are not the canonical row of their account, with that row.
    twins: Vec<(u32, u32)>,
}

impl Accounts {
    /// Determines the accounts of the users of a snapshot.
    pub fn of(people: &People) -> Self {
        let rows = people.rows_by_object();
        let (mut without, mut twins) = (RowSet::new(people.rows()), Vec::new());
        for (object, row) in people.object_ids.iter().zip(0u32..) {
            match object.and_then(|object| rows.get(&object)) {
                None => without.insert(row),
                Some(kept_row) if *kept_row != row => twins.push((row, *kept_row)),
                Some(_) => {}
            }
        }
        Self {
            rows,
            without,
            twins,
        }
    }

    /// Returns the canonical row of an account.
    pub fn row(&self, account: ObjectId) -> Option<u32> {
        self.rows.get(&account).copied()
    }

    /// Brings rows into the form of a group's members: each account once, by its canonical row, and
    /// no rows without an account.
    pub fn canonicalize(&self, rows: &mut RowSet) {
        rows.subtract(&self.without);
        for (row, kept_row) in &self.twins {
            if rows.contains(*row) {
                rows.remove(*row);
                rows.insert(*kept_row);
            }
        }
    }
}

/// The profile and group of a plan.
#[derive(Debug, Clone, Copy)]
pub struct PlanTarget {
    /// The profile.
    pub profile: ProfileId,
    /// Its group, if the group exists.
    pub group: Option<ObjectId>,
}

/// Plans from the complete state: members of the audience against members of the group. `change`
/// must have been evaluated against `current.rows`.
pub fn plan(
    subject: PlanTarget,
    snapshot: &Snapshot,
    accounts: &Accounts,
    change: &AudienceChange,
    current: &GroupMembers,
) -> MembershipPlan {
    let (people, rows) = (&snapshot.people, &accounts.rows);
    let object_of = |row: &u32| people.object_ids.get(*row as usize).copied().flatten();
    let mut adds = BTreeMap::new();
    // Several rows may share one Entra account: a member stays as long as any of them stays.
    let mut stays = BTreeSet::new();
    for row in &change.joins {
        let Some(object) = object_of(row) else {
            continue;
        };
        let first = rows.get(&object).copied().unwrap_or(*row);
        if current.rows.contains(first) || current.others.contains(&object) {
            stays.insert(object);
        } else {
            let included = change.included.binary_search(row).is_ok();
            let reason = if included {
                AddReason::Included
            } else {
                AddReason::MatchesRules
            };
            adds.entry(object).or_insert(reason);
        }
    }
    let mut removes = BTreeMap::new();
    for row in &change.leaves {
        let Some(object) = object_of(row).filter(|object| !stays.contains(object)) else {
            continue;
        };
        if adds.remove(&object).is_none() {
            let gone = !people.living.contains(*row);
            let reason = if gone {
                RemoveReason::NotALearner
            } else {
                RemoveReason::NotInAudience
            };
            removes.insert(object, reason);
        }
    }
    let strangers = current
        .users
        .iter()
        .map(|user| (*user, RemoveReason::NotALearner));
    let others = current.others.iter().filter(|other| !stays.contains(other));
    removes.extend(strangers.chain(others.map(|other| (*other, RemoveReason::NotAPerson))));
    let learners = adds
        .keys()
        .chain(removes.keys())
        .filter_map(|object| Some((*object, people.ids[*rows.get(object)? as usize])))
        .collect();
    MembershipPlan {
        profile: subject.profile,
        group: subject.group,
        snapshot: snapshot.header.id.clone(),
        current: current.len(),
        desired: current.len() + adds.len() - removes.len(),
        unreachable: change.unreachable as usize,
        adds,
        removes,
        learners,
    }
}

#[cfg(test)]
mod tests;
