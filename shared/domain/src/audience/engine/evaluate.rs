//! Evaluates all audiences for all users of a snapshot.

use chrono::{DateTime, Utc};

use super::bind::Bound;
use super::compile::Program;
use super::run::Run;
use crate::audience::audience_change::AudienceChange;
use crate::base::rowset::RowSet;
use crate::snapshot::{People, Snapshot};

impl Program<'_> {
    /// Evaluates every profile at a given time and compares it with its current members (rows of
    /// the same snapshot). Results are in the order of the profiles. A profile without an entry in
    /// `current` has no members.
    pub fn evaluate(
        &self,
        snapshot: &Snapshot,
        at: DateTime<Utc>,
        current: &[Option<&RowSet>],
    ) -> Vec<AudienceChange> {
        let (people, now) = (&snapshot.people, at.timestamp_millis());
        let bound = Bound::new(self, snapshot, now);
        let changes = Run::over(self, &bound, people, current);
        let current = |place: usize| current.get(place).copied().flatten();
        let before = (0..).map(|place| current(place).map_or(0, RowSet::len));
        let counted = changes.into_iter().zip(before);
        counted
            .map(|(change, before)| count(change, before, people))
            .collect()
    }
}

/// Sets the number of members after the change and how many of them cannot be in a group.
fn count(mut change: AudienceChange, before: usize, people: &People) -> AudienceChange {
    let members = before + change.joins.len() - change.leaves.len();
    change.members = u32::try_from(members).unwrap_or(u32::MAX);
    // Users without an account are in no group, so all of them are among those who join.
    let joins = change.joins.iter();
    let unreachable = joins.filter(|row| !people.is_reachable(**row)).count();
    change.unreachable = u32::try_from(unreachable).unwrap_or(u32::MAX);
    change
}
