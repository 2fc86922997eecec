//! The minute's tick: asks for the runs whose time has come, and notes when the next is due.

use chrono::{DateTime, Utc};
use rollcall_app::Services;
use rollcall_app::jobs::request::FanOutError;
use rollcall_domain::base::ids::TenantId;
use rollcall_domain::base::run::Trigger;
use rollcall_domain::base::schedule::Slot;

/// Asks for what is due. However many slots were missed, one run makes up for
/// them: each compares whole state. A slot that is asked for twice is one run.
///
/// # Errors
/// When what is due cannot be listed, or the last of those that could not be asked
/// for or moved on; the others are.
pub(crate) async fn due(services: &Services, now: DateTime<Utc>) -> Result<(), FanOutError> {
    let due = services.store.due_syncs(now).await?;
    let mut ended = Ok(());
    for (tenant, slot) in due {
        if let Err(error) = one(services, tenant, slot, now).await {
            tracing::error!(%tenant, %slot, %error, "a directory sync was not asked for");
            ended = Err(error);
        }
    }
    ended
}

async fn one(
    services: &Services,
    tenant: TenantId,
    slot: Slot,
    now: DateTime<Utc>,
) -> Result<(), FanOutError> {
    // Asked for first: a slot that was moved on and never asked for is lost.
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
