//! Query options of Graph collections: `$select`, `$top`, `$skiptoken`, nextLinks, simple filters.

use serde_json::{Map, Value, json};

use super::RequestContext;
use super::error::GraphError;
use crate::call::Reply;

/// Default page size.
const DEFAULT_PAGE: usize = 100;
/// Maximum `$top` of directory objects.
const MAX_PAGE: usize = 999;

/// Returns `$top`, or the default.
pub(super) fn top(context: &RequestContext<'_>) -> Result<usize, GraphError> {
    top_or(context, DEFAULT_PAGE)
}

/// Returns `$top`, or a collection-specific default.
pub(super) fn top_or(context: &RequestContext<'_>, default: usize) -> Result<usize, GraphError> {
    let Some(text) = context.call.param("$top") else {
        return Ok(default);
    };
    match text.parse() {
        Ok(top) if (1..=MAX_PAGE).contains(&top) => Ok(top),
        _ => Err(GraphError::new(
            400,
            "Request_UnsupportedQuery",
            format!("Invalid page size specified: '{text}'. Must be between 1 and 999 inclusive."),
        )),
    }
}

/// Returns whether the request may use advanced queries.
pub(super) fn is_eventual(context: &RequestContext<'_>) -> bool {
    context
        .call
        .header("consistencylevel")
        .is_some_and(|it| it.eq_ignore_ascii_case("eventual"))
}

/// Returns an error for a `$count` that does not request the eventually consistent index.
pub(super) fn need_eventual(context: &RequestContext<'_>) -> Result<(), GraphError> {
    if is_eventual(context) {
        Ok(())
    } else {
        Err(GraphError::bad("$count is not currently supported."))
    }
}

/// Returns whether `$count=true` is requested, which requires `ConsistencyLevel: eventual`.
pub(super) fn wants_count(context: &RequestContext<'_>) -> Result<bool, GraphError> {
    let asked = context
        .call
        .param("$count")
        .is_some_and(|it| it.eq_ignore_ascii_case("true"));
    if asked {
        need_eventual(context)?;
    }
    Ok(asked)
}

/// Returns the position from one of our nextLinks; the token is opaque to clients.
pub(super) fn position(context: &RequestContext<'_>) -> Result<Option<u128>, GraphError> {
    let Some(token) = context.call.param("$skiptoken") else {
        return Ok(None);
    };
    let position = token
        .strip_prefix("RFNwdAo")
        .and_then(|hex| u128::from_str_radix(hex, 16).ok());
    match position {
        Some(position) => Ok(Some(position)),
        None => Err(GraphError::new(
            400,
            "Directory_ExpiredPageToken",
            "Invalid skip token.",
        )),
    }
}

/// Returns a link to the page that starts at `position`, with all other options.
fn next_link(context: &RequestContext<'_>, position: u128) -> String {
    let origin = context
        .tenant
        .state
        .world
        .behaviour
        .link_origin(context.origin);
    let path = context.call.target.split('?').next().unwrap_or_default();
    let mut link = format!("{origin}{path}?");
    for (name, value) in &context.call.query {
        if name != "$skiptoken" {
            let value: String = url::form_urlencoded::byte_serialize(value.as_bytes()).collect();
            link += &[name, "=", &value.replace('+', "%20"), "&"].concat();
        }
    }
    format!("{link}$skiptoken=RFNwdAo{position:x}")
}

/// A page of a collection.
pub(super) struct Page {
    /// Name of the collection in `@odata.context`.
    pub(super) set: String,
    /// The rows in their final form.
    pub(super) rows: Vec<Value>,
    /// Position of the next page.
    pub(super) next: Option<u128>,
    /// Total for `@odata.count`; Graph returns it on the first page only.
    pub(super) count: Option<usize>,
}

/// Wraps a page in the OData envelope.
pub(super) fn page(context: &RequestContext<'_>, page: Page) -> Reply {
    let mut body = Map::new();
    body.insert(
        "@odata.context".to_owned(),
        json!(context_url(context, &page.set)),
    );
    if let Some(count) = page.count {
        body.insert("@odata.count".to_owned(), json!(count));
    }
    if let Some(next) = page.next {
        body.insert(
            "@odata.nextLink".to_owned(),
            json!(next_link(context, next)),
        );
    }
    body.insert("value".to_owned(), Value::Array(page.rows));
    Reply::json(200, Value::Object(body))
}

/// Returns the `@odata.context` of a set.
pub(super) fn context_url(context: &RequestContext<'_>, set: &str) -> String {
    format!("{}/graph/v1.0/$metadata#{set}", context.origin)
}

/// Returns the selected properties (and control information); all if none are selected.
pub(super) fn select(context: &RequestContext<'_>, row: Value, defaults: &[&str]) -> Value {
    let asked = context
        .call
        .param("$select")
        .map(|list| list.split(',').map(str::trim).collect());
    let keep: Vec<&str> = asked.unwrap_or_else(|| defaults.to_vec());
    match row {
        Value::Object(fields) if !keep.is_empty() && !keep.contains(&"*") => {
            let kept = fields.into_iter().filter(|(name, _)| {
                name.starts_with('@') || name == "manager" || keep.contains(&name.as_str())
            });
            Value::Object(kept.collect())
        }
        other => other,
    }
}

/// A `$filter` of the form `property eq 'text'` or `startswith(property,'text')`.
pub(super) struct Filter {
    property: String,
    text: String,
    prefix: bool,
}

impl Filter {
    /// Parses the request's `$filter`; any other form is an error.
    pub(super) fn of(context: &RequestContext<'_>) -> Result<Option<Self>, GraphError> {
        let Some(filter) = context.call.param("$filter") else {
            return Ok(None);
        };
        // The documentation of `uniqueName` names no filter: groups are read by that key.
        let parsed = Self::parse(filter.trim()).filter(|it| it.property != "uniqueName");
        parsed.map(Some).ok_or_else(|| {
            let text = format!("Unsupported or invalid query filter clause: '{filter}'.");
            GraphError::new(400, "Request_UnsupportedQuery", text)
        })
    }

    fn parse(filter: &str) -> Option<Self> {
        if let Some(inner) = filter
            .strip_prefix("startswith(")
            .and_then(|it| it.strip_suffix(')'))
        {
            let (property, literal) = inner.split_once(',')?;
            let text = literal_text(literal.trim())?;
            return Some(Self {
                property: property.trim().to_owned(),
                text,
                prefix: true,
            });
        }
        let (property, literal) = filter.split_once(" eq ")?;
        let text = literal_text(literal.trim())?;
        Some(Self {
            property: property.trim().to_owned(),
            text,
            prefix: false,
        })
    }

    /// Returns whether the row matches; Graph compares text ignoring case.
    pub(super) fn accepts(&self, row: &Value) -> bool {
        let value = row
            .get(&self.property)
            .and_then(Value::as_str)
            .map(str::to_lowercase);
        let text = self.text.to_lowercase();
        value.is_some_and(|value| {
            if self.prefix {
                value.starts_with(&text)
            } else {
                value == text
            }
        })
    }
}

/// Returns the text of an OData string literal, with quotes undoubled.
pub(super) fn literal_text(literal: &str) -> Option<String> {
    let inner = literal.strip_prefix('\'')?.strip_suffix('\'')?;
    let undoubled = inner.replace("''", "'");
    // A single quote inside means that the client did not double it.
    (undoubled.matches('\'').count() * 2 == inner.matches('\'').count()).then_some(undoubled)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filters_understand_doubled_quotes_and_refuse_single_ones() {
        let row = json!({"displayName": "O'Brien's team"});
        let filter = Filter::parse("displayName eq 'o''brien''s team'").expect("a valid filter");
        assert!(filter.accepts(&row));
        let filter = Filter::parse("startswith(displayName,'O''B')").expect("a valid filter");
        assert!(filter.accepts(&row));
        assert!(Filter::parse("displayName eq 'O'Brien'").is_none());
        assert!(Filter::parse("displayName ne 'x'").is_none());
    }
}
