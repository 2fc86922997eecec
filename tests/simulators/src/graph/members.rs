//! Group members: list, count and add, with Graph's all-or-nothing semantics.

use std::collections::HashSet;
use std::ops::Bound;

use chrono::Duration;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::error::GraphError;
use super::query::{self, Page};
use super::{Answer, RequestContext, groups, object_id, users};
use crate::behaviour::UnknownMember;
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
pub(super) fn list(context: &mut RequestContext<'_>, id: &str, users_only: bool) -> Answer {
    context.need(READ)?;
    let (top, counted) = (query::top(context)?, query::wants_count(context)?);
    let from = query::position(context)?;
    let group = context
        .tenant
        .group(object_id(id)?)
        .ok_or_else(|| GraphError::missing(id))?;
    let start = from.map_or(Bound::Unbounded, |last| {
        Bound::Excluded(Uuid::from_u128(last))
    });
    let wanted = |member: &&Uuid| !users_only || context.tenant.person(**member).is_some();
    let range = group
        .members
        .range((start, Bound::Unbounded))
        .filter(wanted);
    let ids: Vec<Uuid> = range.take(top + 1).copied().collect();
    let shown = &ids[..ids.len().min(top)];
    let count = group.members.iter().filter(wanted).count();
    Ok(query::page(
        context,
        Page {
            set: "directoryObjects".to_owned(),
            rows: shown
                .iter()
                .map(|member| row(context, *member, users_only))
                .collect(),
            next: shown.last().filter(|_| ids.len() > top).map(Uuid::as_u128),
            count: (counted && from.is_none()).then_some(count),
        },
    ))
}

/// `GET /groups/{id}/members/$count`.
pub(super) fn count(context: &mut RequestContext<'_>, id: &str, users_only: bool) -> Answer {
    context.need(READ)?;
    query::need_eventual(context)?;
    let group = context
        .tenant
        .group(object_id(id)?)
        .ok_or_else(|| GraphError::missing(id))?;
    let members = group.members.iter();
    let count = members.filter(|member| !users_only || context.tenant.person(**member).is_some());
    Ok(Reply::text(count.count().to_string()))
}

/// Returns a member; without permission to read its type, only id and type.
fn row(context: &RequestContext<'_>, id: Uuid, users_only: bool) -> Value {
    if let Some(person) = context.tenant.person(id) {
        if !users::may_read(context) {
            return json!({"@odata.type": "#microsoft.graph.user", "id": id});
        }
        let user = users::shape(context, person);
        return if users_only {
            user
        } else {
            users::tagged(user)
        };
    }
    let Some(group) = context.tenant.group(id) else {
        return json!({"@odata.type": "#microsoft.graph.device", "id": id});
    };
    let mut nested = query::select(context, groups::shape(context, group), &[]);
    nested["@odata.type"] = json!("#microsoft.graph.group");
    nested
}

/// `POST /groups/{id}/members/$ref`.
pub(super) fn add_one(context: &mut RequestContext<'_>, id: &str) -> Answer {
    context.need(WRITE)?;
    let id = object_id(id)?;
    let body = groups::object(context)?;
    let member = body
        .get("@odata.id")
        .and_then(Value::as_str)
        .and_then(referenced);
    let member = member.ok_or_else(|| GraphError::bad("Invalid value for '@odata.id'."))?;
    let group = context
        .tenant
        .group(id)
        .ok_or_else(|| GraphError::missing(id))?;
    check_target(context, group, true)?;
    check_new(context, Some(group), &[member])?;
    if let Some(group) = context.tenant.group_mut(id) {
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
    context: &RequestContext<'_>,
    group: &EntraGroup,
    member_write: bool,
) -> Result<(), GraphError> {
    if group.on_premises_synced {
        return Err(GraphError::bad(
            "Unable to update the specified properties for on-premises mastered Directory Sync \
             objects or objects currently undergoing migration.",
        ));
    }
    if group.role_assignable && !context.has(&["RoleManagement.ReadWrite.Directory"]) {
        return Err(GraphError::denied());
    }
    if !member_write {
        return Ok(());
    }
    if group.dynamic {
        return Err(GraphError::denied());
    }
    let delay = context.tenant.state.world.behaviour.group_replication_ms;
    let delay = Duration::milliseconds(i64::try_from(delay).unwrap_or(i64::MAX));
    match context.tenant.state.group_created_at.get(&group.id) {
        Some(created) if context.now - *created < delay => Err(GraphError::not_replicated()),
        _ => Ok(()),
    }
}

/// Returns an error for the whole list if an id is unknown, already a member or a duplicate.
pub(super) fn check_new(
    context: &RequestContext<'_>,
    group: Option<&EntraGroup>,
    ids: &[Uuid],
) -> Result<(), GraphError> {
    if ids.len() > MAX_LINKS {
        return Err(GraphError::too_many_links());
    }
    if let Some(unknown) = ids
        .iter()
        .find(|id| !context.tenant.index.is_principal(**id))
    {
        return Err(match context.tenant.state.world.behaviour.unknown_member {
            UnknownMember::NotFound => GraphError::missing(unknown),
            UnknownMember::BadReference => GraphError::not_replicated(),
        });
    }
    let mut seen = HashSet::new();
    let is_member = |id: &Uuid| group.is_some_and(|group| group.members.contains(id));
    if ids.iter().any(|id| is_member(id) || !seen.insert(*id)) {
        return Err(GraphError::already_member());
    }
    Ok(())
}
