//! Operations on multi-valued attributes.

use serde_json::{Map, Value, json};

use super::super::attribute::Attr;
use super::super::error::ScimError;
use super::super::filter::{self, Filter, Operand};
use super::super::matching::Subject;
use super::super::normal::{clean, single};
use super::place::Target;
use super::{Op, merge, set};

/// Changes all values, or those selected by the target's filter.
pub(super) fn put(
    fields: &mut Map<String, Value>,
    op: Op,
    target: &Target,
    value: &Value,
) -> Result<(), ScimError> {
    let name = target.attr.name;
    let mut values = match fields.remove(name) {
        Some(Value::Array(values)) => values,
        _ => Vec::new(),
    };
    match (&target.filter, target.sub) {
        (None, None) => whole(&mut values, op, target.attr, value)?,
        (filter, sub) => chosen(&mut values, op, target.attr, filter.as_ref(), sub, value)?,
    }
    values.retain(|it| it.as_object().is_none_or(|parts| !parts.is_empty()));
    if !values.is_empty() {
        fields.insert(name.to_owned(), Value::Array(values));
    }
    Ok(())
}

fn whole(values: &mut Vec<Value>, op: Op, attr: &Attr, value: &Value) -> Result<(), ScimError> {
    if op == Op::Remove && value.is_null() {
        values.clear();
        return Ok(());
    }
    let given = match clean(attr, value)? {
        Some(Value::Array(given)) => given,
        _ => Vec::new(),
    };
    match op {
        Op::Replace => *values = given,
        Op::Add => {
            for value in given {
                if !values.contains(&value) {
                    demote(values, &value);
                    values.push(value);
                }
            }
        }
        Op::Remove => values.retain(|own| {
            let mut given = given.iter();
            !given.any(|it| it == own || (it.get("value").is_some() && it["value"] == own["value"]))
        }),
    }
    Ok(())
}

fn chosen(
    values: &mut Vec<Value>,
    op: Op,
    attr: &'static Attr,
    filter: Option<&Filter>,
    sub: Option<&'static Attr>,
    value: &Value,
) -> Result<(), ScimError> {
    let fits = |it: &Value| filter.is_none_or(|filter| Subject::Value(it).fits(filter));
    if op == Op::Remove && sub.is_none() {
        values.retain(|it| !fits(it));
        return Ok(());
    }
    let given = match op {
        Op::Remove => None,
        _ => single(sub.unwrap_or(attr), value)?,
    };
    let mut at: Vec<usize> = (0..values.len()).filter(|at| fits(&values[*at])).collect();
    if at.is_empty() && op == Op::Add {
        let template = filter.and_then(template);
        values.extend(template);
        at.extend(values.len().checked_sub(1).filter(|at| fits(&values[*at])));
    }
    if at.is_empty() && op != Op::Remove {
        return Err(ScimError::bad("noTarget", "The path chooses no value."));
    }
    for at in at {
        let mut own = values[at].take();
        if let Value::Object(parts) = &mut own {
            match (sub, op) {
                (Some(sub), _) => set(parts, sub.name, given.clone()),
                (None, Op::Add) => merge(attr, parts, value, given.clone()),
                (None, _) => *parts = given.clone().map(object).unwrap_or_default(),
            }
        }
        demote(values, &own);
        values[at] = own;
    }
    Ok(())
}

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(parts) => parts,
        _ => Map::new(),
    }
}

/// Returns the value described by `type eq "work"`, to be added to.
fn template(filter: &Filter) -> Option<Value> {
    match filter {
        Filter::Compare(path, filter::Op::Eq, Operand::Text(text)) => {
            Some(json!({path.attr.name: text}))
        }
        Filter::Compare(path, filter::Op::Eq, Operand::Flag(flag)) => {
            Some(json!({path.attr.name: flag}))
        }
        _ => None,
    }
}

/// If the new value is primary, no other value is.
fn demote(values: &mut [Value], by: &Value) {
    if by["primary"] != json!(true) {
        return;
    }
    for parts in values.iter_mut().filter_map(Value::as_object_mut) {
        if parts.contains_key("primary") {
            parts.insert("primary".to_owned(), json!(false));
        }
    }
}
