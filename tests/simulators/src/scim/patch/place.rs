//! Parses paths of operations, including value filters in brackets.

use super::super::attribute::{Attr, AttrPath, Named, find};
use super::super::error::ScimError;
use super::super::filter::{self, Filter, Scope};
use super::super::schema::{Kind, Schema};

/// The target of an operation.
pub(super) enum Place {
    /// A whole extension.
    Extension(&'static Schema),
    Attribute(Target),
}

/// An attribute, some of its values, or a sub-attribute of them.
pub(super) struct Target {
    pub(super) extension: Option<&'static str>,
    pub(super) attr: &'static Attr,
    /// Selects values; all if `None`.
    pub(super) filter: Option<Filter>,
    pub(super) sub: Option<&'static Attr>,
}

impl From<AttrPath> for Target {
    fn from(path: AttrPath) -> Self {
        Self {
            extension: path.extension,
            attr: path.attr,
            filter: None,
            sub: path.sub,
        }
    }
}

/// Parses a path.
pub(super) fn parse(kind: Kind, path: &str) -> Result<Place, ScimError> {
    let invalid = || ScimError::bad("invalidPath", format!("The path '{path}' names nothing."));
    let Some((name, rest)) = path.split_once('[') else {
        return match Named::parse(kind, path).ok_or_else(invalid)? {
            Named::Extension(schema) => Ok(Place::Extension(schema)),
            Named::Attribute(path) => Ok(Place::Attribute(path.into())),
        };
    };
    let named = Named::parse(kind, name).and_then(Named::attribute);
    let named = named.filter(|it| it.attr.multi && it.sub.is_none() && !it.attr.sub.is_empty());
    let named = named.ok_or_else(invalid)?;
    let (inner, part) = rest.rsplit_once(']').ok_or_else(invalid)?;
    let filter = filter::parse(Scope::Values(named.attr), inner).map_err(|_| invalid())?;
    let sub = match part.strip_prefix('.') {
        Some(part) => Some(find(named.attr.sub, part).ok_or_else(invalid)?),
        None if part.is_empty() => None,
        None => return Err(invalid()),
    };
    Ok(Place::Attribute(Target {
        extension: named.extension,
        attr: named.attr,
        filter: Some(filter),
        sub,
    }))
}
