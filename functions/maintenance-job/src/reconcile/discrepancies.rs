//! First step: removes references to missing objects from profiles (S4-117…124).

use rollcall_clients::store::StoreError;
use rollcall_domain::audience::discrepancies::resolve;

use crate::context::RunContext;

/// Resolves the discrepancies of every profile and stores those that changed.
pub(crate) async fn handle(work: &mut RunContext<'_>) -> Result<(), StoreError> {
    let living = work.living();
    let fence = work.budget.fence();
    for subject in &mut work.subjects {
        let (resolved, found) = resolve(&subject.profile, &work.snapshot, &living);
        subject.state.obsolete = found.obsolete;
        if found.obsolete && !found.courses.is_empty() {
            subject.report.notes.push(
                "none of the profile's courses exists any more: there is nothing to enrol in"
                    .to_owned(),
            );
        }
        if !found.is_empty() {
            match work
                .services
                .store
                .update_profile(fence, &resolved, subject.version)
                .await
            {
                Ok(version) => subject.version = version,
                // The profile was deleted in the meantime (S4-114); the next run skips it.
                Err(StoreError::Conflict) => continue,
                Err(error) => return Err(error),
            }
            tracing::info!(profile = %resolved.id, overrides = found.overrides.len(), courses = found.courses.len(), "removed references to objects that no longer exist");
            // Deleted courses need no unenrolment. A course that is only missing from this
            // snapshot must not cost learners their enrolment.
            subject
                .state
                .managed
                .retain(|course| !found.courses.contains(course));
            subject.profile = resolved;
        }
        subject.report.discrepancies = found;
    }
    Ok(())
}
