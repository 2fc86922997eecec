//! The scope of a delta request: object type, selected properties, and links.

use std::collections::BTreeSet;

use uuid::Uuid;

use super::super::RequestContext;
use super::super::error::GraphError;
use super::super::query::literal_text;
use super::super::user_fields::Property;
use super::super::users::DEFAULTS;
use super::token::Token;

/// Maximum ids in a filter.
const MAX_IDS: usize = 50;
/// Properties of groups that can be tracked; the first ones are the default without `$select`.
const GROUP: &[&str] = &[
    "displayName",
    "description",
    "createdDateTime",
    "groupTypes",
    "mail",
    "mailEnabled",
    "mailNickname",
    "onPremisesSyncEnabled",
    "securityEnabled",
    "visibility",
    "uniqueName",
    "isAssignableToRole",
];
const GROUP_DEFAULTS: usize = 10;

/// The object type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Which {
    Users,
    Groups,
}

/// The scope; the token contains it from request to request.
pub(super) struct Options {
    pub(super) which: Which,
    /// Selected properties of users, without the id.
    pub(super) users: Vec<Property>,
    /// Selected properties of groups, without the id.
    pub(super) groups: Vec<&'static str>,
    /// Whether managers of users or members of groups are tracked.
    pub(super) links: bool,
    /// The ids the request is limited to, if any.
    pub(super) ids: Option<BTreeSet<Uuid>>,
    pub(super) select: Option<String>,
    pub(super) filter: Option<String>,
}

impl Which {
    /// Returns the set's name in URLs.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Users => "users",
            Self::Groups => "groups",
        }
    }

    fn link(self) -> &'static str {
        match self {
            Self::Users => "manager",
            Self::Groups => "members",
        }
    }

    fn type_name(self) -> &'static str {
        match self {
            Self::Users => "microsoft.graph.user",
            Self::Groups => "microsoft.graph.group",
        }
    }
}

impl Options {
    /// Parses the options of a first request.
    pub(super) fn of_request(
        context: &RequestContext<'_>,
        which: Which,
    ) -> Result<Self, GraphError> {
        let mut refused = vec!["$top", "$orderby", "$expand", "$search", "$count"];
        if which == Which::Users {
            refused.push("$filter");
        }
        if let Some(option) = refused.iter().find(|it| context.call.param(it).is_some()) {
            let text = format!("The query option '{option}' is not supported by delta queries.");
            return Err(GraphError::new(400, "Request_UnsupportedQuery", text));
        }
        let own = |name: &str| context.call.param(name).map(str::to_owned);
        Self::new(which, own("$select"), own("$filter"))
    }

    /// Returns the options a token was created with.
    pub(super) fn of_token(token: &Token, which: Which) -> Result<Self, GraphError> {
        Self::new(which, token.select.clone(), token.filter.clone())
    }

    fn new(
        which: Which,
        select: Option<String>,
        filter: Option<String>,
    ) -> Result<Self, GraphError> {
        let mut options = Self {
            which,
            users: Vec::new(),
            groups: Vec::new(),
            links: false,
            ids: filter.as_deref().map(ids).transpose()?,
            select,
            filter,
        };
        match options.select.clone() {
            Some(list) => {
                for name in list.split(',').map(str::trim) {
                    options.follow(name)?;
                }
            }
            None if which == Which::Users => {
                for name in DEFAULTS {
                    options.follow(name)?;
                }
            }
            None => {
                options.groups = GROUP[..GROUP_DEFAULTS].to_vec();
            }
        }
        Ok(options)
    }

    fn follow(&mut self, name: &str) -> Result<(), GraphError> {
        if name.eq_ignore_ascii_case("id") {
            return Ok(());
        }
        if name.eq_ignore_ascii_case(self.which.link()) {
            self.links = true;
            return Ok(());
        }
        let unknown = || {
            let kind = self.which.type_name();
            GraphError::bad(format!(
                "Parsing OData Select and Expand failed: Could not find a property named '{name}' \
                 on type '{kind}'."
            ))
        };
        match self.which {
            Which::Users => {
                let property = Property::parse(name).ok_or_else(unknown)?;
                if !self.users.contains(&property) {
                    self.users.push(property);
                }
            }
            Which::Groups => {
                let mut known = GROUP.iter().copied();
                let property = known.find(|it| it.eq_ignore_ascii_case(name));
                let property = property.ok_or_else(unknown)?;
                if !self.groups.contains(&property) {
                    self.groups.push(property);
                }
            }
        }
        Ok(())
    }

    /// Returns the options as a query, with `&` after each.
    pub(super) fn query(&self) -> String {
        let pairs = [("$select", &self.select), ("$filter", &self.filter)];
        let given = pairs.iter().filter_map(|(name, value)| {
            let value = value.as_deref()?.as_bytes();
            let value: String = url::form_urlencoded::byte_serialize(value).collect();
            Some(format!("{name}={}&", value.replace('+', "%20")))
        });
        given.collect()
    }

    /// Returns whether the object is in scope.
    pub(super) fn includes(&self, id: Uuid) -> bool {
        self.ids.as_ref().is_none_or(|ids| ids.contains(&id))
    }
}

/// Returns the ids of `id eq '…' or id eq '…'`.
fn ids(filter: &str) -> Result<BTreeSet<Uuid>, GraphError> {
    let refuse = |text: String| GraphError::new(400, "Request_UnsupportedQuery", text);
    let parts: Vec<&str> = filter.split(" or ").collect();
    if parts.len() > MAX_IDS {
        let text = format!("A delta query can be filtered by at most {MAX_IDS} ids.");
        return Err(refuse(text));
    }
    let ids: Option<BTreeSet<Uuid>> = parts
        .into_iter()
        .map(|part| {
            let part = part.trim().trim_start_matches('(').trim_end_matches(')');
            let literal = part.trim().strip_prefix("id eq ")?;
            literal_text(literal.trim())?.parse().ok()
        })
        .collect();
    ids.ok_or_else(|| {
        refuse(format!(
            "Unsupported or invalid query filter clause: '{filter}'. Delta queries can be \
             filtered by ids only."
        ))
    })
}
