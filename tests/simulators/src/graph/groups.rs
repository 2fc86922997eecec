//! Groups: list, read, create and change.

use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::error::GraphError;
use super::group_body::{checked_name, checked_nickname, known_properties, security_group, text};
use super::query::{self, Filter, Page};
use super::{Answer, RequestContext, members, object_id};
use crate::call::Reply;
use crate::world::EntraGroup;

/// Roles that may read groups.
pub(super) const READ: &[&str] = &[
    "Group.ReadBasic.All",
    "GroupMember.Read.All",
    "GroupMember.ReadWrite.All",
    "Group.Read.All",
    "Group.ReadWrite.All",
    "Directory.Read.All",
    "Directory.ReadWrite.All",
];
/// Roles that may create groups.
pub(super) const CREATE: &[&str] = &[
    "Group.Create",
    "Group.ReadWrite.All",
    "Directory.ReadWrite.All",
];
/// Roles that may change properties.
pub(super) const WRITE: &[&str] = &["Group.ReadWrite.All", "Directory.ReadWrite.All"];
/// `GET /groups` with the simple filters.
pub(super) fn list(context: &mut RequestContext<'_>) -> Answer {
    context.need(READ)?;
    let filter = Filter::of(context)?;
    let (top, counted) = (query::top(context)?, query::wants_count(context)?);
    let from = query::position(context)?;
    let start = usize::try_from(from.unwrap_or(0)).unwrap_or(usize::MAX);
    let shaped = context
        .tenant
        .state
        .world
        .groups
        .iter()
        .map(|group| shape(context, group));
    let fitting: Vec<Value> = shaped
        .filter(|row| filter.as_ref().is_none_or(|it| it.accepts(row)))
        .collect();
    let total = fitting.len();
    let rows = fitting.into_iter().skip(start).take(top);
    let rows = rows.map(|row| query::select(context, row, &[])).collect();
    let end = start.saturating_add(top);
    Ok(query::page(
        context,
        Page {
            set: "groups".to_owned(),
            rows,
            next: (end < total).then_some(end as u128),
            count: (counted && from.is_none()).then_some(total),
        },
    ))
}

/// `GET /groups/$count`, with the simple filters.
pub(super) fn count(context: &mut RequestContext<'_>) -> Answer {
    context.need(READ)?;
    query::need_eventual(context)?;
    let filter = Filter::of(context)?;
    let groups = context.tenant.state.world.groups.iter();
    let count = groups.filter(|group| {
        let mut filter = filter.iter();
        filter.all(|it| it.accepts(&shape(context, group)))
    });
    Ok(Reply::text(count.count().to_string()))
}

/// `GET /groups/{id}`.
pub(super) fn get(context: &mut RequestContext<'_>, id: &str) -> Answer {
    context.need(READ)?;
    let group = context
        .tenant
        .group(object_id(id)?)
        .ok_or_else(|| GraphError::missing(id))?;
    Ok(Reply::json(
        200,
        query::select(context, shape(context, group), &[]),
    ))
}

/// `POST /groups`.
pub(super) fn create(context: &mut RequestContext<'_>) -> Answer {
    context.need(CREATE)?;
    let body = object(context)?;
    let unique_name = text(&body, "uniqueName")?;
    insert(context, &body, unique_name)
}

/// Creates the group in the body and returns 201.
pub(super) fn insert(
    context: &mut RequestContext<'_>,
    body: &Map<String, Value>,
    unique_name: Option<String>,
) -> Answer {
    known_properties(body)?;
    for property in [
        "displayName",
        "mailNickname",
        "mailEnabled",
        "securityEnabled",
    ] {
        if body.get(property).is_none_or(Value::is_null) {
            let text =
                format!("A value is required for property '{property}' of resource 'Group'.");
            return Err(GraphError::bad(text));
        }
    }
    security_group(body)?;
    let members = members::references(body, "members@odata.bind")?;
    let owners = members::references(body, "owners@odata.bind")?;
    if members.len() + owners.len() > members::MAX_LINKS {
        return Err(GraphError::too_many_links());
    }
    members::check_new(context, None, &members)?;
    if let Some(name) = &unique_name
        && context.tenant.state.group_by_unique_name(name).is_some()
    {
        let text = "Another object with the same value for property uniqueName already exists.";
        return Err(GraphError::bad(text));
    }
    let types = body.get("groupTypes").and_then(Value::as_array);
    let group = EntraGroup {
        id: Uuid::new_v4(),
        display_name: checked_name(body)?.unwrap_or_default(),
        unique_name,
        description: text(body, "description")?,
        mail_nickname: checked_nickname(body)?.unwrap_or_default(),
        dynamic: types.is_some_and(|types| types.contains(&json!("DynamicMembership"))),
        on_premises_synced: false,
        role_assignable: false,
        members: members.into_iter().collect(),
    };
    let id = group.id;
    let state = &mut context.tenant.state;
    state.group_created_at.insert(id, context.now);
    context
        .tenant
        .index
        .groups
        .insert(id, state.world.groups.len());
    state.world.groups.push(group);
    let group = context
        .tenant
        .group(id)
        .ok_or_else(|| GraphError::missing(id))?;
    Ok(Reply::json(201, shape(context, group)))
}

/// `PATCH /groups/{id}`: properties, up to 20 new members, or both; atomic.
pub(super) fn patch(context: &mut RequestContext<'_>, id: &str) -> Answer {
    let id = object_id(id)?;
    let body = object(context)?;
    let only_members = body.keys().all(|name| name == "members@odata.bind");
    if only_members {
        context.need(members::WRITE)?;
    } else {
        context.need(WRITE)?;
    }
    change(context, id, &body)
}

/// Validates the whole body first, then applies it.
pub(super) fn change(
    context: &mut RequestContext<'_>,
    id: Uuid,
    body: &Map<String, Value>,
) -> Answer {
    known_properties(body)?;
    let group = context
        .tenant
        .group(id)
        .ok_or_else(|| GraphError::missing(id))?;
    members::check_target(context, group, false)?;
    if let Some(name) = text(body, "uniqueName")?
        && group.unique_name.as_ref() != Some(&name)
    {
        return Err(GraphError::bad(
            "Property 'uniqueName' is read-only and cannot be set.",
        ));
    }
    let (name, nickname) = (checked_name(body)?, checked_nickname(body)?);
    let description = text(body, "description")?;
    let added = members::references(body, "members@odata.bind")?;
    if body.contains_key("members@odata.bind") {
        members::check_target(context, group, true)?;
        members::check_new(context, Some(group), &added)?;
    }
    let group = context
        .tenant
        .group_mut(id)
        .ok_or_else(|| GraphError::missing(id))?;
    if let Some(name) = name {
        group.display_name = name;
    }
    if let Some(nickname) = nickname {
        group.mail_nickname = nickname;
    }
    if body.contains_key("description") {
        group.description = description;
    }
    group.members.extend(added);
    Ok(Reply::empty(204))
}

/// Returns the request body as a JSON object.
pub(super) fn object(context: &RequestContext<'_>) -> Result<Map<String, Value>, GraphError> {
    match context.call.json() {
        Some(Value::Object(body)) if !body.is_empty() => Ok(body),
        _ => Err(GraphError::new(
            400,
            "BadRequest",
            "Unable to read JSON request payload.",
        )),
    }
}

/// Returns all properties of a group.
pub(super) fn shape(context: &RequestContext<'_>, group: &EntraGroup) -> Value {
    let types: &[&str] = if group.dynamic {
        &["DynamicMembership"]
    } else {
        &[]
    };
    json!({
        "id": group.id,
        "displayName": group.display_name,
        "description": group.description,
        "uniqueName": group.unique_name,
        "mailNickname": group.mail_nickname,
        "mail": null,
        "mailEnabled": false,
        "securityEnabled": true,
        "groupTypes": types,
        "onPremisesSyncEnabled": group.on_premises_synced.then_some(true),
        "isAssignableToRole": group.role_assignable.then_some(true),
        "createdDateTime": context.tenant.state.group_created_at.get(&group.id),
        "deletedDateTime": null,
        "visibility": null,
    })
}
