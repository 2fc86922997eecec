//! How a group differs from what was kept about it: what people changed by hand.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::membership::plan::diff::GroupMembers;
use crate::snapshot::People;

/// What people changed in a group by hand since its members were last known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ManualEdits {
    /// Members that had been added.
    pub added: usize,
    /// Members that had been removed.
    pub removed: usize,
}

impl ManualEdits {
    /// Compares what was kept with what a full read found. A learner who left the
    /// platform meanwhile does not count as removed: the account may be gone, too.
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

    /// These and others, found later.
    #[must_use]
    pub fn and(self, later: Self) -> Self {
        Self {
            added: self.added + later.added,
            removed: self.removed + later.removed,
        }
    }

    /// Whether there were none.
    pub fn is_empty(self) -> bool {
        self == Self::default()
    }
}

impl fmt::Display for ManualEdits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let had = |count: usize| match count {
            1 => "1 member had been".to_owned(),
            more => format!("{more} members had been"),
        };
        match (self.added, self.removed) {
            (added, 0) => write!(f, "{} added by hand in Entra", had(added)),
            (0, removed) => write!(f, "{} removed by hand in Entra", had(removed)),
            (added, removed) => {
                write!(
                    f,
                    "{} added and {removed} removed by hand in Entra",
                    had(added)
                )
            }
        }
    }
}
