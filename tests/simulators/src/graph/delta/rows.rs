//! Converts entries of a delta response into Graph's JSON.

use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::super::{RequestContext, groups};
use super::book::{Entry, Link, Live};
use super::options::{Options, Which};

/// Returns the row of an entry; `None` if the object was removed since the round started.
pub(super) fn row(context: &RequestContext<'_>, options: &Options, entry: &Entry) -> Option<Value> {
    let live = match entry {
        Entry::Live(live) => live,
        Entry::Removed(id, reason) => {
            return Some(json!({"id": id, "@removed": {"reason": reason}}));
        }
    };
    let mut row = Map::new();
    row.insert("id".to_owned(), json!(live.id));
    for (place, (name, value)) in properties(context, options, live)?.into_iter().enumerate() {
        // A property that was never set is missing, a cleared one is null.
        if !value.is_null() || live.ever >> place & 1 == 1 {
            row.insert(name.to_owned(), value);
        }
    }
    if !live.links.is_empty() {
        let name = match options.which {
            Which::Users => "manager@delta",
            Which::Groups => "members@delta",
        };
        let links = live
            .links
            .iter()
            .map(|it| link(context, options.which, *it));
        row.insert(name.to_owned(), Value::Array(links.collect()));
    }
    Some(Value::Object(row))
}

/// Returns the selected properties in the order of selection.
fn properties(
    context: &RequestContext<'_>,
    options: &Options,
    live: &Live,
) -> Option<Vec<(&'static str, Value)>> {
    let state = &context.tenant.state;
    match options.which {
        Which::Users => {
            let person = context.tenant.person(live.id)?;
            let all = options.users.iter();
            let all = all.map(|it| (it.name(), it.of(state, person).into_json()));
            Some(all.collect())
        }
        Which::Groups => {
            let mut row = groups::shape(context, context.tenant.group(live.id)?);
            let all = options.groups.iter();
            Some(all.map(|it| (*it, row[*it].take())).collect())
        }
    }
}

fn link(context: &RequestContext<'_>, which: Which, link: Link) -> Value {
    match (which, link.removed) {
        (Which::Users, true) => json!({"id": link.id, "@removed": {"reason": "deleted"}}),
        (_, true) => json!({
            "@odata.type": type_of(context, link.id),
            "id": link.id,
            "@removed": {"reason": "deleted"},
        }),
        (_, false) => json!({"@odata.type": type_of(context, link.id), "id": link.id}),
    }
}

/// Returns the type: known groups are groups, all other ids are current or former users.
fn type_of(context: &RequestContext<'_>, id: Uuid) -> &'static str {
    if context.tenant.index.groups.contains_key(&id) {
        "#microsoft.graph.group"
    } else {
        "#microsoft.graph.user"
    }
}
