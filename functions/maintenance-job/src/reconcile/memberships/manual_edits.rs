//! Manual edits of groups, which are stored until the last invocation of a run reports them
//!

use rollcall_domain::membership::plan::recorded_members::ManualEdits;
use rollcall_domain::membership::report::ProfileStatus;

use crate::context::RunContext;

/// Adds a note about manual edits to the report, and whether they were reverted.
pub(crate) fn add_note(context: &mut RunContext<'_>, index: usize) {
    let entry = &mut context.profiles[index];
    let (report, edits) = (&mut entry.report, entry.state.edits);
    if !edits.is_empty() {
        let end = match report.status {
            ProfileStatus::Synchronised => "; reverted",
            _ => "",
        };
        report.notes.push(format!("{edits}{end}"));
    }
}

/// Deletes edits that an earlier run has reported.
pub(crate) fn delete_reported(context: &mut RunContext<'_>) {
    for entry in &mut context.profiles {
        let state = &mut entry.state;
        if state
            .edits_reported
            .is_some_and(|slot| slot != context.slot)
        {
            state.edits = ManualEdits::default();
            state.edits_reported = None;
        }
    }
}

/// Marks the edits as reported. Only a later run deletes them: if this one crashes before
/// its record is stored, it reports them again.
pub(crate) fn mark_reported(context: &mut RunContext<'_>) {
    for (index, entry) in context.profiles.iter_mut().enumerate() {
        if !entry.state.edits.is_empty() {
            entry.state.edits_reported = Some(context.slot);
            context.unsaved.insert(index);
        }
    }
}
