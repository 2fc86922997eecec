//! One maintenance run of one tenant: its part of the common lifecycle, and its steps in order.

use std::time::Duration;

use rollcall_app::Services;
use rollcall_app::jobs::budget::{Interrupted, RunBudget};
use rollcall_app::jobs::job_run::{Admission, Completion, JobRun, Progress, RunError};
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
use crate::reconcile::memberships::{self, MembershipStep, Pass, manual_edits};
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
    pause: Pause,
    progressed: bool,
    unfinished: bool,
}

/// The reason why an invocation leaves work to a continuation.
enum Pause {
    /// Its time ran out.
    OutOfTime,
    /// Microsoft Graph asks for this pause.
    Graph(Duration),
    /// Learn365 does not respond or asks for this pause.
    Platform(Duration),
    /// Learn365 does not show a group yet.
    Visibility,
}

impl Pause {
    fn of(context: &RunContext<'_>, out_of_time: bool) -> Self {
        match (context.throttled_for(), context.platform.suspended_for()) {
            (Some(graph), platform) => Self::Graph(graph.max(platform.unwrap_or_default())),
            // Membership changes that are left are not delayed by the learning platform.
            (None, Some(platform)) if !context.has_deferred_member_changes() => {
                Self::Platform(platform)
            }
            _ if out_of_time => Self::OutOfTime,
            _ => Self::Visibility,
        }
    }

    /// Returns the delay of the continuation.
    fn delay(&self) -> Duration {
        match self {
            Self::OutOfTime => TIME_PAUSE,
            Self::Graph(pause) | Self::Platform(pause) => (*pause).min(LONGEST_DELAY),
            Self::Visibility => PLATFORM_PAUSE,
        }
    }

    /// Returns the progress of an invocation that did nothing new.
    fn without_progress(&self) -> Progress {
        match self {
            Self::OutOfTime => Progress::None,
            Self::Graph(_) => Progress::Waiting("Microsoft Graph asked for a pause"),
            Self::Platform(_) => Progress::Waiting("Learn365 did not respond"),
            Self::Visibility => Progress::Waiting("Learn365 did not show a group"),
        }
    }
}

impl JobRun for Maintenance<'_> {
    const LEASE: &'static str = MAINTENANCE_LEASE;
    // Every step checks the budget, and the clients stop at the deadline.
    const DROPPED_AFTER: Option<Duration> = None;
    const TIMED_OUT: &'static str = "the run did not stop in time";
    const REFUSES_OLD_SLOTS: bool = true;
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
        let (services, tenant, request) = (self.services, self.tenant.clone(), &run.request);
        let mut context = load(services, tenant, &pointer, request, budget.clone()).await?;
        let out_of_time = match run_steps(&mut context, run).await {
            // Time may have run out after the last check, so that the last batch was deferred.
            Ok(()) => context.has_deferred_member_changes(),
            Err(StepError::Interrupted(Interrupted::OutOfTime)) => true,
            Err(error) => return Err(error),
        };
        memberships::finalize_all(&mut context).await?;
        let report = report::collect(&context, out_of_time);
        let report = report::store(&context, run, report).await?;
        if !report.unfinished {
            manual_edits::mark_reported(&mut context);
            memberships::save(&mut context).await?;
        }
        Ok(Reported {
            notices: report::notices(&context, run, &report),
            pause: Pause::of(&context, out_of_time),
            progressed: context.progressed,
            unfinished: report.unfinished,
        })
    }

    async fn complete(
        &self,
        run: &mut Run,
        reported: Reported,
    ) -> Result<Completion<StepError>, Failure> {
        let out_of_time = matches!(reported.pause, Pause::OutOfTime | Pause::Graph(_));
        let out_of_time = u64::from(reported.unfinished && out_of_time);
        run.counts.insert("outOfTime".to_owned(), out_of_time);
        for notice in reported.notices {
            self.services.notify(&self.tenant, notice).await?;
        }
        if !reported.unfinished {
            return Ok(Completion::Ended);
        }
        Ok(Completion::Continue {
            after: reported.pause.delay(),
            progress: if reported.progressed {
                Progress::Made
            } else {
                reported.pause.without_progress()
            },
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
    let request = timer.request().clone();
    let updated = async {
        let mut step = MembershipStep::begin(context, &groups, &request).await?;
        step.update(context, Pass::First).await?;
        Ok(step)
    };
    let updated = updated.await;
    let updated = record_unless_failed(&mut timer, "memberships", context, updated).await;
    if !is_failed(&updated) {
        timer.count(context.counted.clone());
    }
    let mut memberships = updated?;
    if request.job == Job::Maintenance {
        for (name, phase) in [
            ("assign", EnrolmentPhase::Assign),
            ("unassign", EnrolmentPhase::Unassign),
            ("deletion", EnrolmentPhase::Deletion),
            ("retraction", EnrolmentPhase::Retraction),
        ] {
            let ended = run_phase(context, phase).await;
            record_unless_failed(&mut timer, name, context, ended).await?;
        }
    }
    if request.continuation > 0 {
        let retried = memberships.update(context, Pass::Retry).await;
        record_unless_failed(&mut timer, "retries", context, retried).await?;
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
