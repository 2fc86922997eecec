//! Scheduled ticks: the regular refresh, the sweep for tenants that wait for their first
//! refresh, the upkeep of connections and the directory sync.

use chrono::TimeDelta;
use rollcall_app::Services;
use rollcall_app::jobs::request::FanOutError;
use rollcall_clients::store::StoreError;
use rollcall_domain::base::ids::TenantId;
use rollcall_domain::base::run::{RunRequest, Trigger};
use rollcall_domain::base::schedule::{Job, Slot};
use rollcall_runtime::Deadline;
use rollcall_runtime::events::Tick;

use crate::connection_upkeep::run_upkeep;

/// Minutes after which a failed first refresh is retried.
const RETRY_MINUTES: i64 = 15;

/// Handles a tick.
///
/// # Errors
/// Returns an error if tenants could not be listed or runs not queued; the scheduler retries.
pub async fn tick(
    services: &Services,
    due: &Tick,
    deadline: Deadline,
) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    let slot = Slot::of_tick(due.time);
    match due.tick.as_str() {
        "refresh" => services.fan_out(Job::Refresh, slot).await.map(|_| ())?,
        "onboarding" => sweep(services, slot).await?,
        "connections" => Box::pin(run_upkeep(services, deadline)).await?,
        "sync" => crate::directory_sync::queue_due_syncs(services, due.time).await?,
        other => return Err(format!("refresh-job does not handle the tick {other:?}").into()),
    }
    Ok(())
}

/// Queues first refreshes that are due. Saving the settings queues one as well; the sweep
/// covers a lost message and retries after a failure (S4-103, S4-105).
async fn sweep(services: &Services, slot: Slot) -> Result<(), FanOutError> {
    let mut requests = Vec::new();
    for tenant in services.store.onboarding_tenants().await? {
        if is_due(services, tenant, slot).await? {
            requests.push(RunRequest {
                job: Job::Refresh,
                tenant,
                slot,
                trigger: Trigger::FirstSave,
                continuation: 0,
                waits: 0,
            });
        }
    }
    services.refresh_queue.send_all(&requests).await?;
    Ok(())
}

async fn is_due(services: &Services, tenant: TenantId, slot: Slot) -> Result<bool, StoreError> {
    let last = services.store.last_run(tenant, Job::Refresh, slot).await?;
    let last = last.map(|run| run.request.slot);
    Ok(last.is_none_or(|last| slot.at() - last.at() >= TimeDelta::minutes(RETRY_MINUTES)))
}
