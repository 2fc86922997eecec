//! Soft-deleted groups: delete, list, read, restore and purge within 30 days.

use chrono::Duration;
use serde_json::{Value, json};
use uuid::Uuid;

use super::error::GraphError;
use super::query::{self, Filter, Page};
use super::{Answer, RequestContext, groups, members, object_id};
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
pub(super) fn delete(context: &mut RequestContext<'_>, id: &str) -> Answer {
    context.need(WRITE)?;
    let id = object_id(id)?;
    let group = context
        .tenant
        .group(id)
        .ok_or_else(|| GraphError::missing(id))?;
    members::check_target(context, group, false)?;
    let at = *context
        .tenant
        .index
        .groups
        .get(&id)
        .ok_or_else(|| GraphError::missing(id))?;
    let group = context.tenant.state.world.groups.remove(at);
    context.tenant.state.deleted_groups.push(DeletedGroup {
        group,
        deleted_at: context.now,
    });
    let tenant = &mut *context.tenant;
    tenant.index.rebuild_groups(&tenant.state.world);
    Ok(Reply::empty(204))
}

/// `GET /directory/deletedItems/microsoft.graph.group`.
pub(super) fn list(context: &mut RequestContext<'_>) -> Answer {
    context.need(READ)?;
    expire(context);
    let filter = Filter::of(context)?;
    let rows = context
        .tenant
        .state
        .deleted_groups
        .iter()
        .map(|item| shape(context, item));
    let rows = rows.filter(|row| filter.as_ref().is_none_or(|it| it.accepts(row)));
    let rows: Vec<Value> = rows.map(|row| query::select(context, row, &[])).collect();
    Ok(query::page(
        context,
        Page {
            set: "groups".to_owned(),
            rows,
            next: None,
            count: None,
        },
    ))
}

/// `GET /directory/deletedItems/{id}`.
pub(super) fn get(context: &mut RequestContext<'_>, id: &str) -> Answer {
    context.need(READ)?;
    let at = find(context, id)?;
    let mut row = shape(context, &context.tenant.state.deleted_groups[at]);
    row["@odata.type"] = json!("#microsoft.graph.group");
    Ok(Reply::json(200, query::select(context, row, &[])))
}

/// `POST /directory/deletedItems/{id}/restore`: retains id and members.
pub(super) fn restore(context: &mut RequestContext<'_>, id: &str) -> Answer {
    context.need(WRITE)?;
    let at = find(context, id)?;
    let name = context.tenant.state.deleted_groups[at]
        .group
        .unique_name
        .clone();
    if name.is_some_and(|name| context.tenant.state.group_by_unique_name(&name).is_some()) {
        let text = "Another object with the same value for property uniqueName already exists.";
        return Err(GraphError::bad(text));
    }
    let group = context.tenant.state.deleted_groups.remove(at).group;
    context.tenant.state.world.groups.push(group.clone());
    context.tenant.reindex();
    let mut row = groups::shape(context, &group);
    row["@odata.type"] = json!("#microsoft.graph.group");
    Ok(Reply::json(200, row))
}

/// `DELETE /directory/deletedItems/{id}`: deletes permanently.
pub(super) fn purge(context: &mut RequestContext<'_>, id: &str) -> Answer {
    context.need(WRITE)?;
    let at = find(context, id)?;
    context.tenant.state.deleted_groups.remove(at);
    Ok(Reply::empty(204))
}

fn find(context: &mut RequestContext<'_>, id: &str) -> Result<usize, GraphError> {
    expire(context);
    let id: Uuid = object_id(id)?;
    let mut items = context.tenant.state.deleted_groups.iter();
    items
        .position(|item| item.group.id == id)
        .ok_or_else(|| GraphError::missing(id))
}

/// Removes groups whose retention period has passed.
pub(super) fn expire(context: &mut RequestContext<'_>) {
    let oldest = context.now - Duration::days(KEPT_DAYS);
    context
        .tenant
        .state
        .deleted_groups
        .retain(|item| item.deleted_at >= oldest);
}

fn shape(context: &RequestContext<'_>, item: &DeletedGroup) -> Value {
    let mut row = groups::shape(context, &item.group);
    row["deletedDateTime"] = json!(item.deleted_at);
    row
}
