//! First step: removes references to missing objects from profiles (S4-117…124).

use rollcall_clients::store::StoreError;
use rollcall_domain::audience::discrepancies::resolve;

use crate::context::RunContext;

/// Resolves the discrepancies of every profile and stores those that changed.
pub(crate) async fn handle(context: &mut RunContext<'_>) -> Result<(), StoreError> {
    let living = context.living();
    let fence = context.budget.fence();
    for entry in &mut context.profiles {
        let (resolved, found) = resolve(&entry.profile, &context.snapshot, &living);
        entry.state.obsolete = found.obsolete;
        if found.obsolete && !found.courses.is_empty() {
            entry.report.notes.push(
                "none of the profile's courses exists any more: there is nothing to enrol in"
                    .to_owned(),
            );
        }
        if !found.is_empty() {
            match context
                .services
                .store
                .save_profile_under_lease(fence, &resolved, entry.version)
                .await
            {
                Ok(version) => entry.version = version,
                // The profile was deleted in the meantime (S4-114); the next run skips it.
                Err(StoreError::Conflict) => continue,
                Err(error) => return Err(error),
            }
            tracing::info!(profile = %resolved.id, overrides = found.overrides.len(), courses = found.courses.len(), "removed references to objects that no longer exist");
            // Deleted courses need no unenrolment. A course that is only missing from this
            // snapshot must not cost learners their enrolment.
            entry
                .state
                .managed
                .retain(|course| !found.courses.contains(course));
            entry.profile = resolved;
        }
        entry.report.discrepancies = found;
    }
    Ok(())
}
