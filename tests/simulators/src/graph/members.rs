//! Group members: list, count and add, with Graph's all-or-nothing semantics.

use std::collections::HashSet;
use std::ops::Bound;

use chrono::Duration;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::error::GraphError;
use super::query::{self, Page};
use super::{Answer, Desk, groups, object_id, users};
use crate::call::Reply;
use crate::world::EntraGroup;

/// Maximum links added by one request.
pub(super) const MAX_LINKS: usize = 20;
/// Roles that may change members.
pub(super) const WRITE: &[&str] = &[
    "GroupMember.ReadWrite.All",
    "Group.ReadWrite.All",
    "Directory.ReadWrite.All",
];
const READ: &[&str] = &[
    "GroupMember.ReadBasic.All",
    "GroupMember.Read.All",
    "GroupMember.ReadWrite.All",
    "Group.Read.All",
    "Group.ReadWrite.All",
    "Directory.Read.All",
    "Directory.ReadWrite.All",
];

/// `GET /groups/{id}/members`, all types or users only; pages are ordered by object id.
pub(super) fn list(desk: &mut Desk<'_>, id: &str, users_only: bool) -> Answer {
    desk.need(READ)?;
    let (top, counted) = (query::top(desk)?, query::wants_count(desk)?);
    let from = query::position(desk)?;
    let group = desk
        .tenant
        .group(object_id(id)?)
        .ok_or_else(|| GraphError::missing(id))?;
    let start = from.map_or(Bound::Unbounded, |last| {
        Bound::Excluded(Uuid::from_u128(last))
    });
    let wanted = |member: &&Uuid| !users_only || desk.tenant.person(**member).is_some();
    let range = group
        .members
        .range((start, Bound::Unbounded))
        .filter(wanted);
    let ids: Vec<Uuid> = range.take(top + 1).copied().collect();
    let shown = &ids[..ids.len().min(top)];
    let count = group.members.iter().filter(wanted).count();
    Ok(query::page(
        desk,
        Page {
            set: "directoryObjects".to_owned(),
            rows: shown
                .iter()
                .map(|member| row(desk, *member, users_only))
                .collect(),
            next: shown.last().filter(|_| ids.len() > top).map(Uuid::as_u128),
            count: (counted && from.is_none()).then_some(count),
        },
    ))
}

/// `GET /groups/{id}/members/$count`.
pub(super) fn count(desk: &mut Desk<'_>, id: &str, users_only: bool) -> Answer {
    desk.need(READ)?;
    query::need_eventual(desk)?;
    let group = desk
        .tenant
        .group(object_id(id)?)
        .ok_or_else(|| GraphError::missing(id))?;
    let members = group.members.iter();
    let count = members.filter(|member| !users_only || desk.tenant.person(**member).is_some());
    Ok(Reply::text(count.count().to_string()))
}

/// Returns a member; without permission to read its type, only id and type.
fn row(desk: &Desk<'_>, id: Uuid, users_only: bool) -> Value {
    if let Some(person) = desk.tenant.person(id) {
        if !users::may_read(desk) {
            return json!({"@odata.type": "#microsoft.graph.user", "id": id});
        }
        let user = users::shape(desk, person);
        return if users_only {
            user
        } else {
            users::tagged(user)
        };
    }
    let Some(group) = desk.tenant.group(id) else {
        return json!({"@odata.type": "#microsoft.graph.device", "id": id});
    };
    let mut nested = query::select(desk, groups::shape(desk, group), &[]);
    nested["@odata.type"] = json!("#microsoft.graph.group");
    nested
}

/// `POST /groups/{id}/members/$ref`.
pub(super) fn add_one(desk: &mut Desk<'_>, id: &str) -> Answer {
    desk.need(WRITE)?;
    let id = object_id(id)?;
    let body = groups::object(desk)?;
    let member = body
        .get("@odata.id")
        .and_then(Value::as_str)
        .and_then(referenced);
    let member = member.ok_or_else(|| GraphError::bad("Invalid value for '@odata.id'."))?;
    let group = desk
        .tenant
        .group(id)
        .ok_or_else(|| GraphError::missing(id))?;
    check_target(desk, group, true)?;
    check_new(desk, Some(group), &[member])?;
    if let Some(group) = desk.tenant.group_mut(id) {
        group.members.insert(member);
    }
    Ok(Reply::empty(204))
}

/// Returns the object ids of a `…@odata.bind` list.
pub(super) fn references(body: &Map<String, Value>, name: &str) -> Result<Vec<Uuid>, GraphError> {
    let list = match body.get(name) {
        None => return Ok(Vec::new()),
        Some(Value::Array(list)) => list,
        Some(_) => {
            return Err(GraphError::bad(format!(
                "Invalid value for property '{name}'."
            )));
        }
    };
    let ids: Option<Vec<Uuid>> = list
        .iter()
        .map(|item| item.as_str().and_then(referenced))
        .collect();
    ids.ok_or_else(|| GraphError::bad(format!("Invalid URL in property '{name}'.")))
}

/// Returns the id at the end of `…/directoryObjects/{id}` or `…/users/{id}`.
fn referenced(url: &str) -> Option<Uuid> {
    let mut parts = url.rsplit('/');
    let id = parts.next()?.parse().ok()?;
    matches!(parts.next()?, "directoryObjects" | "users" | "groups").then_some(id)
}

/// Returns an error for read-only groups, and for member writes if the membership is locked.
pub(super) fn check_target(
    desk: &Desk<'_>,
    group: &EntraGroup,
    member_write: bool,
) -> Result<(), GraphError> {
    if group.on_premises_synced {
        return Err(GraphError::bad(
            "Unable to update the specified properties for on-premises mastered Directory Sync \
             objects or objects currently undergoing migration.",
        ));
    }
    if group.role_assignable && !desk.has(&["RoleManagement.ReadWrite.Directory"]) {
        return Err(GraphError::denied());
    }
    if !member_write {
        return Ok(());
    }
    if group.dynamic {
        return Err(GraphError::denied());
    }
    let delay = desk.tenant.state.world.behaviour.group_replication_ms;
    let delay = Duration::milliseconds(i64::try_from(delay).unwrap_or(i64::MAX));
    match desk.tenant.state.group_created_at.get(&group.id) {
        Some(created) if desk.now - *created < delay => Err(GraphError::not_replicated()),
        _ => Ok(()),
    }
}

/// Returns an error for the whole list if an id is unknown, already a member or a duplicate.
pub(super) fn check_new(
    desk: &Desk<'_>,
    group: Option<&EntraGroup>,
    ids: &[Uuid],
) -> Result<(), GraphError> {
    if ids.len() > MAX_LINKS {
        return Err(GraphError::too_many_links());
    }
    if let Some(unknown) = ids.iter().find(|id| !desk.tenant.index.is_principal(**id)) {
        return Err(GraphError::missing(unknown));
    }
    let mut seen = HashSet::new();
    let is_member = |id: &Uuid| group.is_some_and(|group| group.members.contains(id));
    if ids.iter().any(|id| is_member(id) || !seen.insert(*id)) {
        return Err(GraphError::already_member());
    }
    Ok(())
}
