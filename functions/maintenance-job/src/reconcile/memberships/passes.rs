//! The order in which the membership step updates profiles, and what is progress of the run.

use rollcall_domain::membership::report::ProfileStatus;

use crate::context::{Attempt, RunContext};

/// The profiles that a pass updates.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pass {
    /// All but those that failed in an earlier invocation of this run, never tried ones first.
    First,
    /// Those that failed in an earlier invocation of this run. They come after all other work of
    /// the run, because they may take long and fail again.
    Retry,
}

impl Pass {
    const fn includes(self, attempt: Attempt) -> bool {
        matches!(
            (self, attempt),
            (Self::Retry, Attempt::Failed)
                | (
                    Self::First,
                    Attempt::Never | Attempt::Unfinished | Attempt::Complete
                )
        )
    }
}

/// Returns the profiles of a pass in the order in which they are updated.
pub(super) fn order(context: &RunContext<'_>, pass: Pass) -> Vec<usize> {
    let attempt = |index: usize| context.profiles[index].attempt;
    let mut order: Vec<usize> = (0..context.profiles.len())
        .filter(|index| pass.includes(attempt(*index)))
        .collect();
    order.sort_by_key(|index| attempt(*index));
    order
}

/// Notes whether the update of a profile is progress of the run.
pub(super) fn note_progress(context: &mut RunContext<'_>, index: usize) {
    let entry = &mut context.profiles[index];
    entry.updated = true;
    let report = &entry.report;
    let changed = report.added.done + report.removed.done > 0;
    // A profile that fails twice is no progress; one that is done now is.
    let settled = !matches!(
        report.status,
        ProfileStatus::Failed | ProfileStatus::Unfinished
    );
    let newly = match entry.attempt {
        Attempt::Never => true,
        Attempt::Unfinished | Attempt::Failed => settled,
        Attempt::Complete => false,
    };
    context.progressed |= changed || newly;
}
