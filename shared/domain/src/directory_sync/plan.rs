//! Plans a directory sync: compares the directory with the platform.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::change::{ChangeKind, PlannedChange};
use super::comparison::{Comparison, Findings, PlanInput};
use super::counts::SyncCounts;
use super::skip_reason::Skip;
use super::{address_claims, managers, teams, users};

/// The changes that make the platform equal to the directory.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SyncPlan {
    /// The changes: users by object id, then teams.
    pub changes: Vec<PlannedChange>,
    /// Users who are skipped because data is missing or in conflict.
    pub skipped: Vec<Skip>,
    /// Changes that a pin rejects.
    pub pinned: Vec<PlannedChange>,
    /// Current number of linked and active users.
    pub active: usize,
    /// Current number of members of all synced teams.
    pub memberships: usize,
}

impl SyncPlan {
    /// Returns true if there are no changes.
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }

    /// Returns the number of users who would be deactivated.
    pub fn leavers(&self) -> usize {
        self.count(|what| matches!(what, ChangeKind::DeactivateUser { .. }))
    }

    /// Returns the number of members to remove from teams, members of archived teams included.
    pub fn removals(&self) -> usize {
        let archived = self.changes.iter().map(|change| match change.what {
            ChangeKind::ArchiveTeam { members } => members,
            _ => 0,
        });
        archived.sum::<usize>() + self.count(|what| matches!(what, ChangeKind::RemoveMember { .. }))
    }

    fn count(&self, is: impl Fn(&ChangeKind) -> bool) -> usize {
        self.changes
            .iter()
            .filter(|change| is(&change.what))
            .count()
    }

    /// Returns the number of changes of each kind.
    pub fn counts(&self) -> SyncCounts {
        SyncCounts::of(&self.changes)
    }

    /// Returns the SHA-256 of the changes in hexadecimal; equal changes have the same hash.
    pub fn hash(&self) -> String {
        let mut hash = Sha256::new();
        for change in &self.changes {
            let line = serde_json::to_vec(change).unwrap_or_default();
            hash.update(line.len().to_le_bytes());
            hash.update(&line);
        }
        hex::encode(hash.finalize())
    }
}

/// Compares the directory with the platform. The result does not depend on the order of the input.
pub fn plan(input: PlanInput<'_>) -> SyncPlan {
    let comparison = Comparison::new(input);
    let mut findings = Findings::default();
    let claims = users::compare(&comparison, &mut findings);
    address_claims::resolve(&comparison, claims, &mut findings);
    managers::compare(&comparison, &mut findings);
    let memberships = teams::compare(&comparison, &mut findings);
    let mut plan = SyncPlan {
        changes: findings.changes,
        skipped: findings.skipped,
        pinned: findings.pinned,
        active: comparison.linked.active(),
        memberships,
    };
    plan.changes.sort_by_cached_key(PlannedChange::place);
    plan.pinned.sort_by_cached_key(PlannedChange::place);
    plan.skipped
        .sort_by(|a, b| (a.person, &a.reason).cmp(&(b.person, &b.reason)));
    plan
}
