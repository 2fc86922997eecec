//! Converts resources into responses, reduced to the requested attributes.

use serde_json::{Map, Value, json};

use super::RequestContext;
use super::attribute::Named;
use super::schema::Kind;
use super::state::ScimResource;
use crate::call::Call;

/// The attributes requested by a client.
pub(super) struct Projection {
    only: Option<Vec<Named>>,
    without: Vec<Named>,
}

impl Projection {
    /// Parses `attributes` and `excludedAttributes` of a request; unknown names are ignored.
    pub(super) fn of(call: &Call, kind: Kind) -> Self {
        let named = |list: &str| -> Vec<Named> {
            let names = list.split(',').map(str::trim);
            names.filter_map(|it| Named::parse(kind, it)).collect()
        };
        let only = call.param("attributes").filter(|it| !it.trim().is_empty());
        Self {
            only: only.map(named),
            without: call
                .param("excludedAttributes")
                .map(named)
                .unwrap_or_default(),
        }
    }

    /// Returns the visible part of an attribute; calls `value` only if it is requested.
    fn cut(&self, urn: Option<&str>, name: &str, value: impl FnOnce() -> Value) -> Option<Value> {
        let (seen, parts) = match &self.only {
            Some(only) => named(only, urn, name),
            None => (true, Vec::new()),
        };
        let (hidden, hidden_parts) = named(&self.without, urn, name);
        if hidden || (!seen && parts.is_empty()) {
            return None;
        }
        let mut value = value();
        let keep = |part: &str| (seen || parts.contains(&part)) && !hidden_parts.contains(&part);
        if !seen || !hidden_parts.is_empty() {
            match &mut value {
                Value::Object(fields) => fields.retain(|part, _| keep(part)),
                Value::Array(values) => {
                    for fields in values.iter_mut().filter_map(Value::as_object_mut) {
                        fields.retain(|part, _| keep(part));
                    }
                }
                _ => {}
            }
        }
        Some(value)
    }
}

/// Returns whether the whole attribute is listed, and which of its sub-attributes are.
fn named(all: &[Named], urn: Option<&str>, name: &str) -> (bool, Vec<&'static str>) {
    let (mut whole, mut parts) = (false, Vec::new());
    for it in all {
        match it {
            Named::Extension(schema) => whole |= urn == Some(schema.urn),
            Named::Attribute(path) if path.extension == urn && path.attr.name == name => {
                match path.sub {
                    Some(part) => parts.push(part.name),
                    None => whole = true,
                }
            }
            Named::Attribute(_) => {}
        }
    }
    (whole, parts)
}

/// Returns a resource; its id and schemas are always included.
pub(super) fn resource(
    context: &RequestContext<'_>,
    kind: Kind,
    id: &str,
    resource: &ScimResource,
    projection: &Projection,
) -> Value {
    let extension = kind.extension().urn;
    let mut shown = Map::new();
    let mut schemas = vec![kind.core().urn];
    for (name, value) in &resource.attributes {
        if name != extension {
            let cut = projection.cut(None, name, || value.clone());
            shown.extend(cut.map(|it| (name.clone(), it)));
            continue;
        }
        schemas.push(extension);
        let inner = value.as_object().into_iter().flatten();
        let inner: Map<String, Value> = inner
            .filter_map(|(name, value)| {
                let cut = projection.cut(Some(extension), name, || value.clone());
                Some((name.clone(), cut?))
            })
            .collect();
        if !inner.is_empty() {
            shown.insert(extension.to_owned(), Value::Object(inner));
        }
    }
    if !resource.members.is_empty() {
        let members = || {
            resource
                .members
                .iter()
                .map(|id| member(context, id))
                .collect()
        };
        let cut = projection.cut(None, "members", members);
        shown.extend(cut.map(|it| ("members".to_owned(), it)));
    }
    let meta = projection.cut(None, "meta", || meta(context, kind, id, resource));
    shown.extend(meta.map(|it| ("meta".to_owned(), it)));
    shown.insert("id".to_owned(), json!(id));
    shown.insert("schemas".to_owned(), json!(schemas));
    Value::Object(shown)
}

/// Returns the URL of a resource.
pub(super) fn location(context: &RequestContext<'_>, kind: Kind, id: &str) -> String {
    format!("{}/{}/{id}", context.base, kind.endpoint())
}

/// Returns a resource's version as an entity tag.
pub(super) fn version(resource: &ScimResource) -> String {
    format!("W/\"{}\"", resource.version)
}

fn meta(context: &RequestContext<'_>, kind: Kind, id: &str, resource: &ScimResource) -> Value {
    let time = |it: chrono::DateTime<chrono::Utc>| it.format("%Y-%m-%dT%H:%M:%S%.3fZ").to_string();
    let mut meta = json!({
        "resourceType": kind.name(),
        "created": time(resource.created),
        "lastModified": time(resource.last_modified),
        "location": location(context, kind, id),
    });
    if context.state.behaviour.etag {
        meta["version"] = json!(version(resource));
    }
    meta
}

fn member(context: &RequestContext<'_>, id: &str) -> Value {
    let (kind, found) = match context.state.users.get(id) {
        Some(user) => (Kind::User, Some(user)),
        None => (Kind::Group, context.state.groups.get(id)),
    };
    let mut member = json!({
        "value": id,
        "$ref": location(context, kind, id),
        "type": kind.name(),
    });
    let display = found.and_then(|it| it.text("displayName").or_else(|| it.text("userName")));
    if let Some(display) = display {
        member["display"] = json!(display);
    }
    member
}
