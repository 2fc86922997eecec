//! Steps on the learning platform: assign, unassign, deletion, retraction.

use std::time::Duration;

use rollcall_clients::http::ApiError;
use rollcall_clients::learn365::{CatalogRemoval, Enrolment, Learn365, LmsGroup, Unenrolment};
use rollcall_clients::store::StoreError;
use rollcall_domain::enrolment::{Catalogs, GroupRoles, Step, assign, catalogs, leave, unassign};
use rollcall_domain::ids::ObjectId;
use rollcall_domain::lifecycle::{Pending, handled, pending};
use rollcall_domain::report::{Outcome, ProfileStatus};

use crate::load::{Work, words};
use crate::pace::Stop;

/// What learners see as the reason of an unenrolment.
const MESSAGE: &str = "This group is no longer enrolled in the course.";
/// Learn365 accepts a group first and shows it later; so long it is waited for.
const VISIBLE_TRIES: u32 = 5;
const VISIBLE_PAUSE: Duration = Duration::from_millis(400);

/// One of the four steps; each goes through all profiles.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Phase {
    Assign,
    Unassign,
    Deletion,
    Retraction,
}

/// A group as the platform sees it.
struct Standing {
    group: Option<LmsGroup>,
    roles: GroupRoles,
}

/// Carries out a phase. Trouble with one course or profile is reported there
/// and does not stop the others (S4-134).
pub(crate) async fn phase(work: &mut Work<'_>, phase: Phase) -> Result<Result<(), Stop>, String> {
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

fn concerns(work: &Work<'_>, index: usize, phase: Phase) -> bool {
    let subject = &work.subjects[index];
    let profile = &subject.profile;
    match phase {
        Phase::Assign => profile.enroll && !profile.is_deleted() && !profile.courses.is_empty(),
        Phase::Unassign => {
            !profile.is_deleted()
                && subject
                    .state
                    .managed
                    .iter()
                    .any(|course| !profile.courses.contains(course))
        }
        Phase::Deletion => pending(profile) == Some(Pending::Deletion),
        Phase::Retraction => pending(profile) == Some(Pending::Retraction),
    }
}

async fn one(
    work: &mut Work<'_>,
    index: usize,
    phase: Phase,
    catalogs: &Catalogs,
) -> Result<(), StoreError> {
    let Some(object) = work.subjects[index].state.group else {
        // Without a group nothing was ever enrolled; a failed group is reported already.
        return if matches!(phase, Phase::Deletion | Phase::Retraction) {
            done(work, index).await
        } else {
            Ok(())
        };
    };
    let standing = match standing(&work.platform, object).await {
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
        Phase::Assign => assign(profile, catalogs, &standing.roles),
        Phase::Unassign => unassign(profile, managed, &standing.roles),
        Phase::Deletion | Phase::Retraction => {
            leave(profile.retraction, managed, catalogs, &standing.roles)
        }
    };
    let before = subject.state.managed.clone();
    let complete = carry_out(work, index, object, standing.group, &steps).await;
    bookkeeping(work, index, phase, &standing.roles);
    if work.subjects[index].state.managed != before {
        let subject = &work.subjects[index];
        let fence = work.pace.lease().fence();
        work.services
            .store
            .put_profile_state(fence, subject.profile.id, &subject.state)
            .await?;
    }
    if complete && matches!(phase, Phase::Deletion | Phase::Retraction) {
        return done(work, index).await;
    }
    Ok(())
}

/// Where the group stands, read from the platform just now.
async fn standing(platform: &Learn365, object: ObjectId) -> Result<Standing, ApiError> {
    let group = platform.find_group(object).await?;
    let roles = match &group {
        Some(group) => platform.group_roles(group.id).await?,
        None => rollcall_clients::learn365::GroupRoles::default(),
    };
    Ok(Standing {
        group,
        roles: GroupRoles {
            courses: roles.courses,
            catalogs: roles.catalogs,
        },
    })
}

/// Carries out the steps in order; answers whether all are so now.
async fn carry_out(
    work: &mut Work<'_>,
    index: usize,
    object: ObjectId,
    mut group: Option<LmsGroup>,
    steps: &[Step],
) -> bool {
    for step in steps {
        if work.pace.check().await.is_err() {
            work.subjects[index].report.step(step, &Outcome::Deferred);
            continue;
        }
        if group.is_none() && !matches!(step, Step::JoinCatalog { .. }) {
            group = visible(&work.platform, object).await;
        }
        let outcome = carry_out_one(work, index, object, group.as_ref(), step).await;
        let subject = &mut work.subjects[index];
        if matches!(outcome, Outcome::Done | Outcome::AlreadySo) {
            match step {
                Step::Enrol { course } => {
                    subject.state.managed.insert(*course);
                }
                Step::Unenrol { course } => {
                    subject.state.managed.remove(course);
                }
                Step::JoinCatalog { .. } | Step::LeaveCatalog { .. } => {}
            }
        }
        subject.report.step(step, &outcome);
        if let Outcome::Failed(reason) = &outcome {
            subject.report.fail(reason.clone());
        }
    }
    work.subjects[index].report.enrolments.is_complete()
}

async fn carry_out_one(
    work: &Work<'_>,
    index: usize,
    object: ObjectId,
    group: Option<&LmsGroup>,
    step: &Step,
) -> Outcome {
    let platform = &work.platform;
    let (what, done) = match (step, group) {
        (Step::JoinCatalog { catalog }, group) => {
            let mark = work.subjects[index].profile.unique_name();
            let login = group.map_or(mark.as_str(), |group| group.login_name.as_str());
            let added = platform.add_group_to_catalog(*catalog, object, login).await;
            (
                "adding the group to a catalog".to_owned(),
                added.map(|()| Outcome::Done),
            )
        }
        // The platform has accepted the group and does not show it yet: the next run enrols it.
        (_, None) => return Outcome::Deferred,
        (Step::Enrol { course }, Some(group)) => (
            format!("enrolling in {}", work.course_title(*course)),
            platform
                .enrol_group(*course, &group.login_name)
                .await
                .map(|ended| match ended {
                    Enrolment::Enrolled => Outcome::Done,
                    Enrolment::AlreadyEnrolled => Outcome::AlreadySo,
                }),
        ),
        (Step::Unenrol { course }, Some(group)) => (
            format!("unenrolling from {}", work.course_title(*course)),
            gone_is_fine(
                platform
                    .unenrol_group(*course, &group.login_name, MESSAGE)
                    .await
                    .map(|ended| match ended {
                        Unenrolment::Unenrolled => Outcome::Done,
                        Unenrolment::NotEnrolled => Outcome::AlreadySo,
                    }),
            ),
        ),
        (Step::LeaveCatalog { catalog, .. }, Some(group)) => (
            "deleting the group from a catalog".to_owned(),
            platform
                .remove_group_from_catalog(*catalog, &group.login_name)
                .await
                .map(|ended| match ended {
                    CatalogRemoval::Removed => Outcome::Done,
                    CatalogRemoval::NotThere => Outcome::AlreadySo,
                }),
        ),
    };
    done.unwrap_or_else(|error| Outcome::Failed(format!("{what}: Learn365: {error}")))
}

/// A course that is gone has no enrolments.
fn gone_is_fine(ended: Result<Outcome, ApiError>) -> Result<Outcome, ApiError> {
    match ended {
        Err(error) if error.status() == Some(404) => Ok(Outcome::AlreadySo),
        other => other,
    }
}

async fn visible(platform: &Learn365, object: ObjectId) -> Option<LmsGroup> {
    for _ in 0..VISIBLE_TRIES {
        match platform.find_group(object).await {
            Ok(Some(group)) => return Some(group),
            Ok(None) => tokio::time::sleep(VISIBLE_PAUSE).await,
            Err(error) => {
                tracing::warn!(%error, "the platform could not say whether it shows the group");
                return None;
            }
        }
    }
    None
}

/// Selected courses the group is in count as managed, whoever enrolled it;
/// after leaving, nothing does.
fn bookkeeping(work: &mut Work<'_>, index: usize, phase: Phase, roles: &GroupRoles) {
    let subject = &mut work.subjects[index];
    match phase {
        Phase::Assign => subject
            .state
            .managed
            .extend(subject.profile.courses.intersection(&roles.courses)),
        // What is managed and not enrolled any more needs no unenrolment.
        Phase::Unassign => {
            let selected = &subject.profile.courses;
            subject
                .state
                .managed
                .retain(|course| selected.contains(course) || roles.courses.contains(course));
        }
        Phase::Deletion | Phase::Retraction => {
            if subject.report.enrolments.is_complete() {
                subject.state.managed.clear();
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
async fn done(work: &mut Work<'_>, index: usize) -> Result<(), StoreError> {
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
