//! One run of a directory sync: read both sides, compare, apply the permitted changes, notify.
//!
//! After an interruption the next run compares both sides again: the checkpoint is stored under
//! one pointer, which is marked as outdated before the first write.

mod apply;
mod dispatch;
mod failure;
mod finish;
mod inputs;
mod notify;
mod preflight;
mod progress;
mod source;
mod target;

use std::time::Duration;

use chrono::{DateTime, Utc};
use rollcall_app::Services;
use rollcall_app::jobs::budget::RunBudget;
use rollcall_app::jobs::job_run::{Admission, Completion, JobRun, RunError};
use rollcall_app::jobs::lifecycle;
use rollcall_clients::graph::GraphReader;
use rollcall_clients::store::SYNC_LEASE;
use rollcall_domain::base::ids::TenantId;
use rollcall_domain::base::run::{CRASHED, Run, RunRequest, RunStatus};
use rollcall_domain::base::schedule::Job;
use rollcall_domain::directory_sync::{
    Approved, Decision, PlanInput, SyncPlan, SyncReport, SyncState, decide, plan,
};
use rollcall_runtime::{Deadline, Failure};

pub(crate) use dispatch::queue_due_syncs;
use failure::SyncFailure;
use inputs::SyncInputs;
use preflight::check_preconditions;

/// Time after the deadline for storing the outcome, as a part of the invocation's margin.
const GRACE: Duration = Duration::from_secs(8);
/// Time before the deadline at which no further write begins, so that the outcome is stored.
const RESERVE: Duration = Duration::from_secs(20);

/// Executes one run.
///
/// # Errors
/// Returns an error if the message cannot be handled now or ever; the queue retries.
pub(crate) async fn execute_run(
    services: &Services,
    request: RunRequest,
    deadline: Deadline,
) -> Result<(), Failure> {
    let tenant = request.tenant;
    let job = DirectorySync { services, tenant };
    lifecycle::run(services, &job, request, deadline).await
}

/// The directory sync of one tenant.
struct DirectorySync<'a> {
    services: &'a Services,
    tenant: TenantId,
}

/// The context of one run.
struct SyncRun<'a> {
    services: &'a Services,
    budget: &'a RunBudget,
    request: &'a RunRequest,
}

/// The result of an invocation.
enum SyncEnd {
    /// Nothing was read or changed; contains the reason.
    Skipped(&'static str),
    /// A continuation detected that the sync must not run any more; contains the reason.
    Stopped(&'static str),
    /// Both sides were compared.
    Compared(Box<SyncOutcome>),
}

/// The outcome of a comparison and its writes.
struct SyncOutcome {
    report: SyncReport,
    /// The hash of the changes that wait for a decision.
    hash: String,
    /// True if time ran out before every change was tried.
    cut: bool,
    /// The error that stopped the changes before every one was tried.
    failure: Option<SyncFailure>,
    read_in_full: DateTime<Utc>,
    counts: Vec<(&'static str, u64)>,
}

impl JobRun for DirectorySync<'_> {
    const LEASE: &'static str = SYNC_LEASE;
    const DROPPED_AFTER: Option<Duration> = Some(GRACE);
    const TIMED_OUT: &'static str = "the directory and the learning platform could not be read within the time limit of a run; the remaining changes were not made";
    const REFUSES_OLD_SLOTS: bool = false;
    type Inputs = ();
    type Output = SyncEnd;
    type Error = SyncFailure;

    fn is_retried(error: &SyncFailure) -> bool {
        matches!(error, SyncFailure::NotBegun(_))
    }

    /// Always admits the run: its preconditions are checked under the lease, because a run
    /// changes them.
    async fn admit(&self, _request: &RunRequest) -> Result<Admission<()>, Failure> {
        Ok(Admission::Start(()))
    }

    async fn execute(
        &self,
        (): (),
        run: &mut Run,
        budget: &RunBudget,
    ) -> Result<SyncEnd, SyncFailure> {
        let services = self.services;
        let stored = services.store.sync(self.tenant).await;
        let Some(stored) = stored.map_err(SyncFailure::NotBegun)? else {
            return Ok(SyncEnd::Skipped("the directory sync was never configured"));
        };
        let entitled = services.has_sync(self.tenant).await;
        if !entitled.map_err(SyncFailure::NotBegun)? {
            let reason = "the tenant's plan does not include the directory sync";
            return Ok(SyncEnd::Skipped(reason));
        }
        let state = stored.value;
        if let Err(reason) = check_preconditions(&state, &run.request) {
            // The outcome of earlier invocations remains in the record.
            return Ok(match run.request.continuation {
                0 => SyncEnd::Skipped(reason),
                _ => SyncEnd::Stopped(reason),
            });
        }
        let sync = SyncRun {
            services,
            budget,
            request: &run.request,
        };
        let state = sync.test_if_needed(state).await?;
        let outcome = Box::pin(sync.sync(&state)).await?;
        Ok(SyncEnd::Compared(Box::new(outcome)))
    }

    async fn complete(
        &self,
        run: &mut Run,
        end: SyncEnd,
    ) -> Result<Completion<SyncFailure>, Failure> {
        match end {
            SyncEnd::Skipped(reason) => {
                run.status = RunStatus::Skipped;
                run.note = Some(reason.to_owned());
                Ok(Completion::Ended)
            }
            SyncEnd::Stopped(reason) => {
                run.status = RunStatus::Succeeded;
                run.note = Some(format!("Stopped before all changes were made: {reason}."));
                Ok(Completion::Ended)
            }
            SyncEnd::Compared(outcome) => self.finish(run, *outcome).await,
        }
    }

    /// Sends no notice: the record shows the skipped run, which no administrator waits for.
    async fn notify_skipped(&self, _run: &Run, _reason: &str) -> Result<(), Failure> {
        Ok(())
    }

    /// Notifies without pausing, because the run that detects the crash makes the missing changes
    /// (S2-47, S2-48).
    async fn notify_crashed(&self, crashed: &Run) -> Result<(), Failure> {
        let notice = finish::failure_notice(self.services, crashed, CRASHED.to_owned(), false);
        Ok(self.services.notify_owners(self.tenant, notice).await?)
    }

    async fn notify_failed(&self, run: &Run, error: &RunError<SyncFailure>) -> Result<(), Failure> {
        self.pause_and_notify(run, error).await
    }
}

impl SyncRun<'_> {
    async fn sync(&self, state: &SyncState) -> Result<SyncOutcome, SyncFailure> {
        let tenant = self.request.tenant;
        let (graph, scim) = self.services.sync_clients(tenant, state).await?;
        let instant = self.budget.deadline().instant().into();
        let (graph, scim) = (graph.with_deadline(instant), scim.with_deadline(instant));
        let mut read = self.read(state, &graph, &scim).await?;
        let plan = self.compare(state, &graph, &read).await?;
        source::verify_missing_users(&graph, &plan).await?;
        let approved = self.approved(state).await?;
        let Decision {
            apply,
            waiting,
            held,
        } = decide(&plan, &state.config, approved.as_ref());
        let missed = approved.map_or(0, |approved| approved.missed(&plan));
        if missed > 0 && self.request.continuation == 0 {
            read.notes.push(format!(
                "{missed} of the approved changes were not made, because they are no longer needed or have changed since. Changes that are needed now wait for approval again."
            ));
        }
        let mut report = SyncReport {
            waiting,
            held,
            skipped: plan.skipped,
            pinned: plan.pinned,
            notes: std::mem::take(&mut read.notes),
            ..SyncReport::default()
        };
        let changes = apply.changes();
        let (cut, failure) = self
            .apply(state, &scim, &mut read, changes, &mut report)
            .await?;
        let waiting = SyncPlan {
            changes: report.waiting.clone(),
            ..SyncPlan::default()
        };
        let hash = waiting.hash();
        let read_in_full = read.pointer.read_in_full;
        self.store_checkpoint(read).await?;
        let counts = vec![
            ("directoryRequests", graph.stats().http_requests),
            ("platformRequests", scim.requests()),
        ];
        Ok(SyncOutcome {
            report,
            hash,
            cut,
            failure,
            read_in_full,
            counts,
        })
    }

    async fn compare(
        &self,
        state: &SyncState,
        graph: &GraphReader,
        read: &SyncInputs,
    ) -> Result<SyncPlan, SyncFailure> {
        let matches_graph_filter = match &state.config.filters.graph {
            Some(filter) => Some(graph.fitting_people(filter).await?),
            None => None,
        };
        let pins = self.services.store.pins(self.request.tenant).await?;
        Ok(plan(PlanInput {
            config: &state.config,
            directory: &read.checkpoint.directory,
            matches_graph_filter: matches_graph_filter.as_ref(),
            platform: &read.checkpoint.platform,
            features: read.service.features,
            pins: &pins,
            before: read.before.as_ref(),
        }))
    }

    /// Returns the changes of the approved comparison, or `None` without an approval. They include
    /// rejected changes; these are pinned, so the plan does not contain them.
    async fn approved(&self, state: &SyncState) -> Result<Option<Approved>, SyncFailure> {
        let Some(pending) = state.pending.as_ref().filter(|it| it.approved.is_some()) else {
            return Ok(None);
        };
        let store = &self.services.store;
        let tenant = self.request.tenant;
        let run = store
            .run_at(tenant, Job::DirectorySync, pending.run)
            .await?;
        let Some(key) = run.and_then(|run| run.report) else {
            return Ok(Some(Approved::default()));
        };
        let bytes = self.services.objects.get(&key).await?;
        let report: SyncReport = serde_json::from_slice(&bytes)?;
        Ok(Some(Approved::of(report.waiting)))
    }
}
