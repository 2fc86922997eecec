//! In which order changes are made: leavers first, so that nothing slow keeps them in; then addresses are freed; managers follow people, teams follow both.

mod operation;
mod sorter;

use super::change::PlannedChange;
use super::target::Platform;
use sorter::Sorter;

pub use operation::{Operation, TeamChanges, Write, WritePhase};

/// All writes, phase by phase. Between phases everything of the one before has ended.
pub type Phases = Vec<WritePhase>;

/// Orders changes as a plan has them. Whatever fails leaves the others possible.
pub fn phases(changes: &[PlannedChange], platform: &Platform) -> Phases {
    let mut sorter = Sorter::new(platform);
    for (index, change) in changes.iter().enumerate() {
        sorter.add(index, change);
    }
    sorter.into_phases()
}
