//! First step: finds references of profiles to objects that do not exist (S4-117…124).

use rollcall_clients::store::StoreError;
use rollcall_domain::audience::discrepancies::{Discrepancies, Resolution, resolve};

use super::memberships::save;
use crate::context::{ProfileContext, RunContext};

/// Finds the discrepancies of every profile, and stores the profiles from which something was
/// removed. What is only missing from the data remains stored and has no effect in this run (F-2).
pub(crate) async fn handle(context: &mut RunContext<'_>) -> Result<(), StoreError> {
    let living = context.living();
    let fence = context.budget.fence();
    let active = context.profiles.iter_mut().enumerate();
    for (index, entry) in active.filter(|(_, entry)| !entry.profile.is_deleted()) {
        let known = &entry.state.missing;
        let Resolution {
            stored,
            evaluated,
            found,
        } = resolve(&entry.profile, &context.snapshot, &living, known);
        entry.evaluated = evaluated;
        note(entry, &found);
        let missing = found.missing.recorded();
        if missing != entry.state.missing {
            entry.state.missing = missing;
            context.unsaved.insert(index);
        }
        if !found.is_unchanged() {
            match context
                .services
                .store
                .save_profile_under_lease(fence, &stored, entry.version)
                .await
            {
                Ok(version) => entry.version = version,
                // The profile was deleted in the meantime (S4-114); the next run skips it.
                Err(StoreError::Conflict) => continue,
                Err(error) => return Err(error),
            }
            tracing::info!(profile = %stored.id, overrides = found.overrides.len(), courses = found.courses.len(), "removed references to objects that no longer exist");
            // Deleted courses need no unenrolment.
            entry
                .state
                .managed
                .retain(|course| !found.courses.contains(course));
            entry.profile = stored;
        }
        entry.report.discrepancies = found;
    }
    // Stored before the next step, so that each snapshot counts once, also if the run crashes.
    save(context).await
}

/// Adds remarks to the report.
fn note(entry: &mut ProfileContext, found: &Discrepancies) {
    entry.state.obsolete = found.obsolete;
    let notes = &mut entry.report.notes;
    if found.obsolete && !found.courses.is_empty() {
        notes.push(
            "none of the profile's courses exists any more: there is nothing to enrol in"
                .to_owned(),
        );
    }
    let (users, courses) = (found.missing.users.len(), found.missing.courses.len());
    if users + courses > 0 {
        notes.push(format!(
            "the learning platform's data lacks {users} users of its overrides and {courses} of \
             its courses; they have no effect until they reappear"
        ));
    }
}
