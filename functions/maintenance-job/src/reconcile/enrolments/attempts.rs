//! Which profiles a phase concerns, in which order, and what is progress of the run.

use rollcall_clients::store::profile_states::EnrolmentAttempt;
use rollcall_domain::audience::lifecycle::{LifecycleTask, pending};
use rollcall_domain::membership::report::ProfileStatus;

use super::EnrolmentPhase;
use crate::context::RunContext;
use crate::report::PLATFORM_TRIES;

/// The reason of a profile whose enrolments wait until the platform responds again.
const NO_RESPONSE: &str =
    "Learn365 does not respond or asked for a pause; its courses follow later";

/// Marks a profile as unfinished because the platform does not respond. After some invocations that is a failure, which ends the run and
/// which administrators are notified of.
pub(super) fn defer(context: &mut RunContext<'_>, index: usize) {
    let given_up = context.continuation >= PLATFORM_TRIES;
    let report = &mut context.profiles[index].report;
    if given_up {
        report.fail(format!("Learn365: {NO_RESPONSE}"));
    } else if report.status == ProfileStatus::Synchronised {
        report.status = ProfileStatus::Unfinished;
        report.reason = Some(NO_RESPONSE.to_owned());
    }
}

/// Returns the profiles that a phase concerns. Courses are assigned first to profiles that no
/// earlier invocation of this run has tried, and last to those for which it failed.
pub(super) fn order(context: &RunContext<'_>, phase: EnrolmentPhase) -> Vec<usize> {
    let mut order: Vec<usize> = (0..context.profiles.len())
        .filter(|index| concerns(context, *index, phase))
        .collect();
    if phase == EnrolmentPhase::Assign {
        order.sort_by_key(|index| attempt_of_run(context, *index).is_some());
    }
    order
}

/// Returns the attempt of an earlier invocation of this run to assign a profile's courses.
fn attempt_of_run(context: &RunContext<'_>, index: usize) -> Option<EnrolmentAttempt> {
    let attempt = context.profiles[index].state.assigned?;
    (context.continuation > 0 && attempt.slot == context.slot).then_some(attempt)
}

fn concerns(context: &RunContext<'_>, index: usize, phase: EnrolmentPhase) -> bool {
    let entry = &context.profiles[index];
    let profile = &entry.profile;
    match phase {
        EnrolmentPhase::Assign => {
            profile.enroll
                && !profile.is_deleted()
                && !is_assigned(context, index)
                && !attempt_of_run(context, index).is_some_and(|attempt| attempt.complete)
        }
        EnrolmentPhase::Unassign => {
            !profile.is_deleted()
                && entry
                    .state
                    .managed
                    .iter()
                    .any(|course| !profile.courses.contains(course))
        }
        EnrolmentPhase::Deletion => pending(profile) == Some(LifecycleTask::Deletion),
        EnrolmentPhase::Retraction => pending(profile) == Some(LifecycleTask::Retraction),
    }
}

/// Returns true if every selected course is enrolled according to both the stored state and
/// the snapshot. Then the platform is not queried.
fn is_assigned(context: &RunContext<'_>, index: usize) -> bool {
    let entry = &context.profiles[index];
    let listed = entry
        .state
        .group
        .and_then(|group| context.listed.get(&group));
    // Courses that are missing from the data cannot be enrolled in.
    let courses = &entry.evaluated.courses;
    courses.is_subset(&entry.state.managed)
        && (courses.is_empty() || listed.is_some_and(|roles| courses.is_subset(&roles.courses)))
}

/// Notes an attempt, and whether it is progress of the run.
pub(super) fn note_attempt(
    context: &mut RunContext<'_>,
    index: usize,
    phase: EnrolmentPhase,
    complete: bool,
) {
    let earlier = attempt_of_run(context, index);
    let state = &mut context.profiles[index].state;
    if phase == EnrolmentPhase::Assign {
        let slot = context.slot;
        state.assigned = Some(EnrolmentAttempt { slot, complete });
        context.progressed |= complete || earlier.is_none();
    }
    context.progressed |= context.profiles[index].report.enrolments.done > 0;
}
