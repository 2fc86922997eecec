//! Soft-deleted users: listed for 30 days.

use chrono::Duration;
use serde_json::json;

use super::query::{self, Page};
use super::{Answer, Desk, user_fields};

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
pub(super) fn list(desk: &mut Desk<'_>) -> Answer {
    desk.need(READ)?;
    expire(desk);
    let (top, counted) = (query::top(desk)?, query::wants_count(desk)?);
    let from = query::position(desk)?;
    let start = usize::try_from(from.unwrap_or(0)).unwrap_or(usize::MAX);
    let deleted = &desk.tenant.state.deleted_users;
    let shown = deleted.iter().skip(start).take(top);
    let rows = shown.map(|item| {
        let mut row = user_fields::full(&desk.tenant.state, &item.person);
        row["deletedDateTime"] = json!(item.deleted_at.format("%Y-%m-%dT%H:%M:%SZ").to_string());
        query::select(desk, row, &[])
    });
    let end = start.saturating_add(top);
    let page = Page {
        set: "users".to_owned(),
        rows: rows.collect(),
        next: (end < deleted.len()).then_some(end as u128),
        count: (counted && from.is_none()).then_some(deleted.len()),
    };
    Ok(query::page(desk, page))
}

/// Removes users whose retention period has passed.
pub(super) fn expire(desk: &mut Desk<'_>) {
    let oldest = desk.now - Duration::days(KEPT_DAYS);
    let deleted = &mut desk.tenant.state.deleted_users;
    deleted.retain(|item| item.deleted_at >= oldest);
}
