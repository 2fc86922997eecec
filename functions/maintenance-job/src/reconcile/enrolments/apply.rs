//! Applies planned enrolment steps to the learning platform.

use std::time::Duration;

use rollcall_clients::http::ApiError;
use rollcall_clients::learn365::{CatalogRemoval, Enrolment, Learn365, LmsGroup, Unenrolment};
use rollcall_domain::base::ids::ObjectId;
use rollcall_domain::base::outcome::Outcome;
use rollcall_domain::membership::enrolment::EnrolmentStep;

use crate::context::RunContext;

/// The reason of an unenrolment that learners see.
const MESSAGE: &str = "This group is no longer enrolled in the course.";
/// Maximum number of attempts while Learn365 does not yet show a group that it has accepted.
const VISIBLE_TRIES: u32 = 5;
/// The pause between these attempts.
const VISIBLE_PAUSE: Duration = Duration::from_millis(400);

/// Applies the steps in order. Returns whether all of them are done.
pub(crate) async fn apply_steps(
    context: &mut RunContext<'_>,
    index: usize,
    object: ObjectId,
    mut group: Option<LmsGroup>,
    steps: &[EnrolmentStep],
) -> bool {
    let mut joined_now = false;
    for step in steps {
        if context.budget.check().await.is_err() {
            context.profiles[index]
                .report
                .step(step, &Outcome::Deferred(None));
            continue;
        }
        if group.is_none() && !matches!(step, EnrolmentStep::JoinCatalog { .. }) {
            group = wait_until_visible(&context.platform, object).await;
        }
        let one = apply_with_retries(context, index, object, group.as_ref(), step, joined_now);
        // A step that is interrupted at the deadline may have been applied; the next run reads
        // the state.
        let outcome =
            tokio::time::timeout_at(context.budget.deadline().instant().into(), one).await;
        let outcome = outcome.unwrap_or(Outcome::Deferred(None));
        joined_now |= matches!(
            (step, &outcome),
            (EnrolmentStep::JoinCatalog { .. }, Outcome::Done)
        );
        let entry = &mut context.profiles[index];
        match (step, &outcome) {
            (EnrolmentStep::Enrol { course }, Outcome::Failed(_))
            | (EnrolmentStep::Unenrol { course }, Outcome::Done | Outcome::AlreadySo) => {
                entry.state.managed.remove(course);
            }
            _ => {}
        }
        entry.report.step(step, &outcome);
        if let Outcome::Failed(reason) = &outcome {
            entry.report.fail(reason.clone());
        }
    }
    context.profiles[index].report.enrolments.is_complete()
}

/// Applies a step. An enrolment that is refused right after the group joined the catalog is
/// retried, because the platform needs some time after that. If it is still refused, it is
/// deferred to the next run, which treats a refusal as a failure.
async fn apply_with_retries(
    context: &RunContext<'_>,
    index: usize,
    object: ObjectId,
    group: Option<&LmsGroup>,
    step: &EnrolmentStep,
    joined_now: bool,
) -> Outcome {
    let mut outcome = apply_step(context, index, object, group, step).await;
    if !joined_now || !matches!(step, EnrolmentStep::Enrol { .. }) {
        return outcome;
    }
    for _ in 0..VISIBLE_TRIES {
        if !matches!(outcome, Outcome::Failed(_)) {
            return outcome;
        }
        tokio::time::sleep(VISIBLE_PAUSE).await;
        outcome = apply_step(context, index, object, group, step).await;
    }
    if let Outcome::Failed(reason) = &outcome {
        tracing::warn!(%reason, "an enrolment was refused right after joining the catalog; it is deferred");
        return Outcome::Deferred(None);
    }
    outcome
}

async fn apply_step(
    context: &RunContext<'_>,
    index: usize,
    object: ObjectId,
    group: Option<&LmsGroup>,
    step: &EnrolmentStep,
) -> Outcome {
    let platform = &context.platform;
    let (what, done) = match (step, group) {
        (EnrolmentStep::JoinCatalog { catalog }, group) => {
            let mark = context.profiles[index].profile.unique_name();
            let login = group.map_or(mark.as_str(), |group| group.login_name.as_str());
            let added = platform.add_group_to_catalog(*catalog, object, login).await;
            (
                "adding the group to a catalog".to_owned(),
                added.map(|()| Outcome::Done),
            )
        }
        // The platform does not show the group yet; the next run enrols it.
        (_, None) => return Outcome::Deferred(None),
        (EnrolmentStep::Enrol { course }, Some(group)) => (
            format!("enrolling in {}", context.course_title(*course)),
            platform
                .enrol_group(*course, &group.login_name)
                .await
                .map(|ended| match ended {
                    Enrolment::Enrolled => Outcome::Done,
                    Enrolment::AlreadyEnrolled => Outcome::AlreadySo,
                }),
        ),
        (EnrolmentStep::Unenrol { course }, Some(group)) => (
            format!("unenrolling from {}", context.course_title(*course)),
            missing_course_is_done(
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
    done.unwrap_or_else(|error| {
        let reason = format!("{what}: Learn365: {error}");
        if error.is_deferral() {
            Outcome::Deferred(Some(reason))
        } else {
            Outcome::Failed(reason)
        }
    })
}

/// Converts a 404 to success, because a course that does not exist has no enrolments.
fn missing_course_is_done(ended: Result<Outcome, ApiError>) -> Result<Outcome, ApiError> {
    match ended {
        Err(error) if error.status() == Some(404) => Ok(Outcome::AlreadySo),
        other => other,
    }
}

async fn wait_until_visible(platform: &Learn365, object: ObjectId) -> Option<LmsGroup> {
    for _ in 0..VISIBLE_TRIES {
        match platform.find_group(object).await {
            Ok(Some(group)) => return Some(group),
            Ok(None) => tokio::time::sleep(VISIBLE_PAUSE).await,
            Err(error) => {
                tracing::warn!(%error, "it is not known whether the platform shows the group");
                return None;
            }
        }
    }
    None
}
