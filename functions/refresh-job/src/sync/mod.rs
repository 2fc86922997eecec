//! One run of a directory sync: read both sides, compare, apply what may be applied, tell.
//!
//! Whatever is cut off is compared anew by the next run: what was read is kept
//! under one pointer, which says before the first write that it no longer holds.

mod apply;
mod directory;
mod due;
mod finish;
mod platform;
mod sides;
mod trouble;

use std::time::Duration;

use chrono::{DateTime, Utc};
use rollcall_clients::graph::Graph;
use rollcall_clients::store::{Lease, SYNC_LEASE, StoreError};
use rollcall_domain::directory::{
    Approved, Course, Input, Phase, SyncPlan, SyncReport, SyncState, decide, plan,
};
use rollcall_domain::run::{Run, RunRequest, RunStatus, Trigger};
use rollcall_domain::schedule::Job as Which;
use rollcall_runtime::{Deadline, Failure, Services};

pub(crate) use due::due;
use sides::Read;
use trouble::Trouble;

/// One run at work.
struct Job<'a> {
    services: &'a Services,
    lease: &'a Lease,
    request: &'a RunRequest,
    deadline: Deadline,
}

/// What a run came to.
struct Ended {
    report: SyncReport,
    /// What waits, by its hash; as far as something does.
    hash: String,
    /// Whether another invocation has to go on.
    cut: bool,
    /// Why it ended before everything was tried.
    trouble: Option<Trouble>,
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
        return services.put_off(request).await;
    };
    bury(services, &lease, &request).await.map_err(failure)?;
    let mut run = before.unwrap_or_else(|| Run::begin(request.clone(), Utc::now()));
    store.begin_run(&run).await.map_err(failure)?;
    // Counts of earlier invocations stay; which one this is the request says.
    run.request = request.clone();
    run.status = RunStatus::Running;
    let job = Job {
        services,
        lease: &lease,
        request: &request,
        deadline,
    };
    let done = Box::pin(job.whole(&mut run)).await.map_err(failure);
    lease.release().await.map_err(failure)?;
    done
}

/// A run before this one that died without a word is recorded so.
async fn bury(services: &Services, lease: &Lease, request: &RunRequest) -> Result<(), StoreError> {
    let store = &services.store;
    let last = store
        .last_run(request.tenant, Which::DirectorySync, request.slot)
        .await?;
    match last.filter(|run| run.status == RunStatus::Running) {
        Some(dead) => store.bury_run(lease.fence(), &dead).await,
        None => Ok(()),
    }
}

fn failure(error: impl std::fmt::Display) -> Failure {
    Failure(error.to_string())
}

impl Job<'_> {
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
        if let Err(why) = may_begin(&state, self.request) {
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

    /// A sync that is being set up, or that paused by itself, is tested first: it
    /// goes on when everything is as it should be (S2-50, C-25, S3-13).
    async fn before_reading(
        &self,
        state: &SyncState,
    ) -> Result<Result<SyncState, Trouble>, StoreError> {
        let paused = state.pause.is_some() && self.request.trigger == Trigger::Schedule;
        if state.phase == Phase::Active && !paused {
            return Ok(Ok(state.clone()));
        }
        let tenant = self.request.tenant;
        let tested = finish::test(self.services, tenant, state).await;
        let test = match tested {
            Ok(test) => test,
            Err(error) => return Ok(Err(Trouble::of_client(&error))),
        };
        let (of, passed) = (state.fingerprint(), test.ok);
        let now = Utc::now();
        let after = self.services.store.change_sync(tenant, &[], |state| {
            // Somebody has changed it while it was tested: nothing is known of that.
            if state.fingerprint() != of {
                return false;
            }
            finish::note_test(state, &of, passed, now);
            if passed && state.phase == Phase::Inactive {
                state.phase = Phase::Active;
                state.activated = Some(now);
            }
            state.reschedule(now);
            true
        });
        let after = after.await?;
        if after.fingerprint() != of {
            let changed = "the configuration was changed while it was tested; start a run again";
            return Ok(Err(Trouble::new(changed)));
        }
        if passed {
            return Ok(Ok(after));
        }
        let found = test.checks.iter().filter(|check| !finish::is_fine(check));
        let found: Vec<&str> = found.map(|check| check.detail.as_str()).collect();
        let mut trouble = Trouble::new(format!("The test failed: {}", found.join(" ")));
        trouble.needs_person = !test.problems().is_empty();
        // The pause was told when it began, unless it takes a person only now.
        let known = state.pause.as_ref().is_some_and(|pause| pause.needs_person);
        trouble.quiet = paused && (known || !trouble.needs_person);
        Ok(Err(trouble))
    }

    /// Ends the work when the lock is lost or time runs out, so that even then the
    /// record says what happened.
    async fn in_time(&self, state: SyncState) -> Result<Ended, Trouble> {
        let work = Box::pin(self.sync(&state));
        let held = self.lease.while_held(work);
        let end = self.deadline.instant() + GRACE;
        match tokio::time::timeout_at(end.into(), held).await {
            Ok(Ok(done)) => done,
            Ok(Err(error)) => Err(Trouble::of_store(&error)),
            Err(_) => Err(Trouble::new(
                "both sides could not be read within the time a run may take; what was not changed stays as it is",
            )),
        }
    }

    async fn sync(&self, state: &SyncState) -> Result<Ended, Trouble> {
        let tenant = self.request.tenant;
        let clients = self.services.sync_clients(tenant, state).await;
        let (graph, scim) = clients.map_err(|error| Trouble::of_client(&error))?;
        let instant = self.deadline.instant().into();
        let (graph, scim) = (graph.with_deadline(instant), scim.with_deadline(instant));
        let mut read = self.read(state, &graph, &scim).await?;
        let plan = self.compare(state, &graph, &read).await?;
        directory::no_mistake(&graph, &plan).await?;
        let approved = self.approved(state).await?;
        let Course {
            apply,
            waiting,
            held,
        } = decide(&plan, &state.config, approved.as_ref());
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
        Ok(Ended {
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
        graph: &Graph,
        read: &Read,
    ) -> Result<SyncPlan, Trouble> {
        let fitting = match &state.config.filters.graph {
            Some(filter) => Some(
                graph
                    .fitting_people(filter)
                    .await
                    .map_err(Trouble::of_graph)?,
            ),
            None => None,
        };
        let pins = self.services.store.pins(self.request.tenant).await;
        let pins = pins.map_err(|error| Trouble::of_store(&error))?;
        Ok(plan(Input {
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
    async fn approved(&self, state: &SyncState) -> Result<Option<Approved>, Trouble> {
        let Some(pending) = state.pending.as_ref().filter(|it| it.approved.is_some()) else {
            return Ok(None);
        };
        let store = &self.services.store;
        let tenant = self.request.tenant;
        let run = store
            .run_at(tenant, Which::DirectorySync, pending.run)
            .await;
        let run = run.map_err(|error| Trouble::of_store(&error))?;
        let Some(key) = run.and_then(|run| run.report) else {
            return Ok(Some(Approved::default()));
        };
        let bytes = self.services.objects.get(&key).await;
        let bytes = bytes.map_err(|error| Trouble::new(error.to_string()))?;
        let report: SyncReport =
            serde_json::from_slice(&bytes).map_err(|error| Trouble::new(error.to_string()))?;
        Ok(Some(Approved::of(report.waiting)))
    }
}

/// Whether a run may begin as the sync stands now (S2-44, S2-46, S3-42).
fn may_begin(state: &SyncState, request: &RunRequest) -> Result<(), &'static str> {
    let by_hand = matches!(request.trigger, Trigger::Manual { .. });
    match state.phase {
        Phase::Disconnected => Err("the directory sync is disconnected"),
        Phase::Deactivated => Err("the directory sync is deactivated"),
        Phase::Inactive if !by_hand => Err("the directory sync is not active"),
        _ if state.source.is_none() => Err("the directory sync is not connected"),
        Phase::Active if !by_hand && !state.runs_by_itself() => {
            Err("runs by themselves are paused until what went wrong is resolved")
        }
        _ => Ok(()),
    }
}

/// After the deadline so much of the invocation's margin goes to storing what was done.
const GRACE: Duration = Duration::from_secs(8);
/// Work that is cut off leaves so much time for what has to be stored.
const RESERVE: Duration = Duration::from_secs(20);
