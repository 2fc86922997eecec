//! How a run ends, or is put off: waits, skips, failures, continuations.

use std::time::Duration;

use chrono::Utc;
use rollcall_app::Services;
use rollcall_clients::store::tenants::Tenant;
use rollcall_domain::base::run::{Run, RunStatus};
use rollcall_runtime::Failure;

use crate::budget::RunBudget;
use crate::report;
use crate::run::failure;

/// A run that cannot end within so many invocations has lost its way.
const MAX_CONTINUATIONS: u32 = 1_000;
/// After an invocation that ran out of time the next one follows at once.
const TIME_PAUSE: Duration = Duration::from_secs(5);
/// Learn365 needs a moment to show a group it has accepted.
const PLATFORM_PAUSE: Duration = Duration::from_mins(1);

/// Ends a run before it began: no lock, no change (S4-107).
pub(crate) async fn skip(
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
            .notify(tenant, report::failure(&run, vec![why]))
            .await
            .map_err(failure)?;
    }
    services
        .store
        .end_run_without_lease(&run)
        .await
        .map_err(failure)
}

pub(crate) async fn finish(
    services: &Services,
    run: &mut Run,
    pace: &RunBudget,
) -> Result<(), Failure> {
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
pub(crate) async fn broken(
    services: &Services,
    tenant: &Tenant,
    run: &mut Run,
    pace: &RunBudget,
    reason: String,
) -> Result<(), Failure> {
    tracing::error!(tenant = %tenant.id, job = %run.request.job, slot = %run.request.slot, %reason, "the run failed");
    run.status = RunStatus::Failed;
    run.error = Some(reason.clone());
    run.finished_at = Some(Utc::now());
    services
        .notify(tenant, report::failure(run, vec![reason]))
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
pub(crate) async fn go_on(services: &Services, mut run: Run) -> Result<(), Failure> {
    let waiting = run.counts.get("outOfTime") == Some(&0);
    run.request.continuation += 1;
    run.request.waits = 0;
    if run.request.continuation <= MAX_CONTINUATIONS {
        let pause = if waiting { PLATFORM_PAUSE } else { TIME_PAUSE };
        return services
            .enqueue_after(&run.request, pause)
            .await
            .map_err(failure);
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
