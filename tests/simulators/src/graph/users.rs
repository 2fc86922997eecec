//! `GET /users`, one user, and a user's manager.

use serde_json::{Value, json};

use super::error::GraphError;
use super::filter::Clause;
use super::query::{self, Page};
use super::{Answer, RequestContext, user_fields};
use crate::call::Reply;
use crate::world::Person;

/// Roles that may read users.
const READ: &[&str] = &[
    "User.ReadBasic.All",
    "User.Read.All",
    "User.ReadWrite.All",
    "Directory.Read.All",
    "Directory.ReadWrite.All",
];
/// Roles that may read more than names and addresses.
pub(super) const READ_FULL: &[&str] = &[
    "User.Read.All",
    "User.ReadWrite.All",
    "Directory.Read.All",
    "Directory.ReadWrite.All",
];
/// Properties visible to a token with only `User.ReadBasic.All`.
const BASIC: &[&str] = &[
    "id",
    "displayName",
    "givenName",
    "surname",
    "mail",
    "userPrincipalName",
];
/// Properties returned without `$select`.
pub(super) const DEFAULTS: &[&str] = &[
    "businessPhones",
    "displayName",
    "givenName",
    "id",
    "jobTitle",
    "mail",
    "mobilePhone",
    "officeLocation",
    "preferredLanguage",
    "surname",
    "userPrincipalName",
];
/// Graph ignores larger `$top` values when managers are expanded.
const PAGE_WITH_MANAGER: usize = 100;

/// `GET /users`, with any `$filter`; a page position is an index into all users.
pub(super) fn list(context: &mut RequestContext<'_>) -> Answer {
    context.need(READ)?;
    let clause = Clause::of(context, false)?;
    let mut top = query::top(context)?;
    let counted = query::wants_count(context)?;
    if expands_manager(context) {
        top = top.min(PAGE_WITH_MANAGER);
    }
    let from = query::position(context)?;
    let start = usize::try_from(from.unwrap_or(0)).unwrap_or(usize::MAX);
    let people = &context.tenant.index.entra;
    let later = people.iter().enumerate().skip(start);
    let fitting = later.filter(|(_, at)| fits(context, clause.as_ref(), **at));
    let found: Vec<(usize, &usize)> = fitting.take(top + 1).collect();
    let shown = found.iter().take(top);
    let rows = shown
        .map(|(_, at)| shape(context, &context.tenant.state.world.people[**at]))
        .collect();
    let next = found.get(top).map(|(place, _)| *place as u128);
    let count = (counted && from.is_none()).then(|| fitting_people(context, clause.as_ref()));
    Ok(query::page(
        context,
        Page {
            set: "users".to_owned(),
            rows,
            next,
            count,
        },
    ))
}

/// `GET /users/$count`, with any `$filter`.
pub(super) fn count(context: &mut RequestContext<'_>) -> Answer {
    context.need(READ)?;
    query::need_eventual(context)?;
    let clause = Clause::of(context, true)?;
    let count = fitting_people(context, clause.as_ref());
    Ok(Reply::text(count.to_string()))
}

fn fits(context: &RequestContext<'_>, clause: Option<&Clause>, at: usize) -> bool {
    let state = &context.tenant.state;
    clause.is_none_or(|it| it.accepts(state, &state.world.people[at]))
}

fn fitting_people(context: &RequestContext<'_>, clause: Option<&Clause>) -> usize {
    let people = context.tenant.index.entra.iter();
    people.filter(|at| fits(context, clause, **at)).count()
}

/// `GET /users/{id or userPrincipalName}`.
pub(super) fn get(context: &mut RequestContext<'_>, id: &str) -> Answer {
    context.need(READ)?;
    let person = find(context, id)?;
    Ok(Reply::json(200, shape(context, person)))
}

/// `GET /users/{id}/manager`; 404 if the user has none.
pub(super) fn manager(context: &mut RequestContext<'_>, id: &str) -> Answer {
    context.need(READ_FULL)?;
    let manager = find(context, id)?
        .manager
        .and_then(|id| context.tenant.person(id));
    let manager = manager.ok_or_else(|| GraphError::missing("manager"))?;
    Ok(Reply::json(200, tagged(shape(context, manager))))
}

/// Returns a user by object id or user principal name.
pub(super) fn find<'a>(
    context: &'a RequestContext<'_>,
    id: &str,
) -> Result<&'a Person, GraphError> {
    let index = &context.tenant.index;
    let at = match id.parse() {
        Ok(object_id) => index.by_object.get(&object_id),
        Err(_) => index.by_upn.get(&id.to_lowercase()),
    };
    let at = at.ok_or_else(|| GraphError::missing(id))?;
    Ok(&context.tenant.state.world.people[*at])
}

fn expands_manager(context: &RequestContext<'_>) -> bool {
    context
        .call
        .param("$expand")
        .is_some_and(|it| it.starts_with("manager"))
}

/// Returns a user as visible to the token, reduced to `$select`.
pub(super) fn shape(context: &RequestContext<'_>, person: &Person) -> Value {
    let mut user = user_fields::full(&context.tenant.state, person);
    if !context.has(READ_FULL)
        && let Value::Object(fields) = &mut user
    {
        fields.retain(|name, _| BASIC.contains(&name.as_str()));
    }
    let mut user = query::select(context, user, DEFAULTS);
    if expands_manager(context)
        && let Some(manager) = person.manager.and_then(|id| context.tenant.person(id))
    {
        user["manager"] = json!({
            "@odata.type": "#microsoft.graph.user",
            "id": manager.object_id,
            "displayName": manager.display_name,
            "userPrincipalName": manager.upn,
        });
    }
    user
}

/// Adds the type, as required in polymorphic collections.
pub(super) fn tagged(mut user: Value) -> Value {
    user["@odata.type"] = json!("#microsoft.graph.user");
    user
}

/// Returns whether the token may read more of members than their ids.
pub(super) fn may_read(context: &RequestContext<'_>) -> bool {
    context.has(READ)
}
