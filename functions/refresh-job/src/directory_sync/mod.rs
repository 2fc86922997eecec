//! One run of a directory sync: read both sides, compare, apply what may be applied, tell.
//!
//! Whatever is cut off is compared anew by the next run: what was read is kept
//! under one pointer, which says before the first write that it no longer holds.

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
use rollcall_clients::graph::GraphReader;
use rollcall_clients::store::{Lease, SYNC_LEASE};
use rollcall_domain::base::run::{Run, RunRequest, RunStatus};
use rollcall_domain::base::schedule::Job as Which;
use rollcall_domain::directory_sync::{
    Approved, Decision, PlanInput, SyncPlan, SyncReport, SyncState, decide, plan,
};
use rollcall_runtime::{Deadline, Failure};

pub(crate) use dispatch::due;
use failure::SyncFailure;
use inputs::SyncInputs;
use preflight::{bury, check_preconditions};

/// One run at work.
struct SyncRun<'a> {
    services: &'a Services,
    lease: &'a Lease,
    request: &'a RunRequest,
    deadline: Deadline,
}

/// What a run came to.
struct SyncOutcome {
    report: SyncReport,
    /// What waits, by its hash; as far as something does.
    hash: String,
    /// Whether another invocation has to go on.
    cut: bool,
    /// Why it ended before everything was tried.
    trouble: Option<SyncFailure>,
    read_in_full: DateTime<Utc>,
    counts: Vec<(&'static str, u64)>,
}

/// Makes one run.
///
/// # Errors
/// When the message cannot be handled now or ever; the queue tries again.
pub(crate) async fn work(
    services: &Services,
    request: RunRequest,
    deadline: Deadline,
) -> Result<(), Failure> {
    let store = &services.store;
    let tenant = request.tenant;
    let before = store.run(&request).await.map_err(failure)?;
    if before.as_ref().is_some_and(Run::is_over) {
        return Ok(());
    }
    let lease = Lease::acquire(store, tenant, SYNC_LEASE, services.settings.lease).await;
    let Some(lease) = lease.map_err(failure)? else {
        return services.requeue(request).await;
    };
    bury(services, &lease, &request).await.map_err(failure)?;
    let mut run = before.unwrap_or_else(|| Run::begin(request.clone(), Utc::now()));
    store.begin_run(&run).await.map_err(failure)?;
    // Counts of earlier invocations stay; which one this is the request says.
    run.request = request.clone();
    run.status = RunStatus::Running;
    let job = SyncRun {
        services,
        lease: &lease,
        request: &request,
        deadline,
    };
    let done = Box::pin(job.whole(&mut run)).await.map_err(failure);
    lease.release().await.map_err(failure)?;
    done
}

fn failure(error: impl std::fmt::Display) -> Failure {
    Failure(error.to_string())
}

impl SyncRun<'_> {
    async fn whole(&self, run: &mut Run) -> Result<(), finish::FinishError> {
        let stored = self.services.store.sync(self.request.tenant).await?;
        let Some(state) = stored.map(|stored| stored.value) else {
            return self
                .skip(run, "the directory sync was never configured")
                .await;
        };
        if !self.services.has_sync(self.request.tenant).await? {
            let why = "the tenant's plan does not include the directory sync";
            return self.skip(run, why).await;
        }
        if let Err(why) = check_preconditions(&state, self.request) {
            // What earlier invocations of the run did stays told.
            return match self.request.continuation {
                0 => self.skip(run, why).await,
                _ => self.stop(run, why).await,
            };
        }
        let ended = match self.before_reading(&state).await? {
            Ok(state) => self.in_time(state).await,
            Err(trouble) => Err(trouble),
        };
        match ended {
            Ok(mut ended) => match ended.trouble.take() {
                None => self.succeeded(run, ended).await,
                Some(trouble) => {
                    self.account(run, &ended).await?;
                    self.failed(run, trouble).await
                }
            },
            Err(trouble) => self.failed(run, trouble).await,
        }
    }

    /// Ends the work when the lock is lost or time runs out, so that even then the
    /// record says what happened.
    async fn in_time(&self, state: SyncState) -> Result<SyncOutcome, SyncFailure> {
        let work = Box::pin(self.sync(&state));
        let held = self.lease.while_held(work);
        let end = self.deadline.instant() + GRACE;
        match tokio::time::timeout_at(end.into(), held).await {
            Ok(Ok(done)) => done,
            Ok(Err(error)) => Err(SyncFailure::of_store(&error)),
            Err(_) => Err(SyncFailure::new(
                "both sides could not be read within the time a run may take; what was not changed stays as it is",
            )),
        }
    }

    async fn sync(&self, state: &SyncState) -> Result<SyncOutcome, SyncFailure> {
        let tenant = self.request.tenant;
        let clients = self.services.sync_clients(tenant, state).await;
        let (graph, scim) = clients.map_err(|error| SyncFailure::of_client(&error))?;
        let instant = self.deadline.instant().into();
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
                "{missed} of the approved changes were not made: since then they are no longer needed, or no longer the same. What is needed now waits again."
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
        let (cut, trouble) = self
            .apply(state, &scim, &mut read, changes, &mut report)
            .await?;
        let waiting = SyncPlan {
            changes: report.waiting.clone(),
            ..SyncPlan::default()
        };
        let hash = waiting.hash();
        let read_in_full = read.pointer.read_in_full;
        self.keep(read).await?;
        let counts = vec![
            ("directoryRequests", graph.stats().http_requests),
            ("platformRequests", scim.requests()),
        ];
        Ok(SyncOutcome {
            report,
            hash,
            cut,
            trouble,
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
        let fitting = match &state.config.filters.graph {
            Some(filter) => Some(
                graph
                    .fitting_people(filter)
                    .await
                    .map_err(SyncFailure::of_graph)?,
            ),
            None => None,
        };
        let pins = self.services.store.pins(self.request.tenant).await;
        let pins = pins.map_err(|error| SyncFailure::of_store(&error))?;
        Ok(plan(PlanInput {
            config: &state.config,
            directory: &read.stored.directory,
            fitting: fitting.as_ref(),
            platform: &read.stored.platform,
            features: read.described.features,
            pins: &pins,
            before: read.before.as_ref(),
        }))
    }

    /// What somebody approved, less what was rejected since.
    async fn approved(&self, state: &SyncState) -> Result<Option<Approved>, SyncFailure> {
        let Some(pending) = state.pending.as_ref().filter(|it| it.approved.is_some()) else {
            return Ok(None);
        };
        let store = &self.services.store;
        let tenant = self.request.tenant;
        let run = store
            .enqueue_run_at(tenant, Which::DirectorySync, pending.run)
            .await;
        let run = run.map_err(|error| SyncFailure::of_store(&error))?;
        let Some(key) = run.and_then(|run| run.report) else {
            return Ok(Some(Approved::default()));
        };
        let bytes = self.services.objects.get(&key).await;
        let bytes = bytes.map_err(|error| SyncFailure::new(error.to_string()))?;
        let report: SyncReport =
            serde_json::from_slice(&bytes).map_err(|error| SyncFailure::new(error.to_string()))?;
        Ok(Some(Approved::of(report.waiting)))
    }
}

/// After the deadline so much of the invocation's margin goes to storing what was done.
const GRACE: Duration = Duration::from_secs(8);
/// Work that is cut off leaves so much time for what has to be stored.
const RESERVE: Duration = Duration::from_secs(20);
