//! Single steps on the learning platform, carried out as planned.

use std::time::Duration;

use rollcall_clients::http::ApiError;
use rollcall_clients::learn365::{CatalogRemoval, Enrolment, Learn365, LmsGroup, Unenrolment};
use rollcall_domain::base::ids::ObjectId;
use rollcall_domain::base::outcome::Outcome;
use rollcall_domain::membership::enrolment::EnrolmentStep;

use crate::context::RunContext;

/// What learners see as the reason of an unenrolment.
const MESSAGE: &str = "This group is no longer enrolled in the course.";
/// Learn365 accepts a group first and shows it later; so long it is waited for.
const VISIBLE_TRIES: u32 = 5;
const VISIBLE_PAUSE: Duration = Duration::from_millis(400);

/// Carries out the steps in order; answers whether all are so now.
pub(crate) async fn carry_out(
    work: &mut RunContext<'_>,
    index: usize,
    object: ObjectId,
    mut group: Option<LmsGroup>,
    steps: &[EnrolmentStep],
) -> bool {
    let mut joined_now = false;
    for step in steps {
        if work.pace.check().await.is_err() {
            work.subjects[index]
                .report
                .step(step, &Outcome::Deferred(None));
            continue;
        }
        if group.is_none() && !matches!(step, EnrolmentStep::JoinCatalog { .. }) {
            group = visible(&work.platform, object).await;
        }
        let one = patiently(work, index, object, group.as_ref(), step, joined_now);
        // Cut off at the deadline it may or may not have happened; the next run looks.
        let outcome = tokio::time::timeout_at(work.pace.deadline().instant().into(), one).await;
        let outcome = outcome.unwrap_or(Outcome::Deferred(None));
        joined_now |= matches!(
            (step, &outcome),
            (EnrolmentStep::JoinCatalog { .. }, Outcome::Done)
        );
        let subject = &mut work.subjects[index];
        match (step, &outcome) {
            (EnrolmentStep::Enrol { course }, Outcome::Failed(_))
            | (EnrolmentStep::Unenrol { course }, Outcome::Done | Outcome::AlreadySo) => {
                subject.state.managed.remove(course);
            }
            _ => {}
        }
        subject.report.step(step, &outcome);
        if let Outcome::Failed(reason) = &outcome {
            subject.report.fail(reason.clone());
        }
    }
    work.subjects[index].report.enrolments.is_complete()
}

/// Right after the group was added to a catalog the platform may still refuse an
/// enrolment there. So it is tried a few times, and what is refused even then is
/// left to the next run, which has no such excuse.
async fn patiently(
    work: &RunContext<'_>,
    index: usize,
    object: ObjectId,
    group: Option<&LmsGroup>,
    step: &EnrolmentStep,
    joined_now: bool,
) -> Outcome {
    let mut outcome = carry_out_one(work, index, object, group, step).await;
    if !joined_now || !matches!(step, EnrolmentStep::Enrol { .. }) {
        return outcome;
    }
    for _ in 0..VISIBLE_TRIES {
        if !matches!(outcome, Outcome::Failed(_)) {
            return outcome;
        }
        tokio::time::sleep(VISIBLE_PAUSE).await;
        outcome = carry_out_one(work, index, object, group, step).await;
    }
    if let Outcome::Failed(reason) = &outcome {
        tracing::warn!(%reason, "refused right after joining the catalog; the next run tries again");
        return Outcome::Deferred(None);
    }
    outcome
}

async fn carry_out_one(
    work: &RunContext<'_>,
    index: usize,
    object: ObjectId,
    group: Option<&LmsGroup>,
    step: &EnrolmentStep,
) -> Outcome {
    let platform = &work.platform;
    let (what, done) = match (step, group) {
        (EnrolmentStep::JoinCatalog { catalog }, group) => {
            let mark = work.subjects[index].profile.unique_name();
            let login = group.map_or(mark.as_str(), |group| group.login_name.as_str());
            let added = platform.add_group_to_catalog(*catalog, object, login).await;
            (
                "adding the group to a catalog".to_owned(),
                added.map(|()| Outcome::Done),
            )
        }
        // The platform has accepted the group and does not show it yet: the next run enrols it.
        (_, None) => return Outcome::Deferred(None),
        (EnrolmentStep::Enrol { course }, Some(group)) => (
            format!("enrolling in {}", work.course_title(*course)),
            platform
                .enrol_group(*course, &group.login_name)
                .await
                .map(|ended| match ended {
                    Enrolment::Enrolled => Outcome::Done,
                    Enrolment::AlreadyEnrolled => Outcome::AlreadySo,
                }),
        ),
        (EnrolmentStep::Unenrol { course }, Some(group)) => (
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
        (EnrolmentStep::LeaveCatalog { catalog, .. }, Some(group)) => (
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
