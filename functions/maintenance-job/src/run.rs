//! One maintenance run of one tenant: its part of the common lifecycle, and its steps in order.

use std::time::Duration;

use rollcall_app::Services;
use rollcall_app::jobs::budget::{Interrupted, RunBudget};
use rollcall_app::jobs::job_run::{Admission, Completion, JobRun, RunError};
use rollcall_app::jobs::lifecycle;
use rollcall_clients::store::MAINTENANCE_LEASE;
use rollcall_clients::store::tenants::{SnapshotPointer, Tenant};
use rollcall_domain::base::run::{CRASHED, Run, RunRequest};
use rollcall_domain::base::schedule::Job;
use rollcall_domain::notices::NoticeKind;
use rollcall_runtime::{Deadline, Failure};

use chrono::Utc;

use crate::context::{RunContext, load};
use crate::error::StepError;
use crate::preconditions;
use crate::reconcile::enrolments::{EnrolmentPhase, run_phase};
use crate::reconcile::memberships::{self, manual_edits};
use crate::reconcile::{discrepancies, groups};
use crate::report;
use crate::step_timer::StepTimer;

/// Delay of the continuation after an invocation that ran out of time.
const TIME_PAUSE: Duration = Duration::from_secs(5);
/// Delay of the continuation while Learn365 does not yet show a group it has accepted.
const PLATFORM_PAUSE: Duration = Duration::from_mins(1);

/// The longest delay of a message in SQS.
const LONGEST_DELAY: Duration = Duration::from_mins(15);

/// Executes one run.
///
/// # Errors
/// Returns an error if the message cannot be handled now (a service does not respond) or ever
/// (an unknown tenant): the queue retries and finally moves it to the dead-letter queue.
pub async fn execute_run(
    services: &Services,
    request: RunRequest,
    deadline: Deadline,
) -> Result<(), Failure> {
    match request.job {
        Job::Maintenance | Job::Membership => {}
        Job::Refresh | Job::DirectorySync => {
            let job = request.job;
            return Err(Failure(format!(
                "maintenance-job does not handle {job} runs"
            )));
        }
    }
    let tenant = services.store.tenant(request.tenant).await?;
    let tenant =
        tenant.ok_or_else(|| Failure(format!("the tenant {} has no settings", request.tenant)))?;
    let job = Maintenance { services, tenant };
    lifecycle::run(services, &job, request, deadline).await
}

/// The maintenance of one tenant.
struct Maintenance<'a> {
    services: &'a Services,
    tenant: Tenant,
}

/// The result of an invocation whose report is stored.
struct Reported {
    notices: Vec<NoticeKind>,
    out_of_time: bool,
    /// The pause that Microsoft Graph asks for.
    throttled_for: Option<Duration>,
    unfinished: bool,
}

impl JobRun for Maintenance<'_> {
    const LEASE: &'static str = MAINTENANCE_LEASE;
    // Every step checks the budget, and the clients stop at the deadline.
    const DROPPED_AFTER: Option<Duration> = None;
    const TIMED_OUT: &'static str = "the run did not stop in time";
    type Inputs = SnapshotPointer;
    type Output = Reported;
    type Error = StepError;

    async fn admit(&self, request: &RunRequest) -> Result<Admission<SnapshotPointer>, Failure> {
        Ok(preconditions::check(self.services, &self.tenant, request, Utc::now()).await?)
    }

    async fn execute(
        &self,
        pointer: SnapshotPointer,
        run: &mut Run,
        budget: &RunBudget,
    ) -> Result<Reported, StepError> {
        run.steps.clear();
        let (tenant, slot) = (self.tenant.clone(), run.request.slot.at());
        let mut context = load(self.services, tenant, &pointer, slot, budget.clone()).await?;
        let out_of_time = match run_steps(&mut context, run).await {
            // Time may have run out after the last check, so that the last batch was deferred.
            Ok(()) => context.has_deferred_member_changes(),
            Err(StepError::Interrupted(Interrupted::OutOfTime)) => true,
            Err(error) => return Err(error),
        };
        memberships::finalize_all(&mut context).await?;
        let report = report::collect(&context, out_of_time, run.request.continuation);
        report::store(&context, run, &report).await?;
        if !report.unfinished {
            manual_edits::mark_reported(&mut context);
            memberships::save(&mut context).await?;
        }
        Ok(Reported {
            notices: report::notices(&context, run, &report),
            out_of_time,
            throttled_for: context.throttled_for(),
            unfinished: report.unfinished,
        })
    }

    async fn complete(
        &self,
        run: &mut Run,
        reported: Reported,
    ) -> Result<Completion<StepError>, Failure> {
        let out_of_time = u64::from(reported.out_of_time);
        run.counts.insert("outOfTime".to_owned(), out_of_time);
        for notice in reported.notices {
            self.services.notify(&self.tenant, notice).await?;
        }
        if !reported.unfinished {
            return Ok(Completion::Ended);
        }
        let after = match reported.throttled_for {
            Some(pause) => pause.min(LONGEST_DELAY),
            None if reported.out_of_time => TIME_PAUSE,
            None => PLATFORM_PAUSE,
        };
        Ok(Completion::Continue {
            after,
            // Whether an invocation made progress is not measured; the limit of
            // continuations ends a run that is stuck.
            progressed: true,
        })
    }

    async fn notify_skipped(&self, run: &Run, reason: &str) -> Result<(), Failure> {
        self.notify(run, reason, "Nothing was changed.").await
    }

    async fn notify_crashed(&self, crashed: &Run) -> Result<(), Failure> {
        self.notify(crashed, CRASHED, INTERRUPTED).await
    }

    async fn notify_failed(&self, run: &Run, error: &RunError<StepError>) -> Result<(), Failure> {
        self.notify(run, &error.to_string(), INTERRUPTED).await
    }
}

impl Maintenance<'_> {
    async fn notify(&self, run: &Run, error: &str, consequence: &str) -> Result<(), Failure> {
        let notice = report::failure(run, vec![error.to_owned()], consequence);
        Ok(self.services.notify(&self.tenant, notice).await?)
    }
}

/// The consequence of a run that did not finish.
const INTERRUPTED: &str =
    "Changes made before the error remain; the next run starts again from the current state.";

/// Runs all steps in order (S4-109).
async fn run_steps(context: &mut RunContext<'_>, run: &mut Run) -> Result<(), StepError> {
    let mut timer = StepTimer::start(run);
    discrepancies::handle(context).await?;
    timer.record_step("discrepancies", context).await?;
    let groups = groups::ensure(context).await;
    let groups = record_unless_failed(&mut timer, "groups", context, groups).await?;
    let updated = memberships::update(context, &groups, timer.request()).await;
    let updated = record_unless_failed(&mut timer, "memberships", context, updated).await;
    if !is_failed(&updated) {
        timer.count(context.counted.clone());
    }
    updated?;
    if timer.request().job == Job::Membership {
        return Ok(());
    }
    for (name, phase) in [
        ("assign", EnrolmentPhase::Assign),
        ("unassign", EnrolmentPhase::Unassign),
        ("deletion", EnrolmentPhase::Deletion),
        ("retraction", EnrolmentPhase::Retraction),
    ] {
        let ended = run_phase(context, phase).await;
        record_unless_failed(&mut timer, name, context, ended).await?;
    }
    Ok(())
}

/// Records a step that was completed or interrupted, and returns its result.
async fn record_unless_failed<T>(
    timer: &mut StepTimer<'_>,
    name: &'static str,
    context: &RunContext<'_>,
    ended: Result<T, StepError>,
) -> Result<T, StepError> {
    if !is_failed(&ended) {
        timer.record_step(name, context).await?;
    }
    ended
}

/// Returns true if a step failed, rather than being interrupted.
fn is_failed<T>(ended: &Result<T, StepError>) -> bool {
    !matches!(ended, Ok(_) | Err(StepError::Interrupted(_)))
}
