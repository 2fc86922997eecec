//! Compares a directory with a platform: every change, who is skipped, what people decided against.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::change::{ChangeKind, PlannedChange};
use super::comparison::{Comparison, Findings, PlanInput};
use super::counts::SyncCounts;
use super::skip_reason::Skip;
use super::{address_claims, managers, teams, users};

/// Everything that has to change for the platform to be as the directory is.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SyncPlan {
    /// The changes: people by object id, then teams.
    pub changes: Vec<PlannedChange>,
    /// Who is left as they are because something is missing or in the way.
    pub skipped: Vec<Skip>,
    /// Changes that people decided against.
    pub pinned: Vec<PlannedChange>,
    /// Linked and active people now.
    pub active: usize,
    /// Members of all teams of ours now.
    pub memberships: usize,
}

impl SyncPlan {
    /// Whether there is nothing to do.
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }

    /// People who would be deactivated.
    pub fn leavers(&self) -> usize {
        self.count(|what| matches!(what, ChangeKind::DeactivateUser { .. }))
    }

    /// Members who would be taken out of teams, those of archived teams included.
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

    /// What kinds of changes there are.
    pub fn counts(&self) -> SyncCounts {
        SyncCounts::of(&self.changes)
    }

    /// The same for the same changes, on every machine.
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

/// Compares the directory with the platform. The order of what was read makes no difference.
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
