//! The membership plan: every add and remove with its reason, as a value.
//!
//! Apply obeys it and decides nothing; people read it as text; its hash names
//! exactly this change, so that an approval cannot slip to another one.

pub mod diff;
pub mod guard;
pub mod known_members;

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::base::ids::{ObjectId, ProfileId, SnapshotId, UserId};

/// Why somebody becomes a member.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AddReason {
    /// The rules match.
    MatchesRules,
    /// The rules do not match, an override includes them.
    Included,
}

/// Why somebody stops being a member.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RemoveReason {
    /// A learner whom the audience no longer holds.
    NotInAudience,
    /// In the group, but unknown to the learning platform (S4-044).
    NotALearner,
    /// Not a person: a nested group or a device.
    NotAPerson,
}

/// The hash of a plan: equal exactly when group, adds and removes are.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(transparent)]
pub struct PlanHash(String);

impl fmt::Display for PlanHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What to do to one group. Maps keep it ordered and each person in it once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MembershipPlan {
    /// The profile.
    pub profile: ProfileId,
    /// Its group; none while it does not exist yet (a preview).
    pub group: Option<ObjectId>,
    /// The data it was made from.
    pub snapshot: SnapshotId,
    /// Members the group has now.
    pub current: usize,
    /// Members it should have.
    pub desired: usize,
    /// People the audience holds who have no Entra account and so cannot be members.
    pub unreachable: usize,
    /// Who joins and why.
    pub adds: BTreeMap<ObjectId, AddReason>,
    /// Who leaves and why.
    pub removes: BTreeMap<ObjectId, RemoveReason>,
    /// The learner behind an Entra object, for explanations.
    pub learners: BTreeMap<ObjectId, UserId>,
}

impl MembershipPlan {
    /// Adds and removes together: what limits are measured against (C-09).
    pub fn changes(&self) -> usize {
        self.adds.len() + self.removes.len()
    }

    /// Whether there is nothing to do.
    pub fn is_empty(&self) -> bool {
        self.changes() == 0
    }

    /// The name of exactly this change to this group.
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
