//! The change of one audience: who joins, who leaves, and who is a member only by override.

use crate::base::rowset::RowSet;

/// The members of an audience.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Members {
    /// All members.
    pub all: RowSet,
    /// Members that no rule matches; they are included by an override.
    pub included: RowSet,
}

/// The change of one profile's members. Rows are ascending.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AudienceChange {
    /// Number of members after the change.
    pub members: u32,
    /// Number of members without an Entra account; they cannot be in the group.
    pub unreachable: u32,
    /// Users that become members.
    pub joins: Vec<u32>,
    /// Current members that no longer qualify.
    pub leaves: Vec<u32>,
    /// Members that no rule matches; they are included by an override.
    pub included: Vec<u32>,
}

impl AudienceChange {
    /// Returns all desired members, computed from the current ones.
    pub fn members(&self, current: &RowSet) -> Members {
        let mut all = current.clone();
        all.extend(self.joins.iter().copied());
        for row in &self.leaves {
            all.remove(*row);
        }
        let mut included = RowSet::new(current.universe());
        included.extend(self.included.iter().copied());
        Members { all, included }
    }
}
