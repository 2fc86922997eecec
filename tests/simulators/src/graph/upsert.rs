//! Groups by alternate key: `groups(uniqueName='x')`, read or created if missing.

use super::error::GraphError;
use super::query::{self, literal_text};
use super::{Answer, RequestContext, groups};
use crate::call::Reply;

/// `GET` or `PATCH /groups(uniqueName='x')`.
pub(super) fn by_key(context: &mut RequestContext<'_>, method: &str, segment: &str) -> Answer {
    let literal = segment
        .strip_prefix("groups(uniqueName=")
        .and_then(|it| it.strip_suffix(')'));
    let unique_name = literal
        .and_then(literal_text)
        .ok_or_else(|| GraphError::bad("The key value in the request is malformed."))?;
    match method {
        "GET" => read(context, &unique_name),
        "PATCH" => upsert(context, &unique_name),
        _ => Err(GraphError::no_route(&[segment])),
    }
}

fn read(context: &RequestContext<'_>, unique_name: &str) -> Answer {
    context.need(groups::READ)?;
    let group = context.tenant.state.group_by_unique_name(unique_name);
    let group = group.ok_or_else(|| GraphError::missing(unique_name))?;
    Ok(Reply::json(
        200,
        query::select(context, groups::shape(context, group), &[]),
    ))
}

fn upsert(context: &mut RequestContext<'_>, unique_name: &str) -> Answer {
    let body = groups::object(context)?;
    if body
        .get("uniqueName")
        .is_some_and(|name| name.as_str() != Some(unique_name))
    {
        return Err(GraphError::bad(
            "The key in the URL and in the body must be the same.",
        ));
    }
    if let Some(id) = context
        .tenant
        .state
        .group_by_unique_name(unique_name)
        .map(|group| group.id)
    {
        context.need(groups::WRITE)?;
        return groups::change(context, id, &body);
    }
    let prefers = context.call.header("prefer").unwrap_or_default();
    if !prefers
        .split(',')
        .any(|it| it.trim().eq_ignore_ascii_case("create-if-missing"))
    {
        return Err(GraphError::missing(unique_name));
    }
    context.need(groups::CREATE)?;
    groups::insert(context, &body, Some(unique_name.to_owned()))
}
