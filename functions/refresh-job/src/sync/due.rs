//! The minute's tick: asks for the runs whose time has come, and notes when the next is due.

use chrono::{DateTime, Utc};
use rollcall_domain::run::Trigger;
use rollcall_runtime::Services;
use rollcall_runtime::services::FanOutError;

/// Asks for what is due. However many slots were missed, one run makes up for
/// them: each compares whole state. A slot that is asked for twice is one run.
pub(crate) async fn due(services: &Services, now: DateTime<Utc>) -> Result<(), FanOutError> {
    let due = services.store.due_syncs(now).await?;
    for (tenant, slot) in due {
        // Asked for first: a slot that was moved on and never asked for is lost.
        services.run_sync(tenant, slot, Trigger::Schedule).await?;
        let moved = services.store.change_sync(tenant, &[], |state| {
            let is_this = state.due.is_some_and(|due| due <= slot.at());
            if is_this {
                state.due = state.next_due(now);
            }
            is_this
        });
        moved.await?;
    }
    Ok(())
}
