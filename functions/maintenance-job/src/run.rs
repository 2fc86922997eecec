//! One run of one tenant: gate, lock, steps, unlock, and what comes after.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::Utc;
use rollcall_clients::store::tenants::{SnapshotPointer, Tenant};
use rollcall_clients::store::{Lease, MAINTENANCE_LEASE};
use rollcall_domain::run::{MAX_WAITS, Run, RunRequest, RunStatus, StepRecord, WAIT_SECONDS};
use rollcall_domain::schedule::{Job, missed};
use rollcall_runtime::{Deadline, Failure, Services};

use crate::enrolments::{self, Phase};
use crate::gate::{Gate, gate};
use crate::load::{Work, load};
use crate::pace::{Pace, Stop};
use crate::{discrepancies, groups, memberships, report};

/// A run that cannot end within so many invocations has lost its way.
const MAX_CONTINUATIONS: u32 = 1_000;
/// After an invocation that ran out of time the next one follows at once.
const TIME_PAUSE: Duration = Duration::from_secs(5);
/// Learn365 needs a moment to show a group it has accepted.
const PLATFORM_PAUSE: Duration = Duration::from_mins(1);

/// Makes one run.
///
/// # Errors
/// When the message cannot be handled now (a service does not answer) or ever
/// (an unknown tenant): the queue tries again and then sets it aside.
pub async fn work(
    services: &Services,
    request: RunRequest,
    deadline: Deadline,
) -> Result<(), Failure> {
    if request.job == Job::Refresh {
        return Err(Failure("maintenance-job does not refresh".to_owned()));
    }
    let store = &services.store;
    let tenant = store.tenant(request.tenant).await.map_err(failure)?;
    let tenant =
        tenant.ok_or_else(|| Failure(format!("the tenant {} has no settings", request.tenant)))?;
    let before = store.run(&request).await.map_err(failure)?;
    if before.as_ref().is_some_and(Run::is_over) {
        return Ok(());
    }
    let mut run = before.unwrap_or_else(|| Run::begin(request.clone(), Utc::now()));
    let pointer = match gate(services, &tenant, &request, run.started_at)
        .await
        .map_err(failure)?
    {
        Gate::Open(pointer) => pointer,
        Gate::Wait => return wait(services, request).await,
        Gate::Skip(why) => return skip(services, &tenant, run, why, false).await,
        Gate::Alarm(why) => return skip(services, &tenant, run, why, true).await,
    };
    let lease = Lease::acquire(store, tenant.id, MAINTENANCE_LEASE, services.settings.lease)
        .await
        .map_err(failure)?;
    let Some(lease) = lease else {
        return wait(services, request).await;
    };
    // Read again under the lock: another invocation may have ended the run meanwhile.
    if let Some(newest) = store.run(&request).await.map_err(failure)? {
        if newest.is_over() {
            return lease.release().await.map_err(failure);
        }
        run = newest;
    }
    begin(services, &mut run, &request).await?;
    under_lock(
        services,
        tenant,
        pointer,
        run,
        Pace::new(Arc::new(lease), deadline),
    )
    .await
}

/// Records that the run is at work.
async fn begin(services: &Services, run: &mut Run, request: &RunRequest) -> Result<(), Failure> {
    run.status = RunStatus::Running;
    run.steps.clear();
    run.request.continuation = request.continuation;
    let last = services
        .store
        .last_slot(request.tenant, request.job, request.slot)
        .await
        .map_err(failure)?;
    run.missed = missed(request.job.hours(), last, request.slot);
    services.store.begin_run(run).await.map_err(failure)?;
    Ok(())
}

/// Something else has to end first: look again later, but not forever.
async fn wait(services: &Services, mut request: RunRequest) -> Result<(), Failure> {
    request.waits += 1;
    if request.waits > MAX_WAITS {
        // Visible in the record, unless the run has one already.
        let mut run = Run::begin(request, Utc::now());
        run.status = RunStatus::Skipped;
        run.note =
            Some("half an hour of waiting was not enough: another run holds the lock".to_owned());
        run.finished_at = Some(run.started_at);
        services.store.begin_run(&run).await.map_err(failure)?;
        return Ok(());
    }
    services
        .later(&request, Duration::from_secs(WAIT_SECONDS))
        .await
        .map_err(failure)
}

/// Ends a run before it began: no lock, no change (S4-107).
async fn skip(
    services: &Services,
    tenant: &Tenant,
    mut run: Run,
    why: String,
    alarm: bool,
) -> Result<(), Failure> {
    tracing::warn!(tenant = %tenant.id, job = %run.request.job, slot = %run.request.slot, %why, "the run was skipped");
    run.status = RunStatus::Skipped;
    run.note = Some(why.clone());
    if alarm {
        services
            .tell(tenant, report::failure(&run, vec![why]))
            .await
            .map_err(failure)?;
    }
    services
        .store
        .end_run_without_lease(&run)
        .await
        .map_err(failure)
}

/// Works, records, unlocks. Whatever happens, the lock is given back; if even
/// that fails it expires (S4-115, S4-116).
async fn under_lock(
    services: &Services,
    tenant: Tenant,
    pointer: SnapshotPointer,
    mut run: Run,
    pace: Pace,
) -> Result<(), Failure> {
    let ended = match load(
        services,
        tenant.clone(),
        &pointer,
        run.request.slot.at(),
        pace.clone(),
    )
    .await
    {
        Ok(mut work) => whole(&mut work, &mut run).await,
        Err(reason) => Err(reason),
    };
    let recorded = match ended {
        Ok(Stopped::LeaseLost) => {
            return Err(Failure(
                "the lock was lost to another run; this one wrote nothing more".to_owned(),
            ));
        }
        Ok(Stopped::No | Stopped::OutOfTime) => finish(services, &mut run, &pace).await,
        Err(reason) => broken(services, &tenant, &mut run, &pace, reason).await,
    };
    if let Some(lease) = pace.into_lease() {
        lease.release().await.map_err(failure)?;
    } else {
        tracing::warn!("the lease is still in use and is left to expire");
    }
    recorded?;
    if run.status == RunStatus::Continuing {
        return go_on(services, run).await;
    }
    Ok(())
}

/// How the steps ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stopped {
    No,
    OutOfTime,
    LeaseLost,
}

/// All steps in their order (S4-109), then the report and the notices.
async fn whole(work: &mut Work<'_>, run: &mut Run) -> Result<Stopped, String> {
    let stopped = match steps(work, run).await? {
        // The last batch may have been refused for lack of time after the last check.
        Ok(()) if work.left_members_undone() => Stopped::OutOfTime,
        Ok(()) => Stopped::No,
        Err(Stop::OutOfTime) => Stopped::OutOfTime,
        Err(Stop::LeaseLost) => return Ok(Stopped::LeaseLost),
    };
    let report = report::collect(
        work,
        stopped == Stopped::OutOfTime,
        run.request.continuation,
    );
    run.counts.insert(
        "outOfTime".to_owned(),
        u64::from(stopped == Stopped::OutOfTime),
    );
    report::keep(work, run, &report).await?;
    for notice in report::notices(work, run, &report) {
        work.services
            .tell(&work.tenant, notice)
            .await
            .map_err(crate::load::words)?;
    }
    Ok(stopped)
}

async fn steps(work: &mut Work<'_>, run: &mut Run) -> Result<Result<(), Stop>, String> {
    let mut clock = Clock {
        run,
        begun: Instant::now(),
    };
    discrepancies::handle(work)
        .await
        .map_err(crate::load::words)?;
    clock.lap("discrepancies");
    let fresh = groups::ensure(work).await.map_err(crate::load::words)?;
    clock.lap("groups");
    let updated = memberships::update(work, &fresh).await?;
    clock.lap("memberships");
    if updated.is_err() || clock.run.request.job == Job::Membership {
        return Ok(updated);
    }
    for (name, phase) in [
        ("assign", Phase::Assign),
        ("unassign", Phase::Unassign),
        ("deletion", Phase::Deletion),
        ("retraction", Phase::Retraction),
    ] {
        let ended = enrolments::phase(work, phase).await?;
        clock.lap(name);
        if ended.is_err() {
            return Ok(ended);
        }
    }
    Ok(Ok(()))
}

/// Notes how long each step took.
struct Clock<'a> {
    run: &'a mut Run,
    begun: Instant,
}

impl Clock<'_> {
    fn lap(&mut self, name: &str) {
        let ms = u64::try_from(self.begun.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.run.steps.push(StepRecord {
            name: name.to_owned(),
            ms,
            counts: BTreeMap::new(),
        });
        self.begun = Instant::now();
    }
}

async fn finish(services: &Services, run: &mut Run, pace: &Pace) -> Result<(), Failure> {
    if run.status != RunStatus::Continuing {
        run.finished_at = Some(Utc::now());
    }
    services
        .store
        .put_run(pace.lease().fence(), run)
        .await
        .map_err(failure)
}

/// The run as a whole broke: recorded, told, not tried again before the next slot.
async fn broken(
    services: &Services,
    tenant: &Tenant,
    run: &mut Run,
    pace: &Pace,
    reason: String,
) -> Result<(), Failure> {
    tracing::error!(tenant = %tenant.id, job = %run.request.job, slot = %run.request.slot, %reason, "the run failed");
    run.status = RunStatus::Failed;
    run.error = Some(reason.clone());
    run.finished_at = Some(Utc::now());
    services
        .tell(tenant, report::failure(run, vec![reason]))
        .await
        .map_err(failure)?;
    services
        .store
        .put_run(pace.lease().fence(), run)
        .await
        .map_err(failure)
}

/// Queues the continuation, which takes the lock anew and plans again from
/// whole state; administrators get a window to edit in between.
async fn go_on(services: &Services, mut run: Run) -> Result<(), Failure> {
    let waiting = run.counts.get("outOfTime") == Some(&0);
    run.request.continuation += 1;
    run.request.waits = 0;
    if run.request.continuation <= MAX_CONTINUATIONS {
        let pause = if waiting { PLATFORM_PAUSE } else { TIME_PAUSE };
        return services.later(&run.request, pause).await.map_err(failure);
    }
    run.status = RunStatus::Failed;
    run.error = Some(format!(
        "the run has not ended after {MAX_CONTINUATIONS} invocations; the next slot goes on"
    ));
    services
        .store
        .end_run_without_lease(&run)
        .await
        .map_err(failure)
}

fn failure(error: impl std::fmt::Display) -> Failure {
    Failure(error.to_string())
}
