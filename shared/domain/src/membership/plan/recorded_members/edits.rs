//! Manual edits: how a group differs from its stored members.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::membership::plan::diff::GroupMembers;
use crate::snapshot::People;

/// Changes made manually in Entra since the group's members were last known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ManualEdits {
    /// Number of members that were added.
    pub added: usize,
    /// Number of members that were removed.
    pub removed: usize,
}

impl ManualEdits {
    /// Compares the stored members with those found by a full read. A learner who has left the LMS
    /// does not count as removed, because the account may have been deleted.
    pub fn between(people: &People, kept: &GroupMembers, found: &GroupMembers) -> Self {
        let lost = kept.rows.difference(&found.rows);
        Self {
            added: found.rows.difference(&kept.rows).count()
                + found.users.difference(&kept.users).count()
                + found.others.difference(&kept.others).count(),
            removed: lost.filter(|row| people.living.contains(*row)).count()
                + kept.users.difference(&found.users).count()
                + kept.others.difference(&found.others).count(),
        }
    }

    /// Adds edits that were found later.
    #[must_use]
    pub fn and(self, later: Self) -> Self {
        Self {
            added: self.added + later.added,
            removed: self.removed + later.removed,
        }
    }

    /// Returns true if there are no edits.
    pub fn is_empty(self) -> bool {
        self == Self::default()
    }
}

impl fmt::Display for ManualEdits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let had = |count: usize| match count {
            1 => "1 member was".to_owned(),
            more => format!("{more} members were"),
        };
        match (self.added, self.removed) {
            (added, 0) => write!(f, "{} added manually in Entra", had(added)),
            (0, removed) => write!(f, "{} removed manually in Entra", had(removed)),
            (added, removed) => {
                write!(
                    f,
                    "{} added and {removed} removed manually in Entra",
                    had(added)
                )
            }
        }
    }
}
