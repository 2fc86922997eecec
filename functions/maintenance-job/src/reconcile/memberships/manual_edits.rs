//! Manual edits of groups, which the last report of a run shows.

use rollcall_domain::membership::plan::known_members::ManualEdits;
use rollcall_domain::membership::report::ProfileStatus;

use crate::context::RunContext;

/// Adds a note about manual edits to the report, and whether they were reverted.
pub(crate) fn remark(work: &mut RunContext<'_>, index: usize) {
    let subject = &mut work.subjects[index];
    let (report, edits) = (&mut subject.report, subject.state.edits);
    if !edits.is_empty() {
        let end = match report.status {
            ProfileStatus::Synchronised => "; reverted",
            _ => "",
        };
        report.notes.push(format!("{edits}{end}"));
    }
}

/// Deletes edits that an earlier run has reported.
pub(crate) fn forget_notified(work: &mut RunContext<'_>) {
    for subject in &mut work.subjects {
        let state = &mut subject.state;
        if state.edits_reported.is_some_and(|slot| slot != work.slot) {
            state.edits = ManualEdits::default();
            state.edits_reported = None;
        }
    }
}

/// Marks the edits as reported. Only a later run deletes them: if this one crashes before
/// its record is stored, it reports them again.
pub(crate) fn mark_notified(work: &mut RunContext<'_>) {
    for (index, subject) in work.subjects.iter_mut().enumerate() {
        if !subject.state.edits.is_empty() {
            subject.state.edits_reported = Some(work.slot);
            work.unsaved.insert(index);
        }
    }
}
