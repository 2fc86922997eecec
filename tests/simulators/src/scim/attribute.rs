//! Attributes of SCIM schemas, and paths that refer to them.

use super::schema::{COMMON, Kind, Schema};

/// The data type of an attribute.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Type {
    Text,
    Flag,
    Time,
    Reference,
    Complex,
}

/// An attribute of a schema, or a sub-attribute of a complex one.
#[derive(Debug, Clone, Copy)]
pub(super) struct Attr {
    pub(super) name: &'static str,
    pub(super) kind: Type,
    pub(super) multi: bool,
    pub(super) sub: &'static [Attr],
    pub(super) required: bool,
    /// Whether text is compared case-sensitively.
    pub(super) exact: bool,
    pub(super) read_only: bool,
    /// Whether it is accepted but never returned.
    pub(super) secret: bool,
    pub(super) unique: bool,
    /// Types of resources that a reference or a text may refer to; any if empty.
    pub(super) refers: &'static [&'static str],
    /// Whether it is set together with its parent value and not changed afterwards.
    pub(super) immutable: bool,
}

/// A text, not yet named.
pub(super) const TEXT: Attr = Attr::new(Type::Text);
/// A boolean, not yet named.
pub(super) const FLAG: Attr = Attr::new(Type::Flag);
/// A time, not yet named.
pub(super) const TIME: Attr = Attr::new(Type::Time);
/// A reference, not yet named.
pub(super) const REFERENCE: Attr = Attr::new(Type::Reference);
/// An object, not yet named.
pub(super) const COMPLEX: Attr = Attr::new(Type::Complex);

impl Attr {
    const fn new(kind: Type) -> Self {
        Self {
            name: "",
            kind,
            multi: false,
            sub: &[],
            required: false,
            exact: false,
            read_only: false,
            secret: false,
            unique: false,
            refers: &[],
            immutable: false,
        }
    }

    pub(super) const fn named(mut self, name: &'static str) -> Self {
        self.name = name;
        self
    }

    pub(super) const fn many(mut self) -> Self {
        self.multi = true;
        self
    }

    pub(super) const fn with(mut self, sub: &'static [Attr]) -> Self {
        self.sub = sub;
        self
    }

    pub(super) const fn required(mut self) -> Self {
        self.required = true;
        self
    }

    pub(super) const fn exact(mut self) -> Self {
        self.exact = true;
        self
    }

    pub(super) const fn read_only(mut self) -> Self {
        self.read_only = true;
        self
    }

    pub(super) const fn secret(mut self) -> Self {
        self.secret = true;
        self
    }

    pub(super) const fn unique(mut self) -> Self {
        self.unique = true;
        self
    }

    pub(super) const fn to(mut self, kinds: &'static [&'static str]) -> Self {
        self.refers = kinds;
        self
    }

    pub(super) const fn immutable(mut self) -> Self {
        self.immutable = true;
        self
    }
}

/// Returns the attribute with this name, ignoring case.
pub(super) fn find(attributes: &'static [Attr], name: &str) -> Option<&'static Attr> {
    attributes
        .iter()
        .find(|it| it.name.eq_ignore_ascii_case(name))
}

/// An attribute of a resource, or a sub-attribute.
#[derive(Debug, Clone, Copy)]
pub(super) struct AttrPath {
    /// The URN of the extension that defines it, if any.
    pub(super) extension: Option<&'static str>,
    pub(super) attr: &'static Attr,
    pub(super) sub: Option<&'static Attr>,
}

/// The target of a path without brackets.
#[derive(Debug, Clone, Copy)]
pub(super) enum Named {
    /// A whole extension.
    Extension(&'static Schema),
    Attribute(AttrPath),
}

impl Named {
    /// Parses `name`, `name.part`, `urn:…:name.part` or the URN of an extension.
    pub(super) fn parse(kind: Kind, text: &str) -> Option<Self> {
        let (extension, core) = (kind.extension(), kind.core());
        if let Some(rest) = after_urn(extension.urn, text) {
            let Some(path) = rest.strip_prefix(':') else {
                return rest.is_empty().then_some(Self::Extension(extension));
            };
            return inside(path, extension.attributes, Some(extension.urn));
        }
        let path = match after_urn(core.urn, text) {
            Some(rest) => rest.strip_prefix(':')?,
            None => text,
        };
        inside(path, core.attributes, None).or_else(|| inside(path, &COMMON, None))
    }

    /// Returns the attribute; `None` for a whole extension.
    pub(super) fn attribute(self) -> Option<AttrPath> {
        match self {
            Self::Extension(_) => None,
            Self::Attribute(path) => Some(path),
        }
    }
}

fn inside(
    path: &str,
    attributes: &'static [Attr],
    extension: Option<&'static str>,
) -> Option<Named> {
    let (name, part) = match path.split_once('.') {
        Some((name, part)) => (name, Some(part)),
        None => (path, None),
    };
    let attr = find(attributes, name)?;
    let sub = match part {
        Some(part) => Some(find(attr.sub, part)?),
        None => None,
    };
    Some(Named::Attribute(AttrPath {
        extension,
        attr,
        sub,
    }))
}

fn after_urn<'a>(urn: &str, text: &'a str) -> Option<&'a str> {
    let start = text.get(..urn.len())?;
    start.eq_ignore_ascii_case(urn).then(|| &text[urn.len()..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_name_attributes_of_all_schemas() {
        let shown = |text: &str| {
            let path = Named::parse(Kind::User, text)?.attribute()?;
            let urn = path.extension.map_or("core", |_| "extension");
            Some((urn, path.attr.name, path.sub.map(|it| it.name)))
        };
        assert_eq!(shown("USERNAME"), Some(("core", "userName", None)));
        assert_eq!(
            shown("urn:ietf:params:scim:schemas:core:2.0:User:name.givenname"),
            Some(("core", "name", Some("givenName")))
        );
        let urn = Kind::User.extension().urn;
        assert_eq!(
            shown(&format!("{urn}:manager.value")),
            Some(("extension", "manager", Some("value")))
        );
        assert_eq!(
            shown("meta.lastModified"),
            Some(("core", "meta", Some("lastModified")))
        );
        assert_eq!(shown("department"), None);
        assert!(matches!(
            Named::parse(Kind::User, urn),
            Some(Named::Extension(_))
        ));
    }
}
