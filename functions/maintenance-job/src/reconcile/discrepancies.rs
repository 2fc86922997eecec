//! First step: takes out of profiles what no longer exists (S4-117…124).

use rollcall_clients::store::StoreError;
use rollcall_domain::audience::discrepancies::resolve;

use crate::context::RunContext;

/// Resolves every profile and stores those that changed.
pub(crate) async fn handle(work: &mut RunContext<'_>) -> Result<(), StoreError> {
    let living = work.living();
    let fence = work.pace.lease().fence();
    for subject in &mut work.subjects {
        let (resolved, found) = resolve(&subject.profile, &work.snapshot, &living);
        subject.state.obsolete = found.obsolete;
        if found.obsolete && !found.courses.is_empty() {
            subject
                .report
                .notes
                .push("none of its courses is left: it has nothing to enrol in".to_owned());
        }
        if !found.is_empty() {
            match work
                .services
                .store
                .update_profile(fence, &resolved, subject.version)
                .await
            {
                Ok(version) => subject.version = version,
                // Somebody deleted the profile a moment ago (S4-114); the next run sees it.
                Err(StoreError::Conflict) => continue,
                Err(error) => return Err(error),
            }
            tracing::info!(profile = %resolved.id, overrides = found.overrides.len(), courses = found.courses.len(), "took out what no longer exists");
            // Gone courses need no unenrolment; one that was only missing from this
            // data must not cost learners their enrolment.
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
