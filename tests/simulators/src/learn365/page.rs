//! OData collections: counts, filters, pages and selects rows of any set.

use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::{Answer, RequestContext, refuse};
use crate::call::Reply;

/// A value compared by filters.
pub(super) enum Field<'a> {
    /// A Guid or null.
    Id(Option<Uuid>),
    /// Text or null.
    Text(Option<&'a str>),
    /// Text created for the comparison.
    Owned(String),
    /// Boolean.
    Flag(bool),
}

impl Field<'_> {
    /// Returns whether it equals this text, ignoring case like the vendor's database.
    pub(super) fn is_text(&self, text: &str) -> bool {
        match self {
            Field::Text(Some(own)) => own.to_lowercase() == text.to_lowercase(),
            Field::Owned(own) => own.to_lowercase() == text.to_lowercase(),
            _ => false,
        }
    }

    /// Returns whether it equals this id.
    pub(super) fn is_id(&self, id: Uuid) -> bool {
        matches!(self, Field::Id(Some(own)) if *own == id)
    }
}

/// An entity set; rows are accessed by position, so that a page only reads its own rows.
pub(super) trait Set {
    /// Name in the URL.
    fn name(&self) -> &'static str;
    /// Number of rows.
    fn len(&self) -> usize;
    /// Returns a property for filters; `None` if rows have no such property.
    fn field(&self, at: usize, path: &str) -> Option<Field<'_>>;
    /// Returns the row as JSON.
    fn json(&self, at: usize) -> Value;
}

enum Literal {
    Id(Uuid),
    Text(String),
    Flag(bool),
    Null,
}

/// `path eq literal` terms, all of which must match.
struct Filter(Vec<(String, Literal)>);

/// `GET Set`.
pub(super) fn list(context: &RequestContext<'_>, set: &dyn Set) -> Answer {
    let rows = matching(context, set)?;
    let skip = number(context, "$skip")?.unwrap_or(0);
    let limit = context.tenant.state.world.behaviour.lms_page();
    let size = number(context, "$top")?.map_or(limit, |top| top.min(limit));
    let end = skip.saturating_add(size).min(rows.len());
    let shown = skip.min(end)..end;
    let mut body = Map::new();
    let url = format!(
        "{}/learn365/odata/v2/$metadata#{}",
        context.origin,
        set.name()
    );
    body.insert("@odata.context".to_owned(), json!(url));
    if context
        .call
        .param("$count")
        .is_some_and(|it| it.eq_ignore_ascii_case("true"))
    {
        body.insert("@odata.count".to_owned(), json!(rows.len()));
    }
    let value = shown
        .map(|nth| select(context, set.json(rows.at(nth))))
        .collect();
    body.insert("value".to_owned(), Value::Array(value));
    if size > 0 && end < rows.len() {
        body.insert(
            "@odata.nextLink".to_owned(),
            json!(next_link(context, set, end)),
        );
    }
    Ok(Reply::json(200, Value::Object(body)))
}

/// `GET Set/$count`.
pub(super) fn count(context: &RequestContext<'_>, set: &dyn Set) -> Answer {
    Ok(Reply::text(matching(context, set)?.len().to_string()))
}

/// Returns the `$select`ed properties and expanded ones.
pub(super) fn select(context: &RequestContext<'_>, row: Value) -> Value {
    let Some(list) = context.call.param("$select") else {
        return row;
    };
    let names: Vec<&str> = list.split(',').map(str::trim).collect();
    let expanded = context.call.param("$expand").unwrap_or_default();
    match row {
        Value::Object(fields) => {
            let kept = fields.into_iter().filter(|(name, _)| {
                names.contains(&name.as_str()) || expanded.starts_with(name.as_str())
            });
            Value::Object(kept.collect())
        }
        other => other,
    }
}

/// The rows that match a filter: all of them without materialising, or their positions.
enum Rows {
    All(usize),
    Some(Vec<usize>),
}

impl Rows {
    fn len(&self) -> usize {
        match self {
            Rows::All(len) => *len,
            Rows::Some(rows) => rows.len(),
        }
    }

    fn at(&self, nth: usize) -> usize {
        match self {
            Rows::All(_) => nth,
            Rows::Some(rows) => rows[nth],
        }
    }
}

fn matching(context: &RequestContext<'_>, set: &dyn Set) -> Result<Rows, Reply> {
    let Some(text) = context.call.param("$filter") else {
        return Ok(Rows::All(set.len()));
    };
    let filter = Filter::parse(text).ok_or_else(|| {
        refuse(
            400,
            "BadRequest",
            &format!("The query specified in the URI is not valid: {text}"),
        )
    })?;
    let mut rows = Vec::new();
    for at in 0..set.len() {
        match filter.accepts(set, at) {
            Ok(true) => rows.push(at),
            Ok(false) => {}
            Err(name) => {
                let text = format!("Could not find a property named '{name}'.");
                return Err(refuse(400, "BadRequest", &text));
            }
        }
    }
    Ok(Rows::Some(rows))
}

impl Filter {
    fn parse(text: &str) -> Option<Self> {
        let terms = text.split(" and ").map(|term| {
            let (path, literal) = term.trim().split_once(" eq ")?;
            Some((path.trim().to_owned(), Literal::parse(literal.trim())?))
        });
        terms.collect::<Option<Vec<_>>>().map(Self)
    }

    /// Returns whether the row matches, or the name of a missing property.
    fn accepts(&self, set: &dyn Set, at: usize) -> Result<bool, &str> {
        for (path, literal) in &self.0 {
            let field = set.field(at, path).ok_or(path.as_str())?;
            if !literal.equals(&field) {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

impl Literal {
    fn parse(text: &str) -> Option<Self> {
        match text {
            "true" => return Some(Self::Flag(true)),
            "false" => return Some(Self::Flag(false)),
            "null" => return Some(Self::Null),
            _ => {}
        }
        if let Ok(id) = text.parse() {
            return Some(Self::Id(id));
        }
        let inner = text.strip_prefix('\'')?.strip_suffix('\'')?;
        Some(Self::Text(inner.replace("''", "'")))
    }

    fn equals(&self, field: &Field<'_>) -> bool {
        match self {
            Self::Id(id) => field.is_id(*id),
            Self::Text(text) => field.is_text(text),
            Self::Flag(flag) => matches!(field, Field::Flag(own) if own == flag),
            Self::Null => matches!(field, Field::Id(None) | Field::Text(None)),
        }
    }
}

fn number(context: &RequestContext<'_>, name: &str) -> Result<Option<usize>, Reply> {
    let Some(text) = context.call.param(name) else {
        return Ok(None);
    };
    text.parse().map(Some).map_err(|_| {
        refuse(
            400,
            "BadRequest",
            &format!("Invalid value '{text}' for {name} query option found."),
        )
    })
}

fn next_link(context: &RequestContext<'_>, set: &dyn Set, skip: usize) -> String {
    let origin = context
        .tenant
        .state
        .world
        .behaviour
        .link_origin(context.origin);
    let mut link = format!("{origin}/learn365/odata/v2/{}?", set.name());
    for (name, value) in context
        .call
        .query
        .iter()
        .filter(|(name, _)| name != "$skip")
    {
        let value: String = url::form_urlencoded::byte_serialize(value.as_bytes()).collect();
        link.push_str(name);
        link.push('=');
        link.push_str(&value.replace('+', "%20"));
        link.push('&');
    }
    link + "$skip=" + &skip.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filters_are_conjunctions_of_equalities() {
        let id = Uuid::from_u128(7);
        let filter = Filter::parse(&format!("CourseCatalogId eq {id} and IsPublished eq true"));
        let filter = filter.expect("a valid filter");
        assert!(filter.0[0].1.equals(&Field::Id(Some(id))));
        assert!(filter.0[1].1.equals(&Field::Flag(true)));
        assert!(Filter::parse("Email eq 'o''brien@x.example'").is_some());
        assert!(Filter::parse("CreatedAt ge 2026-01-01T00:00:00Z").is_none());
    }
}
