//! Normalises clients' documents into the stored form.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::attribute::{Attr, Type, find};
use super::error::ScimError;
use super::schema::{COMMON, Kind};
use super::state::{ScimBehaviour, ScimResource};

/// The content of a resource as sent by clients.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Draft {
    pub(super) attributes: Map<String, Value>,
    pub(super) members: BTreeSet<String>,
}

impl Draft {
    /// Returns the stored content of a resource.
    pub(super) fn of(resource: &ScimResource) -> Self {
        Self {
            attributes: resource.attributes.clone(),
            members: resource.members.clone(),
        }
    }

    /// Parses a whole document; names are compared ignoring case, unknown and read-only ones are
    /// ignored.
    pub(super) fn parse(kind: Kind, body: &Map<String, Value>) -> Result<Self, ScimError> {
        needs_schema(body, kind.core().urn)?;
        let mut draft = Self {
            attributes: Map::new(),
            members: BTreeSet::new(),
        };
        let extension = kind.extension();
        for (name, value) in body {
            if name.eq_ignore_ascii_case(extension.urn) {
                let inner = match value {
                    Value::Null => continue,
                    Value::Object(inner) => inner,
                    _ => return Err(ScimError::value(format!("'{name}' is no object."))),
                };
                let inner = attributes(extension.attributes, inner)?;
                if !inner.is_empty() {
                    let urn = extension.urn.to_owned();
                    draft.attributes.insert(urn, Value::Object(inner));
                }
                continue;
            }
            let attr = find(kind.core().attributes, name).or_else(|| find(&COMMON, name));
            let Some(attr) = attr.filter(|it| !it.read_only && !it.secret) else {
                continue;
            };
            if attr.name == "members" {
                draft.members = members(value)?;
            } else if let Some(value) = clean(attr, value)? {
                draft.attributes.insert(attr.name.to_owned(), value);
            }
        }
        Ok(draft)
    }

    /// Removes attributes that the service does not store.
    pub(super) fn settle(&mut self, kind: Kind, can: &ScimBehaviour) {
        let extension = kind.extension().urn;
        if !super::discovery::has_extension(can, kind) {
            self.attributes.remove(extension);
        }
        for name in &can.drops {
            if name.eq_ignore_ascii_case("members") {
                self.members.clear();
            }
            drop_attribute(&mut self.attributes, name);
            if let Some(Value::Object(inner)) = self.attributes.get_mut(extension) {
                let prefix = format!("{extension}:");
                drop_attribute(inner, name.strip_prefix(&prefix).unwrap_or(name));
            }
        }
        let hollow = self.attributes.get(extension).and_then(Value::as_object);
        if hollow.is_some_and(Map::is_empty) {
            self.attributes.remove(extension);
        }
    }

    /// Returns a required attribute that is missing.
    pub(super) fn lacks(&self, kind: Kind) -> Option<&'static str> {
        let mut required = kind.core().attributes.iter().filter(|it| it.required);
        let missing = required.find(|it| {
            let text = self.attributes.get(it.name).and_then(Value::as_str);
            text.is_none_or(|text| text.trim().is_empty())
        });
        missing.map(|it| it.name)
    }
}

/// Returns an error for a message without its schema.
pub(super) fn needs_schema(body: &Map<String, Value>, urn: &str) -> Result<(), ScimError> {
    let named = body.get("schemas").and_then(Value::as_array);
    let names_it = |it: &Value| it.as_str().is_some_and(|it| it.eq_ignore_ascii_case(urn));
    if named.is_some_and(|all| all.iter().any(names_it)) {
        Ok(())
    } else {
        Err(ScimError::syntax(format!("'schemas' does not name {urn}.")))
    }
}

/// Returns the ids in a list of members, or in one member.
pub(super) fn members(value: &Value) -> Result<BTreeSet<String>, ScimError> {
    let one = std::slice::from_ref(value);
    let all = match value {
        Value::Null => &[],
        Value::Array(all) => all.as_slice(),
        _ => one,
    };
    let ids = all.iter().map(|member| {
        let id = member.get("value").unwrap_or(member);
        let id = id.as_str().filter(|id| !id.is_empty());
        id.map(str::to_owned)
            .ok_or_else(|| ScimError::value("A member has no 'value'."))
    });
    ids.collect()
}

/// Returns a value of an attribute in its stored form; `None` if it is null or empty.
pub(super) fn clean(attr: &Attr, value: &Value) -> Result<Option<Value>, ScimError> {
    if !attr.multi {
        return single(attr, value);
    }
    let one = std::slice::from_ref(value);
    let all = match value {
        Value::Null => return Ok(None),
        Value::Array(all) => all.as_slice(),
        Value::Object(_) => one,
        _ => return Err(wrong(attr)),
    };
    let mut kept = Vec::with_capacity(all.len());
    for value in all {
        if let Some(value) = single(attr, value)?
            && !kept.contains(&value)
        {
            kept.push(value);
        }
    }
    let primary = kept.iter().filter(|it| it["primary"] == json!(true));
    if primary.count() > 1 {
        let text = format!("Only one of '{}' can be primary.", attr.name);
        return Err(ScimError::value(text));
    }
    Ok((!kept.is_empty()).then_some(Value::Array(kept)))
}

/// Returns one value of an attribute in its stored form.
pub(super) fn single(attr: &Attr, value: &Value) -> Result<Option<Value>, ScimError> {
    match (attr.kind, value) {
        (_, Value::Null) => Ok(None),
        (Type::Text | Type::Reference, Value::String(_)) | (Type::Flag, Value::Bool(_)) => {
            Ok(Some(value.clone()))
        }
        (Type::Complex, Value::Object(fields)) => {
            let parts = attributes(attr.sub, fields)?;
            Ok((!parts.is_empty()).then_some(Value::Object(parts)))
        }
        // A manager or a role may be sent as a plain value.
        (Type::Complex, Value::String(_)) if find_value(attr) => Ok(Some(json!({"value": value}))),
        _ => Err(wrong(attr)),
    }
}

fn find_value(attr: &Attr) -> bool {
    attr.sub.iter().any(|it| it.name == "value")
}

fn wrong(attr: &Attr) -> ScimError {
    ScimError::value(format!("'{}' has a value of another type.", attr.name))
}

fn attributes(
    known: &'static [Attr],
    fields: &Map<String, Value>,
) -> Result<Map<String, Value>, ScimError> {
    let mut kept = Map::new();
    for (name, value) in fields {
        if let Some(attr) = find(known, name).filter(|it| !it.read_only && !it.secret)
            && let Some(value) = clean(attr, value)?
        {
            kept.insert(attr.name.to_owned(), value);
        }
    }
    Ok(kept)
}

fn drop_attribute(fields: &mut Map<String, Value>, name: &str) {
    let (name, part) = name.split_once('.').unwrap_or((name, ""));
    let Some(key) = fields
        .keys()
        .find(|it| it.eq_ignore_ascii_case(name))
        .cloned()
    else {
        return;
    };
    if part.is_empty() {
        fields.remove(&key);
        return;
    }
    match fields.get_mut(&key) {
        Some(Value::Object(inner)) => drop_attribute(inner, part),
        Some(Value::Array(values)) => {
            for inner in values.iter_mut().filter_map(Value::as_object_mut) {
                drop_attribute(inner, part);
            }
        }
        _ => {}
    }
}
