//! The write quota per application and tenant.

use chrono::{Duration, TimeDelta};

use super::RequestContext;
use super::error::GraphError;

/// Counts one write; above the quota returns 429 with the rest of the window as `Retry-After`.
pub(super) fn charge(context: &mut RequestContext<'_>) -> Result<(), GraphError> {
    let Some(throttle) = context.tenant.state.world.behaviour.throttle else {
        return Ok(());
    };
    // Mailboxes have separate limits.
    let in_mailbox = matches!(context.call.path().as_slice(), [_, "me", ..]);
    if !context.call.is_write() || in_mailbox {
        return Ok(());
    }
    let adds_members =
        context.call.method == "PATCH" && context.call.body.contains("members@odata.bind");
    let cost = if adds_members {
        throttle.member_patch_cost.max(1)
    } else {
        1
    };
    let window = i64::try_from(throttle.window_ms).map_or(TimeDelta::MAX, Duration::milliseconds);
    let (opened, used) = context
        .tenant
        .quota
        .entry(context.app.client_id)
        .or_insert((context.now, 0));
    if context.now - *opened >= window {
        (*opened, *used) = (context.now, 0);
    }
    if *used < throttle.writes_per_window {
        *used += cost;
        return Ok(());
    }
    *opened += i64::try_from(throttle.penalty_ms).map_or(TimeDelta::zero(), Duration::milliseconds);
    let left = (*opened + window - context.now).num_milliseconds().max(1);
    let scope = format!(
        "Tenant_Application/Write/{}/{}",
        context.app.client_id, context.tenant.state.world.tenant.id
    );
    Err(
        GraphError::new(429, "TooManyRequests", "Too many requests.")
            .header("retry-after", format!("{}.{:03}", left / 1000, left % 1000))
            .header("x-ms-throttle-scope", scope)
            .header("x-ms-throttle-information", "WriteLimitExceeded"),
    )
}
