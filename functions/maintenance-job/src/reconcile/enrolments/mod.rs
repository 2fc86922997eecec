//! Steps on the learning platform: assign, unassign, deletion, retraction.

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

use crate::budget::Interrupted;
use crate::context::{RunContext, words};
use apply::carry_out;

/// One of the four steps; each goes through all profiles.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum EnrolmentPhase {
    Assign,
    Unassign,
    Deletion,
    Retraction,
}

/// A group as the platform sees it.
struct GroupEnrolments {
    group: Option<LmsGroup>,
    roles: GroupRoles,
}

/// Carries out a phase. Trouble with one course or profile is reported there
/// and does not stop the others (S4-134).
pub(crate) async fn phase(
    work: &mut RunContext<'_>,
    phase: EnrolmentPhase,
) -> Result<Result<(), Interrupted>, String> {
    let catalogs = catalogs(&work.snapshot);
    for index in 0..work.subjects.len() {
        if !concerns(work, index, phase) {
            continue;
        }
        if let Err(stop) = work.pace.check().await {
            return Ok(Err(stop));
        }
        one(work, index, phase, &catalogs).await.map_err(words)?;
    }
    Ok(Ok(()))
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

/// Whether every selected course is known to be enrolled: by our record and by
/// the platform as of the last refresh. Then the platform need not be asked.
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

async fn one(
    work: &mut RunContext<'_>,
    index: usize,
    phase: EnrolmentPhase,
    catalogs: &Catalogs,
) -> Result<(), StoreError> {
    let Some(object) = work.subjects[index].state.group else {
        // Without a group nothing was ever enrolled; a failed group is reported already.
        return if matches!(phase, EnrolmentPhase::Deletion | EnrolmentPhase::Retraction) {
            done(work, index).await
        } else {
            Ok(())
        };
    };
    let known = work.snapshot.group(object).map(|group| LmsGroup {
        id: group.id,
        login_name: group.login_name.clone(),
    });
    let standing = match standing(&work.platform, object, known).await {
        Ok(standing) => standing,
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
        EnrolmentPhase::Assign => assign(profile, catalogs, &standing.roles),
        EnrolmentPhase::Unassign => unassign(profile, managed, &standing.roles),
        EnrolmentPhase::Deletion | EnrolmentPhase::Retraction => leave(
            profile.retraction,
            managed,
            &subject.state.joined,
            catalogs,
            &standing.roles,
        ),
    };
    let before = subject.state.clone();
    intend(work, index, &steps).await?;
    let complete = carry_out(work, index, object, standing.group, &steps).await;
    bookkeeping(work, index, phase, &standing.roles);
    if work.subjects[index].state != before {
        let subject = &work.subjects[index];
        let fence = work.pace.lease().fence();
        work.services
            .store
            .put_profile_state(fence, subject.profile.id, &subject.state)
            .await?;
    }
    if complete && matches!(phase, EnrolmentPhase::Deletion | EnrolmentPhase::Retraction) {
        return done(work, index).await;
    }
    Ok(())
}

/// Records what is about to be enrolled before it is: a run that is cut off in
/// between leaves nothing enrolled that nobody knows of.
async fn intend(
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
    let fence = work.pace.lease().fence();
    work.services
        .store
        .put_profile_state(fence, subject.profile.id, &subject.state)
        .await
}

/// Where the group stands, read from the platform just now; a group that the
/// last refresh saw is asked about even if the look-up does not find it.
async fn standing(
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

/// Selected courses the group is in count as managed, whoever enrolled it;
/// after leaving, nothing does.
fn bookkeeping(work: &mut RunContext<'_>, index: usize, phase: EnrolmentPhase, roles: &GroupRoles) {
    let subject = &mut work.subjects[index];
    match phase {
        EnrolmentPhase::Assign => subject
            .state
            .managed
            .extend(subject.profile.courses.intersection(&roles.courses)),
        // What is managed and not enrolled any more needs no unenrolment; a
        // platform that lists nothing at all for the group proves nothing.
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

/// Stores that a deletion or retraction was carried out: once (S4-137, S4-140).
async fn done(work: &mut RunContext<'_>, index: usize) -> Result<(), StoreError> {
    let subject = &mut work.subjects[index];
    let profile = handled(subject.profile.clone());
    let fence = work.pace.lease().fence();
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
