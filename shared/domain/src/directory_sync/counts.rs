//! How many changes of each kind there are.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::change::{ChangeKind, PlannedChange};
use super::keys::ChangeSubject;

/// How many there are of each kind (S2-41).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = SyncCounts))]
#[serde(rename_all = "camelCase", default)]
pub struct SyncCounts {
    /// People created.
    pub users_created: u64,
    /// People of whom something changed, links included.
    pub users_updated: u64,
    /// People deactivated.
    pub users_deactivated: u64,
    /// People brought back.
    pub users_reactivated: u64,
    /// Teams created.
    pub teams_created: u64,
    /// Teams whose name, members or supervisors changed.
    pub teams_updated: u64,
    /// Teams archived.
    pub teams_archived: u64,
    /// Changes that undo what was done by hand.
    pub manual_overwritten: u64,
}

impl SyncCounts {
    /// Counts changes; people and teams with several are counted once of each kind.
    pub fn of<'c>(changes: impl IntoIterator<Item = &'c PlannedChange>) -> Self {
        let mut counts = Self::default();
        let (mut touched, mut made) = (BTreeSet::new(), BTreeSet::new());
        for change in changes {
            counts.manual_overwritten += u64::from(change.overwrites_manual);
            let kind: &mut u64 = match change.what {
                ChangeKind::CreateUser { .. } => &mut counts.users_created,
                ChangeKind::DeactivateUser { .. } => &mut counts.users_deactivated,
                ChangeKind::ReactivateUser => &mut counts.users_reactivated,
                ChangeKind::CreateTeam { .. } => &mut counts.teams_created,
                ChangeKind::ArchiveTeam { .. } => &mut counts.teams_archived,
                _ => {
                    touched.insert(change.subject);
                    continue;
                }
            };
            if matches!(
                change.what,
                ChangeKind::CreateUser { .. } | ChangeKind::CreateTeam { .. }
            ) {
                made.insert(change.subject);
            }
            *kind += 1;
        }
        for subject in touched.difference(&made) {
            match subject {
                ChangeSubject::User(_) => counts.users_updated += 1,
                ChangeSubject::Team(_) => counts.teams_updated += 1,
            }
        }
        counts
    }

    /// By the names under which a run's record has them.
    pub fn named(&self) -> [(&'static str, u64); 8] {
        [
            ("usersCreated", self.users_created),
            ("usersUpdated", self.users_updated),
            ("usersDeactivated", self.users_deactivated),
            ("usersReactivated", self.users_reactivated),
            ("teamsCreated", self.teams_created),
            ("teamsUpdated", self.teams_updated),
            ("teamsArchived", self.teams_archived),
            ("manualOverwritten", self.manual_overwritten),
        ]
    }
}
