//! The changes to a resource, as patch operations or applied to the whole resource.

use serde_json::{Map, Value, json};

use super::{ENTERPRISE, TEAM};

/// One change.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Edit {
    /// Sets an attribute. The path is a list of names, starting with an extension's URN if any.
    Set(&'static [&'static str], Value),
    /// Clears an attribute.
    Clear(&'static [&'static str]),
    /// Sets the work address.
    WorkEmail(String),
    /// Adds values to a multi-valued attribute.
    Add(&'static [&'static str], Vec<String>),
    /// Removes one value from a multi-valued attribute.
    Remove(&'static [&'static str], String),
}

pub(super) const MEMBERS: &[&str] = &["members"];
pub(super) const SUPERVISORS: &[&str] = &[TEAM, "supervisors"];
pub(super) const ARCHIVED: &[&str] = &[TEAM, "archived"];
pub(super) const DEPARTMENT: &[&str] = &[ENTERPRISE, "department"];
pub(super) const MANAGER: &[&str] = &[ENTERPRISE, "manager"];

/// Returns a path in patch syntax: an extension's attribute follows a colon, a sub-attribute a dot
/// (RFC 7644, section 3.5.2).
fn path(names: &[&str]) -> String {
    match names {
        [urn, rest @ ..] if urn.starts_with("urn:") => format!("{urn}:{}", rest.join(".")),
        names => names.join("."),
    }
}

/// The operation that writes the work address: services reject replacing a missing one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Email {
    /// Replaces the value of the existing work address.
    Replace,
    /// Adds a work address, because none exists.
    Add,
}

impl Edit {
    /// Returns the change as a patch operation.
    pub(super) fn operation(&self, email: Email) -> Value {
        match self {
            Self::Set(names, value) => {
                json!({"op": "replace", "path": path(names), "value": value})
            }
            Self::Clear(names) => json!({"op": "remove", "path": path(names)}),
            Self::WorkEmail(address) if email == Email::Replace => {
                json!({"op": "replace", "path": "emails[type eq \"work\"].value", "value": address})
            }
            Self::WorkEmail(address) => {
                json!({"op": "add", "path": "emails", "value": [work_email(address)]})
            }
            Self::Add(names, ids) => {
                let values: Vec<Value> = ids.iter().map(|id| json!({"value": id})).collect();
                json!({"op": "add", "path": path(names), "value": values})
            }
            // Some services reject a list of values here, but all accept a filter.
            Self::Remove(names, id) => {
                let filter = super::read::literal(id);
                json!({"op": "remove", "path": format!("{}[value eq {filter}]", path(names))})
            }
        }
    }

    /// Applies the change to the whole resource, for services that do not support patch.
    pub(super) fn apply(&self, resource: &mut Value) {
        match self {
            Self::Set(names, value) => set(resource, names, value.clone()),
            Self::Clear(names) => clear(resource, names),
            Self::WorkEmail(address) => {
                let emails = list(resource, &["emails"]);
                let is_work = |email: &Value| {
                    email["type"]
                        .as_str()
                        .is_some_and(|kind| kind.eq_ignore_ascii_case("work"))
                };
                match emails.iter_mut().find(|email| is_work(email)) {
                    Some(work) => work["value"] = json!(address),
                    None => emails.push(work_email(address)),
                }
            }
            Self::Add(names, ids) => {
                let values = list(resource, names);
                for id in ids {
                    if !values.iter().any(|value| value["value"] == json!(id)) {
                        values.push(json!({"value": id}));
                    }
                }
            }
            Self::Remove(names, id) => {
                list(resource, names).retain(|value| value["value"] != json!(id));
            }
        }
    }
}

pub(super) fn work_email(address: &str) -> Value {
    json!({"value": address, "type": "work", "primary": true})
}

fn object(value: &mut Value) -> &mut Map<String, Value> {
    if !value.is_object() {
        *value = json!({});
    }
    match value {
        Value::Object(map) => map,
        _ => unreachable!("converted to an object above"),
    }
}

fn set(resource: &mut Value, names: &[&str], value: Value) {
    match names {
        [] => *resource = value,
        [name, rest @ ..] => {
            if name.starts_with("urn:") {
                declare(resource, name);
            }
            let inner = object(resource)
                .entry((*name).to_owned())
                .or_insert(Value::Null);
            set(inner, rest, value);
        }
    }
}

/// Adds an extension to the list in the resource (RFC 7643, section 3.3).
fn declare(resource: &mut Value, urn: &str) {
    let schemas = list(resource, &["schemas"]);
    if !schemas.iter().any(|known| known == urn) {
        schemas.push(json!(urn));
    }
}

fn clear(resource: &mut Value, names: &[&str]) {
    match names {
        [] => {}
        [last] => _ = object(resource).remove(*last),
        [name, rest @ ..] => {
            if let Some(inner) = resource.get_mut(*name) {
                clear(inner, rest);
            }
        }
    }
}

fn list<'v>(resource: &'v mut Value, names: &[&str]) -> &'v mut Vec<Value> {
    let mut at = resource;
    for name in names {
        at = object(at).entry((*name).to_owned()).or_insert(Value::Null);
    }
    if !at.is_array() {
        *at = json!([]);
    }
    match at {
        Value::Array(values) => values,
        _ => unreachable!("converted to a list above"),
    }
}
