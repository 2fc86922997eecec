//! `$filter` on users: clauses, their requirements, and matching.

mod parse;

use super::error::GraphError;
use super::user_fields::{Field, Property};
use super::{RequestContext, query};
use crate::state::TenantState;
use crate::world::Person;

/// A parsed `$filter`; text is already lower case, because Graph compares ignoring case.
#[derive(Debug, PartialEq)]
pub(super) enum Clause {
    /// Both sides match.
    And(Box<Clause>, Box<Clause>),
    /// One side matches.
    Or(Box<Clause>, Box<Clause>),
    /// The inner clause does not match.
    Not(Box<Clause>),
    /// The property is one of the values.
    In(Property, Vec<Literal>),
    /// The property is not the value.
    Ne(Property, Literal),
    /// The property starts with the text.
    Starts(Property, String),
    /// The property ends with the text.
    Ends(Property, String),
}

/// A value in a clause.
#[derive(Debug, PartialEq)]
pub(super) enum Literal {
    Null,
    Flag(bool),
    Text(String),
}

impl Clause {
    /// Parses the request's `$filter`; clauses that need the eventually consistent index are an
    /// error unless the request asks for it, with `$count=true` or (`counts`) by being a count
    /// itself.
    pub(super) fn of(
        context: &RequestContext<'_>,
        counts: bool,
    ) -> Result<Option<Self>, GraphError> {
        let Some(filter) = context.call.param("$filter") else {
            return Ok(None);
        };
        let clause = parse::clause(filter)?;
        let counts = counts || query::wants_count(context)?;
        match clause.advanced() {
            Some(operator) if !counts || !query::is_eventual(context) => {
                let text = format!(
                    "Operator '{operator}' is not supported because the required parameters \
                     might be missing. Try adding $count=true query parameter and \
                     ConsistencyLevel:eventual header. Refer to \
                     https://aka.ms/graph-docs/advanced-queries for more information"
                );
                Err(GraphError::new(400, "Request_UnsupportedQuery", text))
            }
            _ => Ok(Some(clause)),
        }
    }

    /// Returns whether the user matches.
    pub(super) fn accepts(&self, state: &TenantState, person: &Person) -> bool {
        match self {
            Self::And(a, b) => a.accepts(state, person) && b.accepts(state, person),
            Self::Or(a, b) => a.accepts(state, person) || b.accepts(state, person),
            Self::Not(inner) => !inner.accepts(state, person),
            Self::In(property, values) => {
                let field = property.of(state, person);
                values.iter().any(|value| value.is(&field))
            }
            Self::Ne(property, value) => !value.is(&property.of(state, person)),
            Self::Starts(property, text) => match property.of(state, person) {
                Field::Text(own) => own.to_lowercase().starts_with(text),
                _ => false,
            },
            Self::Ends(property, text) => match property.of(state, person) {
                Field::Text(own) => own.to_lowercase().ends_with(text),
                _ => false,
            },
        }
    }

    /// Returns an operator in the clause that only the eventually consistent index supports.
    fn advanced(&self) -> Option<&'static str> {
        match self {
            Self::And(a, b) | Self::Or(a, b) => a.advanced().or_else(|| b.advanced()),
            Self::Not(_) => Some("not"),
            Self::Ne(..) => Some("ne"),
            Self::Ends(..) => Some("endsWith"),
            Self::In(..) | Self::Starts(..) => None,
        }
    }
}

impl Literal {
    fn is(&self, field: &Field<'_>) -> bool {
        match (self, field) {
            (Self::Null, Field::Null) => true,
            (Self::Flag(a), Field::Flag(b)) => a == b,
            (Self::Text(a), Field::Text(b)) => *a == b.to_lowercase(),
            _ => false,
        }
    }
}
