//! The lifecycle of a run, the same for every job: admit, lock, begin, execute, record, continue.

use std::time::Duration;

use chrono::{TimeDelta, Utc};
use rollcall_clients::store::Lease;
use rollcall_domain::base::run::{Run, RunRequest, RunStatus};
use rollcall_domain::base::schedule::missed;
use rollcall_runtime::{Deadline, Failure, describe};

use super::budget::{Interrupted, RunBudget};
use super::job_run::{
    Admission, Completion, JobRun, MAX_CONTINUATIONS, MAX_STALLED, Progress, RunError,
};
use crate::Services;

/// A continuation to queue once the lease is released.
struct Continuation {
    request: RunRequest,
    after: Duration,
}

/// Executes one run of a job for one tenant.
///
/// Whenever the loss of the lease is detected, the consequence is the same: this invocation stops,
/// writes nothing more and notifies no one. Its message is delivered again; by then the run is over
/// or waits for the lease.
///
/// # Errors
/// Returns an error if the message cannot be handled now; it is delivered again.
pub async fn run<J: JobRun>(
    services: &Services,
    job: &J,
    request: RunRequest,
    deadline: Deadline,
) -> Result<(), Failure> {
    let store = &services.store;
    let before = store.run(&request).await?;
    if before.as_ref().is_some_and(Run::is_over) {
        return Ok(());
    }
    let admission = match outdated::<J>(services, &request).await? {
        Some(reason) => Admission::Skip {
            reason,
            alert: false,
        },
        None => job.admit(&request).await?,
    };
    let inputs = match admission {
        Admission::Start(inputs) => inputs,
        Admission::Requeue => return services.requeue(request).await,
        Admission::Skip { reason, alert } => {
            let run = before.unwrap_or_else(|| Run::begin(request, Utc::now()));
            return skip(services, job, run, reason, alert).await;
        }
    };
    let lease = Lease::acquire(store, request.tenant, J::LEASE, services.settings.lease).await?;
    let Some(lease) = lease else {
        return services.requeue(request).await;
    };
    let budget = RunBudget::new(lease, deadline);
    let ended = under_lease(services, job, inputs, &request, &budget).await;
    budget.release().await;
    if let Some(next) = ended? {
        services.enqueue_after(&next.request, next.after).await?;
    }
    Ok(())
}

/// A slot that is older than this is not run any more. A message can be that old if it was moved
/// back from a dead-letter queue, which keeps it for 14 days.
const OLDEST_SLOT: TimeDelta = TimeDelta::hours(24);

/// Number of newest records in which a newer run is looked for. Skipped and failed ones do not count.
const NEWEST: usize = 10;

/// Returns why a run must not execute (any more): a newer run of the same job has begun and does
/// everything that this one would do, from newer data, or the slot is too old.
async fn outdated<J: JobRun>(
    services: &Services,
    request: &RunRequest,
) -> Result<Option<String>, Failure> {
    if !J::REFUSES_OLD_SLOTS {
        return Ok(None);
    }
    let slot = request.slot;
    if Utc::now() - slot.at() > OLDEST_SLOT {
        let hours = OLDEST_SLOT.num_hours();
        return Ok(Some(format!(
            "the slot is more than {hours} hours old; the next slot runs again"
        )));
    }
    let store = &services.store;
    let newest = store
        .run_page(request.tenant, request.job, None, NEWEST)
        .await?;
    let newer = newest.items.iter().find(|run| {
        run.request.slot > slot && !matches!(run.status, RunStatus::Skipped | RunStatus::Failed)
    });
    Ok(newer.map(|run| {
        let newer = run.request.slot;
        format!("the newer run of {newer} has begun and does the same from newer data")
    }))
}

/// Ends a run before it begins, without locks or changes (S4-107), or one that was to continue.
async fn skip<J: JobRun>(
    services: &Services,
    job: &J,
    mut run: Run,
    reason: String,
    alert: bool,
) -> Result<(), Failure> {
    let request = &run.request;
    tracing::warn!(tenant = %request.tenant, job = %request.job, slot = %request.slot, %reason, "the run was skipped");
    run.status = match run.status {
        // Earlier invocations have made changes.
        RunStatus::Continuing => RunStatus::SucceededWithFailures,
        _ => RunStatus::Skipped,
    };
    run.note = Some(reason.clone());
    if alert {
        job.notify_skipped(&run, &reason).await?;
    }
    services.store.end_run_without_lease(&run).await?;
    Ok(())
}

/// Begins, executes and records the run; returns the continuation, if one is needed.
async fn under_lease<J: JobRun>(
    services: &Services,
    job: &J,
    inputs: J::Inputs,
    request: &RunRequest,
    budget: &RunBudget,
) -> Result<Option<Continuation>, Failure> {
    let Some(mut run) = begin(services, job, request, budget).await? else {
        return Ok(None);
    };
    let work = Box::pin(job.execute(inputs, &mut run, budget));
    let ended = match budget.run(work, J::DROPPED_AFTER).await {
        Ok(Err(error)) if J::is_retried(&error) => return Err(error.into()),
        Ok(ended) => ended.map_err(RunError::Job),
        Err(Interrupted::OutOfTime) => Err(RunError::TimedOut(J::TIMED_OUT)),
        Err(lost @ Interrupted::LeaseLost) => return Err(lost.into()),
    };
    // The loss of the lease may have been the cause of an error.
    budget.confirm_lease().await?;
    let completion = match ended {
        Ok(output) => match job.complete(&mut run, output).await? {
            Completion::Failed(error) => Err(RunError::Job(error)),
            Completion::Ended => Ok(None),
            Completion::Continue { after, progress } => continuation(&mut run, after, progress),
        },
        Err(error) => Err(error),
    };
    let next = match completion {
        Ok(next) => next,
        Err(error) => {
            fail(job, &mut run, &error).await?;
            None
        }
    };
    if next.is_some() {
        run.status = RunStatus::Continuing;
    } else {
        run.finished_at = Some(Utc::now());
    }
    services.store.put_run(budget.fence(), &run).await?;
    Ok(next)
}

/// Reads the record again under the lease, ends the record of a previous run that crashed, and
/// records that this run is running. Returns `None` if another invocation has ended or recorded the
/// run since the message arrived.
async fn begin<J: JobRun>(
    services: &Services,
    job: &J,
    request: &RunRequest,
    budget: &RunBudget,
) -> Result<Option<Run>, Failure> {
    let store = &services.store;
    let recorded = store.run(request).await?;
    if recorded.as_ref().is_some_and(Run::is_over) {
        return Ok(None);
    }
    let previous = store
        .last_run(request.tenant, request.job, request.slot)
        .await?;
    let is_crashed = |run: &&Run| run.status == RunStatus::Running;
    if let Some(crashed) = previous.as_ref().filter(is_crashed) {
        let slot = crashed.request.slot;
        tracing::error!(tenant = %request.tenant, job = %request.job, %slot, "a run crashed without recording a result");
        // The notice comes first: after a crash in between it is queued again, and its identity
        // prevents a second delivery.
        job.notify_crashed(crashed).await?;
        store.mark_run_crashed(budget.fence(), crashed).await?;
    }
    let is_new = recorded.is_none();
    let mut run = recorded.unwrap_or_else(|| Run::begin(request.clone(), Utc::now()));
    run.status = RunStatus::Running;
    run.request.continuation = request.continuation;
    let last = previous.map(|run| run.request.slot);
    run.missed = missed(request.job.hours(), last, request.slot);
    if is_new {
        // A run that waited too long is recorded as skipped without the lease.
        return Ok(store.begin_run(&run).await?.then_some(run));
    }
    store.put_run(budget.fence(), &run).await?;
    Ok(Some(run))
}

/// Returns the continuation, which acquires the lease again and plans again from the current data;
/// administrators can save changes in between.
fn continuation<E: std::error::Error>(
    run: &mut Run,
    after: Duration,
    progress: Progress,
) -> Result<Option<Continuation>, RunError<E>> {
    match progress {
        Progress::Made => run.stalled = 0,
        Progress::Waiting(reason) => {
            run.stalled += 1;
            if run.stalled >= MAX_STALLED {
                return Err(RunError::Stalled(reason));
            }
        }
        Progress::None => return Err(RunError::NoProgress),
    }
    let mut request = run.request.clone();
    request.continuation += 1;
    request.waits = 0;
    if request.continuation > MAX_CONTINUATIONS {
        return Err(RunError::TooManyContinuations);
    }
    Ok(Some(Continuation { request, after }))
}

/// Records and notifies that the run as a whole failed; it is not retried before its next slot.
async fn fail<J: JobRun>(
    job: &J,
    run: &mut Run,
    error: &RunError<J::Error>,
) -> Result<(), Failure> {
    let request = &run.request;
    tracing::error!(tenant = %request.tenant, job = %request.job, slot = %request.slot, error = describe(error), "the run failed");
    run.status = RunStatus::Failed;
    // The causes are for operators, and the log contains them.
    run.error = Some(error.to_string());
    job.notify_failed(run, error).await
}
