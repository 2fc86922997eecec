//! Orders the writes: deactivations first, so that a slow later phase does not delay them; then
//! address changes, users, managers and teams.

mod operation;
mod sorter;

use super::change::PlannedChange;
use super::target::Platform;
use sorter::Sorter;

pub use operation::{Operation, TeamChanges, Write, WritePhase};

/// All writes in phases. A phase begins after all writes of the previous one have ended.
pub type Phases = Vec<WritePhase>;

/// Sorts the changes of a plan into writes. A failed write does not prevent the others.
pub fn phases(changes: &[PlannedChange], platform: &Platform) -> Phases {
    let mut sorter = Sorter::new(platform);
    for (index, change) in changes.iter().enumerate() {
        sorter.add(index, change);
    }
    sorter.into_phases()
}
