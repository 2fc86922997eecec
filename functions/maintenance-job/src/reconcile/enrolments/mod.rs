//! Enrolments on the learning platform: assign, unassign, deletion, retraction.

mod apply;

use rollcall_clients::http::ApiError;
use rollcall_clients::learn365::{Learn365, LmsGroup};
use rollcall_clients::store::StoreError;
use rollcall_domain::audience::lifecycle::{LifecycleTask, handled, pending};
use rollcall_domain::base::ids::ObjectId;
use rollcall_domain::membership::enrolment::{
    Catalogs, EnrolmentStep, GroupRoles, assign, catalogs, leave, unassign,
};
use rollcall_domain::membership::report::ProfileStatus;

use crate::context::RunContext;
use crate::error::StepError;
use apply::apply_steps;

/// One of the four phases; each processes all profiles.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum EnrolmentPhase {
    Assign,
    Unassign,
    Deletion,
    Retraction,
}

/// A group on the platform, with its courses and catalogs.
struct GroupEnrolments {
    group: Option<LmsGroup>,
    roles: GroupRoles,
}

/// Runs one phase for all profiles. A failure of one course or profile is reported there and
/// does not stop the others (S4-134).
pub(crate) async fn run_phase(
    work: &mut RunContext<'_>,
    phase: EnrolmentPhase,
) -> Result<(), StepError> {
    let catalogs = catalogs(&work.snapshot);
    for index in 0..work.subjects.len() {
        if !concerns(work, index, phase) {
            continue;
        }
        work.budget.check().await?;
        update_profile(work, index, phase, &catalogs).await?;
    }
    Ok(())
}

fn concerns(work: &RunContext<'_>, index: usize, phase: EnrolmentPhase) -> bool {
    let subject = &work.subjects[index];
    let profile = &subject.profile;
    match phase {
        EnrolmentPhase::Assign => {
            profile.enroll && !profile.is_deleted() && !is_assigned(work, index)
        }
        EnrolmentPhase::Unassign => {
            !profile.is_deleted()
                && subject
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
fn is_assigned(work: &RunContext<'_>, index: usize) -> bool {
    let subject = &work.subjects[index];
    let listed = subject
        .state
        .group
        .and_then(|group| work.listed.get(&group));
    let courses = &subject.profile.courses;
    courses.is_subset(&subject.state.managed)
        && (courses.is_empty() || listed.is_some_and(|roles| courses.is_subset(&roles.courses)))
}

async fn update_profile(
    work: &mut RunContext<'_>,
    index: usize,
    phase: EnrolmentPhase,
    catalogs: &Catalogs,
) -> Result<(), StoreError> {
    let Some(object) = work.subjects[index].state.group else {
        // A profile without a group has no enrolments; a group that could not be created is
        // already reported.
        return if matches!(phase, EnrolmentPhase::Deletion | EnrolmentPhase::Retraction) {
            mark_handled(work, index).await
        } else {
            Ok(())
        };
    };
    let known = work.snapshot.group(object).map(|group| LmsGroup {
        id: group.id,
        login_name: group.login_name.clone(),
    });
    let enrolments = match read_enrolments(&work.platform, object, known).await {
        Ok(enrolments) => enrolments,
        Err(error) => {
            work.subjects[index]
                .report
                .fail(format!("Learn365: {error}"));
            return Ok(());
        }
    };
    let subject = &work.subjects[index];
    let (profile, managed) = (&subject.profile, &subject.state.managed);
    let steps = match phase {
        EnrolmentPhase::Assign => assign(profile, catalogs, &enrolments.roles),
        EnrolmentPhase::Unassign => unassign(profile, managed, &enrolments.roles),
        EnrolmentPhase::Deletion | EnrolmentPhase::Retraction => leave(
            profile.retraction,
            managed,
            &subject.state.joined,
            catalogs,
            &enrolments.roles,
        ),
    };
    let before = subject.state.clone();
    record_intent(work, index, &steps).await?;
    let complete = apply_steps(work, index, object, enrolments.group, &steps).await;
    update_managed_courses(work, index, phase, &enrolments.roles);
    if work.subjects[index].state != before {
        let subject = &work.subjects[index];
        let fence = work.budget.fence();
        work.services
            .store
            .put_profile_state(fence, subject.profile.id, &subject.state)
            .await?;
    }
    if complete && matches!(phase, EnrolmentPhase::Deletion | EnrolmentPhase::Retraction) {
        return mark_handled(work, index).await;
    }
    Ok(())
}

/// Stores the courses and catalogs that the group is about to join, so that an interrupted
/// run leaves no enrolment that is not recorded.
async fn record_intent(
    work: &mut RunContext<'_>,
    index: usize,
    steps: &[EnrolmentStep],
) -> Result<(), StoreError> {
    let state = &mut work.subjects[index].state;
    let before = state.clone();
    for step in steps {
        match step {
            EnrolmentStep::Enrol { course } => {
                state.managed.insert(*course);
            }
            EnrolmentStep::JoinCatalog { catalog } => {
                state.joined.insert(*catalog);
            }
            EnrolmentStep::Unenrol { .. } | EnrolmentStep::LeaveCatalog { .. } => {}
        }
    }
    if *state == before {
        return Ok(());
    }
    let subject = &work.subjects[index];
    let fence = work.budget.fence();
    work.services
        .store
        .put_profile_state(fence, subject.profile.id, &subject.state)
        .await
}

/// Reads the current courses and catalogs of a group from the platform. A group that the
/// snapshot contains is queried even if the look-up does not find it.
async fn read_enrolments(
    platform: &Learn365,
    object: ObjectId,
    known: Option<LmsGroup>,
) -> Result<GroupEnrolments, ApiError> {
    let group = platform.find_group(object).await?.or(known);
    let roles = match &group {
        Some(group) => platform.group_roles(group.id).await?,
        None => GroupRoles::default(),
    };
    Ok(GroupEnrolments { group, roles })
}

/// Updates the list of managed courses: selected courses that the group is enrolled in are
/// managed, regardless of who enrolled it. A complete deletion or retraction empties the list.
fn update_managed_courses(
    work: &mut RunContext<'_>,
    index: usize,
    phase: EnrolmentPhase,
    roles: &GroupRoles,
) {
    let subject = &mut work.subjects[index];
    match phase {
        EnrolmentPhase::Assign => subject
            .state
            .managed
            .extend(subject.profile.courses.intersection(&roles.courses)),
        // A managed course without an enrolment needs no unenrolment. If the platform lists
        // nothing at all for the group, the list may be wrong and is ignored.
        EnrolmentPhase::Unassign if !roles.courses.is_empty() || !roles.catalogs.is_empty() => {
            let selected = &subject.profile.courses;
            subject
                .state
                .managed
                .retain(|course| selected.contains(course) || roles.courses.contains(course));
        }
        EnrolmentPhase::Unassign => {}
        EnrolmentPhase::Deletion | EnrolmentPhase::Retraction => {
            if subject.report.enrolments.is_complete() {
                subject.state.managed.clear();
                subject.state.joined.clear();
            }
        }
    }
    subject.report.courses = subject.state.managed.len();
    if subject.report.enrolments.deferred > 0
        && subject.report.status == ProfileStatus::Synchronised
    {
        subject.report.status = ProfileStatus::Unfinished;
        subject.report.reason = Some(
            "Learn365 has accepted the group but does not show it yet; the next run enrols it"
                .to_owned(),
        );
    }
}

/// Records that a deletion or retraction is complete, so that it happens once (S4-137, S4-140).
async fn mark_handled(work: &mut RunContext<'_>, index: usize) -> Result<(), StoreError> {
    let subject = &mut work.subjects[index];
    let profile = handled(subject.profile.clone());
    let fence = work.budget.fence();
    match work
        .services
        .store
        .update_profile(fence, &profile, subject.version)
        .await
    {
        Ok(version) => {
            subject.version = version;
            subject.profile = profile;
            Ok(())
        }
        Err(StoreError::Conflict) => Ok(()),
        Err(error) => Err(error),
    }
}
