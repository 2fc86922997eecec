//! Groups by alternate key: `groups(uniqueName='x')`, read or created if missing.

use super::error::GraphError;
use super::query::{self, literal_text};
use super::{Answer, Desk, groups};
use crate::call::Reply;

/// `GET` or `PATCH /groups(uniqueName='x')`.
pub(super) fn by_key(desk: &mut Desk<'_>, method: &str, segment: &str) -> Answer {
    let literal = segment
        .strip_prefix("groups(uniqueName=")
        .and_then(|it| it.strip_suffix(')'));
    let unique_name = literal
        .and_then(literal_text)
        .ok_or_else(|| GraphError::bad("The key value in the request is malformed."))?;
    match method {
        "GET" => read(desk, &unique_name),
        "PATCH" => upsert(desk, &unique_name),
        _ => Err(GraphError::no_route(&[segment])),
    }
}

fn read(desk: &Desk<'_>, unique_name: &str) -> Answer {
    desk.need(groups::READ)?;
    let group = desk.tenant.state.group_by_unique_name(unique_name);
    let group = group.ok_or_else(|| GraphError::missing(unique_name))?;
    Ok(Reply::json(
        200,
        query::select(desk, groups::shape(desk, group), &[]),
    ))
}

fn upsert(desk: &mut Desk<'_>, unique_name: &str) -> Answer {
    let body = groups::object(desk)?;
    if body
        .get("uniqueName")
        .is_some_and(|name| name.as_str() != Some(unique_name))
    {
        return Err(GraphError::bad(
            "The key in the URL and in the body must be the same.",
        ));
    }
    if let Some(id) = desk
        .tenant
        .state
        .group_by_unique_name(unique_name)
        .map(|group| group.id)
    {
        desk.need(groups::WRITE)?;
        return groups::change(desk, id, &body);
    }
    let prefers = desk.call.header("prefer").unwrap_or_default();
    if !prefers
        .split(',')
        .any(|it| it.trim().eq_ignore_ascii_case("create-if-missing"))
    {
        return Err(GraphError::missing(unique_name));
    }
    desk.need(groups::CREATE)?;
    groups::insert(desk, &body, Some(unique_name.to_owned()))
}
