//! What changes in one audience: who joins, who leaves, who is in it by override only.

use crate::base::rowset::RowSet;

/// Everyone an audience holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Members {
    /// All of them.
    pub all: RowSet,
    /// Those whom no rule matches, only an override.
    pub included: RowSet,
}

/// What changes for one profile. Rows are ascending.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AudienceChange {
    /// How many people the audience holds.
    pub members: u32,
    /// Those of them who have no Entra account and so cannot be in the group.
    pub unreachable: u32,
    /// Those who are not members yet.
    pub joins: Vec<u32>,
    /// Those who are and should not be.
    pub leaves: Vec<u32>,
    /// Everyone in the audience whom no rule matches, only an override.
    pub included: Vec<u32>,
}

impl AudienceChange {
    /// Everyone who should be a member, from those who are now.
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
