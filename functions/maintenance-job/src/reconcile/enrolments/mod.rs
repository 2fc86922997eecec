//! Enrolments on the learning platform: assign, unassign, deletion, retraction.

mod apply;
mod attempts;

use rollcall_clients::http::ApiError;
use rollcall_clients::learn365::{Learn365, LmsGroup};
use rollcall_clients::store::StoreError;
use rollcall_clients::store::profile_states::ProfileState;
use rollcall_domain::audience::lifecycle::handled;
use rollcall_domain::base::ids::ObjectId;
use rollcall_domain::membership::enrolment::{
    Catalogs, EnrolmentStep, GroupRoles, assign, catalogs, leave, unassign,
};
use rollcall_domain::membership::report::ProfileStatus;

use crate::context::RunContext;
use crate::error::StepError;
use apply::apply_steps;
use attempts::{defer, note_attempt, order};

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

/// Runs one phase for all profiles. A failure of one course or profile is added to the report of
/// that profile and does not stop the others (S4-134). Once the platform has stopped responding, the
/// rest is left to a continuation.
pub(crate) async fn run_phase(
    context: &mut RunContext<'_>,
    phase: EnrolmentPhase,
) -> Result<(), StepError> {
    let catalogs = catalogs(&context.snapshot);
    for index in order(context, phase) {
        if context.platform.suspended_for().is_some() {
            defer(context, index);
            continue;
        }
        context.budget.check().await?;
        update_profile(context, index, phase, &catalogs).await?;
    }
    Ok(())
}

async fn update_profile(
    context: &mut RunContext<'_>,
    index: usize,
    phase: EnrolmentPhase,
    catalogs: &Catalogs,
) -> Result<(), StoreError> {
    let Some(object) = context.profiles[index].state.group else {
        // A profile without a group has no enrolments; a group that could not be created is
        // already reported.
        return if matches!(phase, EnrolmentPhase::Deletion | EnrolmentPhase::Retraction) {
            mark_handled(context, index).await
        } else {
            Ok(())
        };
    };
    let known = context.snapshot.group(object).map(|group| LmsGroup {
        id: group.id,
        login_name: group.login_name.clone(),
    });
    let enrolments = match read_enrolments(&context.platform, object, known).await {
        Ok(enrolments) => enrolments,
        Err(error) if error.is_deferral() => {
            defer(context, index);
            return Ok(());
        }
        Err(error) => {
            let report = &mut context.profiles[index].report;
            report.fail(format!("Learn365: {error}"));
            let before = context.profiles[index].state.clone();
            note_attempt(context, index, phase, false);
            return save_changed(context, index, &before).await;
        }
    };
    let entry = &context.profiles[index];
    let (profile, managed) = (&entry.profile, &entry.state.managed);
    let steps = match phase {
        EnrolmentPhase::Assign => assign(&entry.evaluated, catalogs, &enrolments.roles),
        EnrolmentPhase::Unassign => unassign(profile, managed, &enrolments.roles),
        EnrolmentPhase::Deletion | EnrolmentPhase::Retraction => leave(
            profile.retraction,
            managed,
            &entry.state.joined,
            catalogs,
            &enrolments.roles,
        ),
    };
    let before = entry.state.clone();
    record_intent(context, index, &steps).await?;
    let complete = apply_steps(context, index, object, enrolments.group, &steps).await;
    update_managed_courses(context, index, phase, &enrolments.roles);
    note_attempt(context, index, phase, complete);
    save_changed(context, index, &before).await?;
    if complete && matches!(phase, EnrolmentPhase::Deletion | EnrolmentPhase::Retraction) {
        return mark_handled(context, index).await;
    }
    Ok(())
}

/// Stores the state of a profile if it changed.
async fn save_changed(
    context: &RunContext<'_>,
    index: usize,
    before: &ProfileState,
) -> Result<(), StoreError> {
    let entry = &context.profiles[index];
    if entry.state == *before {
        return Ok(());
    }
    let fence = context.budget.fence();
    context
        .services
        .store
        .put_profile_state(fence, entry.profile.id, &entry.state)
        .await
}

/// Stores the courses and catalogs that the group is about to join, so that an interrupted
/// run leaves no enrolment that is not recorded.
async fn record_intent(
    context: &mut RunContext<'_>,
    index: usize,
    steps: &[EnrolmentStep],
) -> Result<(), StoreError> {
    let state = &mut context.profiles[index].state;
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
    save_changed(context, index, &before).await
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
    context: &mut RunContext<'_>,
    index: usize,
    phase: EnrolmentPhase,
    roles: &GroupRoles,
) {
    let entry = &mut context.profiles[index];
    match phase {
        EnrolmentPhase::Assign => entry
            .state
            .managed
            .extend(entry.profile.courses.intersection(&roles.courses)),
        // A managed course without an enrolment needs no unenrolment. If the platform lists
        // nothing at all for the group, the list may be wrong and is ignored.
        EnrolmentPhase::Unassign if !roles.courses.is_empty() || !roles.catalogs.is_empty() => {
            let selected = &entry.profile.courses;
            entry
                .state
                .managed
                .retain(|course| selected.contains(course) || roles.courses.contains(course));
        }
        EnrolmentPhase::Unassign => {}
        EnrolmentPhase::Deletion | EnrolmentPhase::Retraction => {
            if entry.report.enrolments.is_complete() {
                entry.state.managed.clear();
                entry.state.joined.clear();
            }
        }
    }
    entry.report.courses = entry.state.managed.len();
    if entry.report.enrolments.deferred > 0 && entry.report.status == ProfileStatus::Synchronised {
        entry.report.status = ProfileStatus::Unfinished;
        entry.report.reason = Some(
            "Learn365 has accepted the group but does not show it yet; the next run enrols it"
                .to_owned(),
        );
    }
}

/// Records that a deletion or retraction is complete, so that it happens once (S4-137, S4-140).
async fn mark_handled(context: &mut RunContext<'_>, index: usize) -> Result<(), StoreError> {
    let entry = &mut context.profiles[index];
    let profile = handled(entry.profile.clone());
    let fence = context.budget.fence();
    match context
        .services
        .store
        .save_profile_under_lease(fence, &profile, entry.version)
        .await
    {
        Ok(version) => {
            entry.version = version;
            entry.profile = profile;
            Ok(())
        }
        Err(StoreError::Conflict) => Ok(()),
        Err(error) => Err(error),
    }
}
