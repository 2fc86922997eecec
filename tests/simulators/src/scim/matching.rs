//! Matches a resource, or one value of an attribute, against a filter.

use chrono::{DateTime, Utc};
use serde_json::Value;

use super::attribute::AttrPath;
use super::filter::{Filter, Op, Operand};
use super::state::ScimResource;

/// The object of a filter.
pub(super) enum Subject<'a> {
    /// A resource with its id.
    Resource(&'a str, &'a ScimResource),
    /// One value of an attribute.
    Value(&'a Value),
    /// One member of a group.
    Member(&'a str),
}

/// A simple value.
enum Scalar<'a> {
    Text(&'a str),
    Flag(bool),
    Time(DateTime<Utc>),
}

impl Subject<'_> {
    /// Returns whether the filter matches.
    pub(super) fn fits(&self, filter: &Filter) -> bool {
        match filter {
            Filter::And(a, b) => self.fits(a) && self.fits(b),
            Filter::Or(a, b) => self.fits(a) || self.fits(b),
            Filter::Not(inner) => !self.fits(inner),
            Filter::Present(path) => self.any(path, &|_| true),
            Filter::Compare(path, Op::Eq, Operand::Null) => !self.any(path, &|_| true),
            Filter::Compare(path, Op::Ne, Operand::Null) => self.any(path, &|_| true),
            Filter::Compare(path, Op::Ne, operand) => !self.equals(path, operand),
            Filter::Compare(path, Op::Eq, operand) => self.equals(path, operand),
            Filter::Compare(path, op, operand) => {
                let exact = path.last().exact;
                self.any(path, &|value| compare(value, *op, operand, exact))
            }
            Filter::Any(path, inner) => self.any_value(path, inner),
        }
    }

    fn equals(&self, path: &AttrPath, operand: &Operand) -> bool {
        if let (Self::Resource(_, resource), "members", Operand::Text(id)) =
            (self, path.attr.name, operand)
            && path.sub.is_some_and(|sub| sub.name == "value")
        {
            return resource.members.contains(id);
        }
        let exact = path.last().exact;
        self.any(path, &|value| compare(value, Op::Eq, operand, exact))
    }

    /// Returns whether a simple value at the path satisfies the predicate.
    fn any(&self, path: &AttrPath, test: &dyn Fn(&Scalar<'_>) -> bool) -> bool {
        let (name, part) = (path.attr.name, path.sub.map(|it| it.name));
        match self {
            Self::Member(id) => name == "value" && test(&Scalar::Text(id)),
            Self::Value(value) => within(value.get(name), part, test),
            Self::Resource(id, resource) => match (name, part) {
                ("id", _) => test(&Scalar::Text(id)),
                ("meta", Some("created")) => test(&Scalar::Time(resource.created)),
                ("meta", Some("lastModified")) => test(&Scalar::Time(resource.last_modified)),
                ("members", None | Some("value")) => {
                    let mut members = resource.members.iter();
                    members.any(|id| test(&Scalar::Text(id)))
                }
                _ => {
                    let attributes = &resource.attributes;
                    let found = match path.extension {
                        Some(urn) => attributes.get(urn).and_then(|it| it.get(name)),
                        None => attributes.get(name),
                    };
                    within(found, part, test)
                }
            },
        }
    }

    fn any_value(&self, path: &AttrPath, inner: &Filter) -> bool {
        let Self::Resource(_, resource) = self else {
            return false;
        };
        if path.attr.name == "members" {
            let mut members = resource.members.iter();
            return members.any(|id| Subject::Member(id).fits(inner));
        }
        let found = match path.extension {
            Some(urn) => resource
                .attributes
                .get(urn)
                .and_then(|it| it.get(path.attr.name)),
            None => resource.attributes.get(path.attr.name),
        };
        match found {
            Some(Value::Array(values)) => values.iter().any(|it| Subject::Value(it).fits(inner)),
            Some(value) => Subject::Value(value).fits(inner),
            None => false,
        }
    }
}

fn within(value: Option<&Value>, part: Option<&str>, test: &dyn Fn(&Scalar<'_>) -> bool) -> bool {
    match value {
        Some(Value::Array(values)) => values.iter().any(|it| within(Some(it), part, test)),
        Some(Value::Object(fields)) => match part {
            Some(part) => within(fields.get(part), None, test),
            None => fields.values().any(|it| within(Some(it), None, test)),
        },
        Some(Value::String(text)) => test(&Scalar::Text(text)),
        Some(Value::Bool(flag)) => test(&Scalar::Flag(*flag)),
        _ => false,
    }
}

fn compare(value: &Scalar<'_>, op: Op, operand: &Operand, exact: bool) -> bool {
    match (value, operand) {
        (Scalar::Text(own), Operand::Text(other)) if exact => ordered(op, own, other.as_str()),
        (Scalar::Text(own), Operand::Text(other)) => {
            ordered(op, own.to_lowercase().as_str(), other.as_str())
        }
        (Scalar::Flag(own), Operand::Flag(other)) => op == Op::Eq && own == other,
        (Scalar::Time(own), Operand::Time(other)) => match op {
            Op::Eq => own == other,
            Op::Gt => own > other,
            Op::Ge => own >= other,
            Op::Lt => own < other,
            Op::Le => own <= other,
            _ => false,
        },
        _ => false,
    }
}

fn ordered(op: Op, own: &str, other: &str) -> bool {
    match op {
        Op::Eq => own == other,
        Op::Ne => own != other,
        Op::Co => own.contains(other),
        Op::Sw => own.starts_with(other),
        Op::Ew => own.ends_with(other),
        Op::Gt => own > other,
        Op::Ge => own >= other,
        Op::Lt => own < other,
        Op::Le => own <= other,
    }
}
