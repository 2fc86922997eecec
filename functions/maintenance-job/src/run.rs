//! One run of one tenant: gate, lock, steps, unlock, and what comes after.

use std::sync::Arc;

use chrono::Utc;
use rollcall_app::Services;
use rollcall_clients::store::tenants::{SnapshotPointer, Tenant};
use rollcall_clients::store::{Lease, MAINTENANCE_LEASE, StoreError};
use rollcall_domain::base::run::{Run, RunRequest, RunStatus};
use rollcall_domain::base::schedule::{Job, missed};
use rollcall_runtime::{Deadline, Failure};

use crate::budget::{Interrupted, RunBudget};
use crate::context::{RunContext, load};
use crate::ending::{broken, finish, go_on, skip};
use crate::preconditions::{Admission, gate};
use crate::reconcile::enrolments;
use crate::reconcile::enrolments::EnrolmentPhase;
use crate::reconcile::memberships::manual_edits;
use crate::reconcile::{discrepancies, groups, memberships};
use crate::report;
use crate::step_timer::Clock;

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
    let pointer = match gate(services, &tenant, &request, Utc::now())
        .await
        .map_err(failure)?
    {
        Admission::Open(pointer) => pointer,
        Admission::Wait => return services.requeue(request).await,
        Admission::Skip(why) => return skip(services, &tenant, run, why, false).await,
        Admission::Alarm(why) => return skip(services, &tenant, run, why, true).await,
    };
    let lease = Lease::acquire(store, tenant.id, MAINTENANCE_LEASE, services.settings.lease)
        .await
        .map_err(failure)?;
    let Some(lease) = lease else {
        return services.requeue(request).await;
    };
    // Read again under the lock: another invocation may have ended the run meanwhile.
    if let Some(newest) = store.run(&request).await.map_err(failure)? {
        if newest.is_over() {
            return lease.release().await.map_err(failure);
        }
        run = newest;
    }
    begin(services, &tenant, &lease, &mut run, &request).await?;
    under_lock(
        services,
        tenant,
        pointer,
        run,
        RunBudget::new(Arc::new(lease), deadline),
    )
    .await
}

/// Records that the run is at work, which slots never ran, and that a run before
/// this one died, if it did: its record says so and people are told.
async fn begin(
    services: &Services,
    tenant: &Tenant,
    lease: &Lease,
    run: &mut Run,
    request: &RunRequest,
) -> Result<(), Failure> {
    run.status = RunStatus::Running;
    run.steps.clear();
    run.request.continuation = request.continuation;
    let store = &services.store;
    let last = store
        .last_run(request.tenant, request.job, request.slot)
        .await
        .map_err(failure)?;
    if let Some(dead) = last.as_ref().filter(|run| run.status == RunStatus::Running) {
        let told = report::failure(
            dead,
            vec!["the run ended without a word; this one does what it left".to_owned()],
        );
        services.notify(tenant, told).await.map_err(failure)?;
        store
            .mark_run_crashed(lease.fence(), dead)
            .await
            .map_err(failure)?;
    }
    run.missed = missed(
        request.job.hours(),
        last.map(|run| run.request.slot),
        request.slot,
    );
    store.begin_run(run).await.map_err(failure)?;
    Ok(())
}

/// Works, records, unlocks. Whatever happens, the lock is given back; if even
/// that fails it expires (S4-115, S4-116).
async fn under_lock(
    services: &Services,
    tenant: Tenant,
    pointer: SnapshotPointer,
    mut run: Run,
    pace: RunBudget,
) -> Result<(), Failure> {
    let lease = pace.lease();
    let ended = lease
        .while_held(Box::pin(all(
            services,
            &tenant,
            &pointer,
            &mut run,
            pace.clone(),
        )))
        .await;
    let ended = match ended {
        Ok(ended) => ended,
        Err(StoreError::LeaseLost) => Ok(Stopped::LeaseLost),
        Err(error) => Err(error.to_string()),
    };
    let recorded = match ended {
        // A failure may be how the loss of the lock was noticed first.
        Ok(Stopped::LeaseLost) | Err(_) if !lease.renew().await.unwrap_or(false) => {
            return Err(Failure(
                "the lock was lost to another run; this one wrote nothing more".to_owned(),
            ));
        }
        Ok(_) => finish(services, &mut run, &pace).await,
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

/// Loads everything and makes all steps.
async fn all(
    services: &Services,
    tenant: &Tenant,
    pointer: &SnapshotPointer,
    run: &mut Run,
    pace: RunBudget,
) -> Result<Stopped, String> {
    let mut work = load(
        services,
        tenant.clone(),
        pointer,
        run.request.slot.at(),
        pace,
    )
    .await?;
    whole(&mut work, run).await
}

/// How the steps ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stopped {
    No,
    OutOfTime,
    LeaseLost,
}

/// All steps in their order (S4-109), then the report and the notices.
async fn whole(work: &mut RunContext<'_>, run: &mut Run) -> Result<Stopped, String> {
    let stopped = match steps(work, run).await? {
        // The last batch may have been refused for lack of time after the last check.
        Ok(()) if work.has_deferred_member_changes() => Stopped::OutOfTime,
        Ok(()) => Stopped::No,
        Err(Interrupted::OutOfTime) => Stopped::OutOfTime,
        Err(Interrupted::LeaseLost) => return Ok(Stopped::LeaseLost),
    };
    memberships::finalize_all(work)
        .await
        .map_err(crate::context::words)?;
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
    if !report.unfinished {
        manual_edits::mark_notified(work);
        memberships::save(work)
            .await
            .map_err(crate::context::words)?;
    }
    for notice in report::notices(work, run, &report) {
        work.services
            .notify(&work.tenant, notice)
            .await
            .map_err(crate::context::words)?;
    }
    Ok(stopped)
}

async fn steps(
    work: &mut RunContext<'_>,
    run: &mut Run,
) -> Result<Result<(), Interrupted>, String> {
    let mut clock = Clock::start(run);
    discrepancies::handle(work)
        .await
        .map_err(crate::context::words)?;
    clock.record_step("discrepancies", work).await?;
    let groups = groups::ensure(work).await.map_err(crate::context::words)?;
    clock.record_step("groups", work).await?;
    let groups = match groups {
        Ok(groups) => groups,
        Err(stop) => return Ok(Err(stop)),
    };
    let updated = memberships::update(work, &groups, clock.request()).await?;
    clock.record_step("memberships", work).await?;
    clock.count(work.counted.clone());
    if updated.is_err() || clock.request().job == Job::Membership {
        return Ok(updated);
    }
    for (name, phase) in [
        ("assign", EnrolmentPhase::Assign),
        ("unassign", EnrolmentPhase::Unassign),
        ("deletion", EnrolmentPhase::Deletion),
        ("retraction", EnrolmentPhase::Retraction),
    ] {
        let ended = enrolments::phase(work, phase).await?;
        clock.record_step(name, work).await?;
        if ended.is_err() {
            return Ok(ended);
        }
    }
    Ok(Ok(()))
}

pub(crate) fn failure(error: impl std::fmt::Display) -> Failure {
    Failure(error.to_string())
}
