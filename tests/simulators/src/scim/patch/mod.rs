//! `PATCH`: operations of RFC 7644, 3.5.2, on a copy that replaces the resource if all succeed.

mod members;
mod place;
mod values;

use serde_json::{Map, Value};

use super::attribute::{Attr, Named, Type, find};
use super::error::ScimError;
use super::normal::{Draft, needs_schema, single};
use super::schema::Kind;
use place::{Place, Target};

const MESSAGE: &str = "urn:ietf:params:scim:api:messages:2.0:PatchOp";

/// The type of an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Op {
    Add,
    Replace,
    Remove,
}

/// Applies all operations of a request.
pub(super) fn apply(
    kind: Kind,
    draft: &mut Draft,
    body: &Map<String, Value>,
) -> Result<(), ScimError> {
    needs_schema(body, MESSAGE)?;
    let operations = field(body, "Operations").and_then(Value::as_array);
    let operations = operations.filter(|it| !it.is_empty());
    let operations = operations.ok_or_else(|| ScimError::value("There are no operations."))?;
    for operation in operations {
        let operation = operation.as_object();
        let operation = operation.ok_or_else(|| ScimError::syntax("An operation is no object."))?;
        step(kind, draft, operation)?;
    }
    Ok(())
}

/// Names in the message itself are compared ignoring case, like those of attributes.
fn field<'a>(fields: &'a Map<String, Value>, name: &str) -> Option<&'a Value> {
    let mut fields = fields.iter();
    fields
        .find(|(key, _)| key.eq_ignore_ascii_case(name))
        .map(|(_, value)| value)
}

fn step(kind: Kind, draft: &mut Draft, operation: &Map<String, Value>) -> Result<(), ScimError> {
    let op = field(operation, "op")
        .and_then(Value::as_str)
        .unwrap_or_default();
    let op = match op.to_ascii_lowercase().as_str() {
        "add" => Op::Add,
        "replace" => Op::Replace,
        "remove" => Op::Remove,
        _ => return Err(ScimError::syntax(format!("There is no operation '{op}'."))),
    };
    let value = field(operation, "value");
    let path = match field(operation, "path") {
        None | Some(Value::Null) => None,
        Some(Value::String(path)) => Some(path.trim()),
        Some(_) => return Err(ScimError::bad("invalidPath", "The path is no text.")),
    };
    let Some(path) = path else {
        if op == Op::Remove {
            return Err(ScimError::bad("noTarget", "A removal needs a path."));
        }
        return many_at_once(kind, draft, op, value);
    };
    if op != Op::Remove && value.is_none() {
        return Err(ScimError::value("The operation needs a value."));
    }
    match place::parse(kind, path)? {
        Place::Extension(schema) => {
            if op == Op::Remove {
                draft.attributes.remove(schema.urn);
                return Ok(());
            }
            let fields = value.and_then(Value::as_object);
            let fields = fields.ok_or_else(|| ScimError::value("The value is no object."))?;
            extension(draft, op, schema.urn, schema.attributes, fields)
        }
        Place::Attribute(target) => {
            if target.attr.read_only || target.sub.is_some_and(|sub| sub.read_only) {
                return Err(read_only(path));
            }
            if op == Op::Remove && target.attr.required {
                return Err(read_only(path));
            }
            put(draft, op, &target, value.unwrap_or(&Value::Null))
        }
    }
}

fn read_only(path: &str) -> ScimError {
    ScimError::bad(
        "mutability",
        format!("'{path}' cannot be changed like this."),
    )
}

/// Applies an operation without a path: each name in its value is an attribute or a path.
fn many_at_once(
    kind: Kind,
    draft: &mut Draft,
    op: Op,
    value: Option<&Value>,
) -> Result<(), ScimError> {
    let fields = value.and_then(Value::as_object);
    let fields = fields.ok_or_else(|| ScimError::value("The value is no object."))?;
    for (name, value) in fields {
        match Named::parse(kind, name) {
            Some(Named::Extension(schema)) => {
                let inner = value.as_object();
                let inner = inner.ok_or_else(|| ScimError::value("An extension is no object."))?;
                extension(draft, op, schema.urn, schema.attributes, inner)?;
            }
            Some(Named::Attribute(path)) if !path.attr.read_only => {
                put(draft, op, &Target::from(path), value)?;
            }
            // Ignored: some clients send whole resources, including attributes set by the service.
            _ => {}
        }
    }
    Ok(())
}

fn extension(
    draft: &mut Draft,
    op: Op,
    urn: &'static str,
    known: &'static [Attr],
    fields: &Map<String, Value>,
) -> Result<(), ScimError> {
    for (name, value) in fields {
        if let Some(attr) = find(known, name) {
            let target = Target {
                extension: Some(urn),
                attr,
                filter: None,
                sub: None,
            };
            put(draft, op, &target, value)?;
        }
    }
    Ok(())
}

fn put(draft: &mut Draft, op: Op, target: &Target, value: &Value) -> Result<(), ScimError> {
    if target.attr.name == "members" {
        return members::put(&mut draft.members, op, target, value);
    }
    if target.attr.secret {
        return Ok(());
    }
    let fields = match target.extension {
        None => &mut draft.attributes,
        Some(urn) => {
            let inner = draft.attributes.entry(urn);
            let inner = inner.or_insert_with(|| Value::Object(Map::new()));
            inner
                .as_object_mut()
                .ok_or_else(|| ScimError::new(500, "An extension is no object."))?
        }
    };
    if target.attr.multi {
        values::put(fields, op, target, value)
    } else {
        one(fields, op, target, value)
    }
}

/// Changes a single-valued attribute, or a sub-attribute of it.
fn one(
    fields: &mut Map<String, Value>,
    op: Op,
    target: &Target,
    value: &Value,
) -> Result<(), ScimError> {
    let attr = target.attr;
    let given = match op {
        Op::Remove => None,
        _ => single(target.sub.unwrap_or(attr), value)?,
    };
    if target.sub.is_none() && attr.kind != Type::Complex {
        set(fields, attr.name, given);
        return Ok(());
    }
    if target.sub.is_none() && (op == Op::Remove || value.is_null()) {
        fields.remove(attr.name);
        return Ok(());
    }
    let whole = fields.entry(attr.name);
    let whole = whole.or_insert_with(|| Value::Object(Map::new()));
    if let Value::Object(parts) = whole {
        match target.sub {
            Some(sub) => set(parts, sub.name, given),
            None => merge(attr, parts, value, given),
        }
        if parts.is_empty() {
            fields.remove(attr.name);
        }
    }
    Ok(())
}

/// Sets the given sub-attributes, removes those that are null, and leaves the others unchanged.
fn merge(attr: &Attr, parts: &mut Map<String, Value>, raw: &Value, given: Option<Value>) {
    for (name, value) in raw.as_object().into_iter().flatten() {
        if let Some(part) = find(attr.sub, name).filter(|_| value.is_null()) {
            parts.remove(part.name);
        }
    }
    if let Some(Value::Object(given)) = given {
        parts.extend(given);
    }
}

fn set(fields: &mut Map<String, Value>, name: &str, value: Option<Value>) {
    match value {
        Some(value) => {
            fields.insert(name.to_owned(), value);
        }
        None => {
            fields.remove(name);
        }
    }
}
