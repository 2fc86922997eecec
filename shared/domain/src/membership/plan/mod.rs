//! The membership plan: every add and remove with its reason.
//!
//! Apply executes the plan without further decisions. Administrators read it as text. Its hash
//! identifies exactly this change, so that an approval cannot apply to another one.

pub mod approved;
pub mod diff;
pub mod guard;
pub mod recorded_members;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::base::ids::{ObjectId, ProfileId, SnapshotId, UserId};

/// The reason why a user becomes a member.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AddReason {
    /// The rules match.
    MatchesRules,
    /// The rules do not match, but an override includes the user.
    Included,
}

/// The reason why a member is removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RemoveReason {
    /// A learner who is no longer in the audience.
    NotInAudience,
    /// A user who is unknown to the LMS (S4-044).
    NotALearner,
    /// Not a user, but a nested group or a device.
    NotAPerson,
}

/// The hash of a plan; equal if and only if profile, group, adds and removes are equal.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(transparent)]
pub struct PlanHash(String);

impl fmt::Display for PlanHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The changes of one group. The maps are sorted and contain each object once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MembershipPlan {
    /// The profile.
    pub profile: ProfileId,
    /// Its group; `None` if it does not exist yet (a preview).
    pub group: Option<ObjectId>,
    /// The snapshot from which the plan was computed.
    pub snapshot: SnapshotId,
    /// Number of current members.
    pub current: usize,
    /// Number of desired members.
    pub desired: usize,
    /// Number of users in the audience without an Entra account; they cannot be members.
    pub unreachable: usize,
    /// Members to add, with the reason.
    pub adds: BTreeMap<ObjectId, AddReason>,
    /// Members to remove, with the reason.
    pub removes: BTreeMap<ObjectId, RemoveReason>,
    /// The learner of an Entra object, for explanations.
    pub learners: BTreeMap<ObjectId, UserId>,
}

impl MembershipPlan {
    /// Returns the number of adds and removes together, to which limits apply (C-09).
    pub fn changes(&self) -> usize {
        self.adds.len() + self.removes.len()
    }

    /// Leaves out additions of accounts that do not exist: they count as users without an account.
    pub fn leave_out(&mut self, missing: &BTreeSet<ObjectId>) {
        let before = self.adds.len();
        self.adds.retain(|account, _| !missing.contains(account));
        let left_out = before - self.adds.len();
        self.desired -= left_out;
        self.unreachable += left_out;
        let (adds, removes) = (&self.adds, &self.removes);
        self.learners
            .retain(|account, _| adds.contains_key(account) || removes.contains_key(account));
    }

    /// Returns true if nothing changes.
    pub fn is_empty(&self) -> bool {
        self.changes() == 0
    }

    /// Returns the hash of exactly this change to this group.
    pub fn hash(&self) -> PlanHash {
        let mut hasher = Sha256::new();
        hasher.update(b"rollcall-plan-1");
        hasher.update(self.profile.uuid());
        hasher.update(self.group.map(ObjectId::uuid).unwrap_or_default());
        for (mark, ids) in [
            (b'+', self.adds.keys().collect::<Vec<_>>()),
            (b'-', self.removes.keys().collect()),
        ] {
            for id in ids {
                hasher.update([mark]);
                hasher.update(id.uuid());
            }
        }
        PlanHash(hex::encode(hasher.finalize()))
    }
}

impl fmt::Display for MembershipPlan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_empty() {
            write!(f, "{} members, nothing to change", self.current)?;
        } else {
            write!(
                f,
                "{} → {} members: {} join, {} leave",
                self.current,
                self.current + self.adds.len() - self.removes.len(),
                self.adds.len(),
                self.removes.len()
            )?;
        }
        if self.unreachable > 0 {
            write!(
                f,
                " ({} more match but have no Entra account)",
                self.unreachable
            )?;
        }
        Ok(())
    }
}
