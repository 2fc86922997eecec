//! The tick of every minute: queues the runs that are due and stores the next due time.

use chrono::{DateTime, Utc};
use rollcall_app::Services;
use rollcall_app::jobs::request::FanOutError;
use rollcall_domain::base::ids::TenantId;
use rollcall_domain::base::run::Trigger;
use rollcall_domain::base::schedule::Slot;

/// Queues every run that is due. One run covers all missed slots, since each compares the
/// whole state. A slot that is queued twice is one run.
///
/// # Errors
/// Returns an error if due runs cannot be listed. A run that cannot be queued does not stop the
/// others; the last of these errors is returned.
pub(crate) async fn queue_due_syncs(
    services: &Services,
    now: DateTime<Utc>,
) -> Result<(), FanOutError> {
    let due = services.store.due_syncs(now).await?;
    let mut ended = Ok(());
    for (tenant, slot) in due {
        if let Err(error) = dispatch_tenant(services, tenant, slot, now).await {
            tracing::error!(%tenant, %slot, %error, "a directory sync could not be queued");
            ended = Err(error);
        }
    }
    ended
}

async fn dispatch_tenant(
    services: &Services,
    tenant: TenantId,
    slot: Slot,
    now: DateTime<Utc>,
) -> Result<(), FanOutError> {
    // The run is queued before the due time is advanced, so that a crash in between does not lose
    // the slot.
    services.run_sync(tenant, slot, Trigger::Schedule).await?;
    let moved = services.store.change_sync(tenant, &[], |state| {
        let is_this = state.due.is_some_and(|due| due <= slot.at());
        if is_this {
            state.due = state.next_due(now);
        }
        is_this
    });
    Ok(moved.await.map(|_| ())?)
}
