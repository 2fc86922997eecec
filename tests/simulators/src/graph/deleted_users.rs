//! Soft-deleted users: listed for 30 days.

use chrono::Duration;
use serde_json::json;

use super::query::{self, Page};
use super::{Answer, RequestContext, user_fields};

const READ: &[&str] = &[
    "User.Read.All",
    "User.ReadWrite.All",
    "User.DeleteRestore.All",
    "Directory.Read.All",
    "Directory.ReadWrite.All",
];
/// Number of days in which a deleted user can be restored.
const KEPT_DAYS: i64 = 30;

/// `GET /directory/deletedItems/microsoft.graph.user`.
pub(super) fn list(context: &mut RequestContext<'_>) -> Answer {
    context.need(READ)?;
    expire(context);
    let (top, counted) = (query::top(context)?, query::wants_count(context)?);
    let from = query::position(context)?;
    let start = usize::try_from(from.unwrap_or(0)).unwrap_or(usize::MAX);
    let deleted = &context.tenant.state.deleted_users;
    let shown = deleted.iter().skip(start).take(top);
    let rows = shown.map(|item| {
        let mut row = user_fields::full(&context.tenant.state, &item.person);
        row["deletedDateTime"] = json!(item.deleted_at.format("%Y-%m-%dT%H:%M:%SZ").to_string());
        query::select(context, row, &[])
    });
    let end = start.saturating_add(top);
    let page = Page {
        set: "users".to_owned(),
        rows: rows.collect(),
        next: (end < deleted.len()).then_some(end as u128),
        count: (counted && from.is_none()).then_some(deleted.len()),
    };
    Ok(query::page(context, page))
}

/// Removes users whose retention period has passed.
pub(super) fn expire(context: &mut RequestContext<'_>) {
    let oldest = context.now - Duration::days(KEPT_DAYS);
    let deleted = &mut context.tenant.state.deleted_users;
    deleted.retain(|item| item.deleted_at >= oldest);
}
