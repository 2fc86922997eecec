//! Lists of resources: filtered, paged, always in order of creation.

use serde_json::{Value, json};

use super::RequestContext;
use super::error::ScimError;
use super::filter::{self, Filter, Op, Operand, Scope};
use super::matching::Subject;
use super::schema::Kind;
use super::shape::{self, Projection};
use super::state::ScimResource;

/// `GET /Users` and `GET /Groups`.
pub(super) fn get(context: &RequestContext<'_>, kind: Kind) -> Result<Value, ScimError> {
    let filter = wanted(context, kind)?;
    let start = number(context, "startIndex")?.unwrap_or(1).max(1);
    let most = context.state.behaviour.max_results;
    let count = number(context, "count")?.map_or(most, |it| it.min(most));
    let projection = Projection::of(context.call, kind);
    let all = context.state.all(kind);
    let Some(filter) = filter else {
        let page = all.iter().skip(start - 1).take(count);
        let page = page.map(|(id, it)| shape::resource(context, kind, id, it, &projection));
        return Ok(response(page.collect(), all.len(), start));
    };
    let fits = |id: &str, it: &ScimResource| Subject::Resource(id, it).fits(&filter);
    let found: Vec<(&String, &ScimResource)> = match candidates(context, kind, &filter) {
        Some(ids) => {
            let known = ids.iter().filter_map(|id| all.get_key_value(id));
            known.filter(|(id, it)| fits(id, it)).collect()
        }
        None => all.iter().filter(|(id, it)| fits(id, it)).collect(),
    };
    let page = found.iter().skip(start - 1).take(count);
    let page = page.map(|(id, it)| shape::resource(context, kind, id, it, &projection));
    Ok(response(page.collect(), found.len(), start))
}

/// Returns a page in SCIM's envelope.
pub(super) fn response(page: Vec<Value>, total: usize, start: usize) -> Value {
    let mut body = json!({
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:ListResponse"],
        "totalResults": total,
        "startIndex": start,
        "itemsPerPage": page.len(),
    });
    if !page.is_empty() {
        body["Resources"] = Value::Array(page);
    }
    body
}

fn wanted(context: &RequestContext<'_>, kind: Kind) -> Result<Option<Filter>, ScimError> {
    let Some(text) = context.call.param("filter") else {
        return Ok(None);
    };
    let can = &context.state.behaviour;
    if !can.filter {
        return Err(ScimError::bad(
            "invalidFilter",
            "Filters are not supported.",
        ));
    }
    let filter = filter::parse(Scope::Resource(kind), text)?;
    if !can.last_modified_filter && filter.names("meta", "lastModified") {
        let text = "meta.lastModified cannot be used in filters.";
        return Err(ScimError::bad("invalidFilter", text));
    }
    Ok(Some(filter))
}

/// Returns a number from the query; a negative one is zero.
fn number(context: &RequestContext<'_>, name: &str) -> Result<Option<usize>, ScimError> {
    let Some(text) = context.call.param(name) else {
        return Ok(None);
    };
    let number: i64 = text
        .parse()
        .map_err(|_| ScimError::value(format!("'{name}' is no number.")))?;
    Ok(Some(usize::try_from(number).unwrap_or(0)))
}

/// Returns the only ids that can match, in order, if there is an index for the filter.
fn candidates(context: &RequestContext<'_>, kind: Kind, filter: &Filter) -> Option<Vec<String>> {
    match filter {
        Filter::And(a, b) => candidates(context, kind, a).or_else(|| candidates(context, kind, b)),
        Filter::Or(a, b) => {
            let mut ids = candidates(context, kind, a)?;
            ids.extend(candidates(context, kind, b)?);
            ids.sort_unstable();
            ids.dedup();
            Some(ids)
        }
        Filter::Compare(path, Op::Eq, Operand::Text(text)) if path.extension.is_none() => {
            let index = &context.scim.index;
            match path.attr.name {
                "id" => Some(vec![text.clone()]),
                "userName" => Some(index.named(text).into_iter().cloned().collect()),
                "externalId" => {
                    let ids = index.external(kind, text).into_iter().flatten();
                    Some(ids.cloned().collect())
                }
                _ => None,
            }
        }
        _ => None,
    }
}
