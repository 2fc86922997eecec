//! Soft-deleted groups: delete, list, read, restore and purge within 30 days.

use chrono::Duration;
use serde_json::{Value, json};
use uuid::Uuid;

use super::error::GraphError;
use super::query::{self, Filter, Page};
use super::{Answer, Desk, groups, members, object_id};
use crate::call::Reply;
use crate::state::DeletedGroup;

/// The only role that may delete and restore groups.
const WRITE: &[&str] = &["Group.ReadWrite.All"];
const READ: &[&str] = &[
    "Group.Read.All",
    "Group.ReadWrite.All",
    "Directory.Read.All",
    "Directory.ReadWrite.All",
];
/// Number of days in which a deleted group can be restored.
const KEPT_DAYS: i64 = 30;

/// `DELETE /groups/{id}`.
pub(super) fn delete(desk: &mut Desk<'_>, id: &str) -> Answer {
    desk.need(WRITE)?;
    let id = object_id(id)?;
    let group = desk
        .tenant
        .group(id)
        .ok_or_else(|| GraphError::missing(id))?;
    members::check_target(desk, group, false)?;
    let at = *desk
        .tenant
        .index
        .groups
        .get(&id)
        .ok_or_else(|| GraphError::missing(id))?;
    let group = desk.tenant.state.world.groups.remove(at);
    desk.tenant.state.deleted_groups.push(DeletedGroup {
        group,
        deleted_at: desk.now,
    });
    let tenant = &mut *desk.tenant;
    tenant.index.rebuild_groups(&tenant.state.world);
    Ok(Reply::empty(204))
}

/// `GET /directory/deletedItems/microsoft.graph.group`.
pub(super) fn list(desk: &mut Desk<'_>) -> Answer {
    desk.need(READ)?;
    expire(desk);
    let filter = Filter::of(desk)?;
    let rows = desk
        .tenant
        .state
        .deleted_groups
        .iter()
        .map(|item| shape(desk, item));
    let rows = rows.filter(|row| filter.as_ref().is_none_or(|it| it.accepts(row)));
    let rows: Vec<Value> = rows.map(|row| query::select(desk, row, &[])).collect();
    Ok(query::page(
        desk,
        Page {
            set: "groups".to_owned(),
            rows,
            next: None,
            count: None,
        },
    ))
}

/// `GET /directory/deletedItems/{id}`.
pub(super) fn get(desk: &mut Desk<'_>, id: &str) -> Answer {
    desk.need(READ)?;
    let at = find(desk, id)?;
    let mut row = shape(desk, &desk.tenant.state.deleted_groups[at]);
    row["@odata.type"] = json!("#microsoft.graph.group");
    Ok(Reply::json(200, query::select(desk, row, &[])))
}

/// `POST /directory/deletedItems/{id}/restore`: retains id and members.
pub(super) fn restore(desk: &mut Desk<'_>, id: &str) -> Answer {
    desk.need(WRITE)?;
    let at = find(desk, id)?;
    let name = desk.tenant.state.deleted_groups[at]
        .group
        .unique_name
        .clone();
    if name.is_some_and(|name| desk.tenant.state.group_by_unique_name(&name).is_some()) {
        let text = "Another object with the same value for property uniqueName already exists.";
        return Err(GraphError::bad(text));
    }
    let group = desk.tenant.state.deleted_groups.remove(at).group;
    desk.tenant.state.world.groups.push(group.clone());
    desk.tenant.reindex();
    let mut row = groups::shape(desk, &group);
    row["@odata.type"] = json!("#microsoft.graph.group");
    Ok(Reply::json(200, row))
}

/// `DELETE /directory/deletedItems/{id}`: deletes permanently.
pub(super) fn purge(desk: &mut Desk<'_>, id: &str) -> Answer {
    desk.need(WRITE)?;
    let at = find(desk, id)?;
    desk.tenant.state.deleted_groups.remove(at);
    Ok(Reply::empty(204))
}

fn find(desk: &mut Desk<'_>, id: &str) -> Result<usize, GraphError> {
    expire(desk);
    let id: Uuid = object_id(id)?;
    let mut items = desk.tenant.state.deleted_groups.iter();
    items
        .position(|item| item.group.id == id)
        .ok_or_else(|| GraphError::missing(id))
}

/// Removes groups whose retention period has passed.
pub(super) fn expire(desk: &mut Desk<'_>) {
    let oldest = desk.now - Duration::days(KEPT_DAYS);
    desk.tenant
        .state
        .deleted_groups
        .retain(|item| item.deleted_at >= oldest);
}

fn shape(desk: &Desk<'_>, item: &DeletedGroup) -> Value {
    let mut row = groups::shape(desk, &item.group);
    row["deletedDateTime"] = json!(item.deleted_at);
    row
}
