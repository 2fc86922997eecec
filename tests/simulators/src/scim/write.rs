//! Writes to resources, alone or as part of a bulk request.

use serde_json::{Map, Value};

use super::error::ScimError;
use super::normal::Draft;
use super::schema::Kind;
use super::{RequestContext, patch, shape};

/// One change.
pub(super) struct Change<'a> {
    pub(super) method: &'a str,
    pub(super) kind: Kind,
    /// `None` for a new resource.
    pub(super) id: Option<&'a str>,
    pub(super) body: Option<&'a Value>,
    /// The version the resource must still have.
    pub(super) version: Option<&'a str>,
}

/// The effect of a change.
pub(super) enum Done {
    Created(String),
    Kept(String),
    Deleted,
}

/// Applies the change atomically.
pub(super) fn perform(
    context: &mut RequestContext<'_>,
    change: &Change<'_>,
) -> Result<Done, ScimError> {
    let kind = change.kind;
    let id = match (change.method, change.id) {
        ("POST", None) => {
            let draft = Draft::parse(kind, object(change.body)?)?;
            return context.create(kind, draft).map(Done::Created);
        }
        ("PUT" | "PATCH" | "DELETE", Some(id)) => id,
        _ => return Err(ScimError::new(405, "The method is not for this address.")),
    };
    if change.method == "PATCH" && !context.state.behaviour.patch {
        return Err(ScimError::new(501, "PATCH is not supported."));
    }
    let resource = context.find(kind, id)?;
    if let Some(version) = change.version.filter(|_| context.state.behaviour.etag)
        && !has_version(version, &shape::version(resource))
    {
        return Err(ScimError::new(412, "The resource has another version."));
    }
    match change.method {
        "DELETE" => {
            context.delete(kind, id)?;
            return Ok(Done::Deleted);
        }
        "PUT" => {
            let draft = Draft::parse(kind, object(change.body)?)?;
            context.change(kind, id, draft)?;
        }
        _ => {
            let mut draft = Draft::of(resource);
            patch::apply(kind, &mut draft, object(change.body)?)?;
            context.change(kind, id, draft)?;
        }
    }
    Ok(Done::Kept(id.to_owned()))
}

/// Returns whether a list of entity tags contains the version.
pub(super) fn has_version(tags: &str, version: &str) -> bool {
    let mut tags = tags.split(',').map(str::trim);
    tags.any(|tag| tag == "*" || tag == version || version.strip_prefix("W/") == Some(tag))
}

fn object(body: Option<&Value>) -> Result<&Map<String, Value>, ScimError> {
    let body = body.and_then(Value::as_object);
    body.ok_or_else(|| ScimError::syntax("The body is no JSON object."))
}
