//! The number of changes of each kind.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::change::{ChangeKind, PlannedChange};
use super::keys::ChangeSubject;

/// The number of changes of each kind (S2-41).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = SyncCounts))]
#[serde(rename_all = "camelCase", default)]
pub struct SyncCounts {
    /// Users created.
    pub users_created: u64,
    /// Users changed or linked.
    pub users_updated: u64,
    /// Users deactivated.
    pub users_deactivated: u64,
    /// Users reactivated.
    pub users_reactivated: u64,
    /// Teams created.
    pub teams_created: u64,
    /// Teams whose name, members or supervisors changed.
    pub teams_updated: u64,
    /// Teams archived.
    pub teams_archived: u64,
    /// Changes that undo manual changes.
    pub manual_overwritten: u64,
}

impl SyncCounts {
    /// Counts changes. Several changes of one user or team count once per kind.
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

    /// Returns the counts with their names in the run record.
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
