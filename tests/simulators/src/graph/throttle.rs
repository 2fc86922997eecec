//! The write quota per application and tenant.

use chrono::{Duration, TimeDelta};

use super::Desk;
use super::error::GraphError;

/// Counts one write; above the quota returns 429 with the rest of the window as `Retry-After`.
pub(super) fn charge(desk: &mut Desk<'_>) -> Result<(), GraphError> {
    let Some(throttle) = desk.tenant.state.world.behaviour.throttle else {
        return Ok(());
    };
    // Mailboxes have separate limits.
    let in_mailbox = matches!(desk.call.path().as_slice(), [_, "me", ..]);
    if !desk.call.is_write() || in_mailbox {
        return Ok(());
    }
    let window = i64::try_from(throttle.window_ms).map_or(TimeDelta::MAX, Duration::milliseconds);
    let (opened, used) = desk
        .tenant
        .quota
        .entry(desk.app.client_id)
        .or_insert((desk.now, 0));
    if desk.now - *opened >= window {
        (*opened, *used) = (desk.now, 0);
    }
    if *used < throttle.writes_per_window {
        *used += 1;
        return Ok(());
    }
    let left = (*opened + window - desk.now).num_milliseconds().max(1);
    let scope = format!(
        "Tenant_Application/Write/{}/{}",
        desk.app.client_id, desk.tenant.state.world.tenant.id
    );
    Err(
        GraphError::new(429, "TooManyRequests", "Too many requests.")
            .header("retry-after", format!("{}.{:03}", left / 1000, left % 1000))
            .header("x-ms-throttle-scope", scope)
            .header("x-ms-throttle-information", "WriteLimitExceeded"),
    )
}
