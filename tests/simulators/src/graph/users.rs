//! `GET /users`, one user, and a user's manager.

use std::borrow::Cow;

use serde_json::{Value, json};

use super::error::GraphError;
use super::query::{self, Filter, Page};
use super::{Answer, Desk};
use crate::call::Reply;
use crate::world::{Person, UserType};

/// Roles that read users at all.
const READ: &[&str] = &[
    "User.ReadBasic.All",
    "User.Read.All",
    "User.ReadWrite.All",
    "Directory.Read.All",
    "Directory.ReadWrite.All",
];
/// Roles that read more than names and addresses.
const READ_FULL: &[&str] = &[
    "User.Read.All",
    "User.ReadWrite.All",
    "Directory.Read.All",
    "Directory.ReadWrite.All",
];
/// What a token with `User.ReadBasic.All` alone sees.
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

/// `GET /users`.
pub(super) fn list(desk: &mut Desk<'_>) -> Answer {
    desk.need(READ)?;
    let prefix = name_prefix(desk)?;
    let mut top = query::top(desk)?;
    let counted = query::wants_count(desk)?;
    if expands_manager(desk) {
        top = top.min(PAGE_WITH_MANAGER);
    }
    let from = query::position(desk)?;
    let start = usize::try_from(from.unwrap_or(0)).unwrap_or(usize::MAX);
    let people = &desk.tenant.state.world.people;
    let all: Cow<'_, [usize]> = match &prefix {
        None => Cow::Borrowed(&desk.tenant.index.entra),
        Some(prefix) => {
            let fits = |at: &&usize| people[**at].display_name.to_lowercase().starts_with(prefix);
            let fitting = desk.tenant.index.entra.iter().filter(fits);
            Cow::Owned(fitting.copied().collect())
        }
    };
    let people = all.iter().skip(start).take(top);
    let rows = people
        .map(|at| shape(desk, &desk.tenant.state.world.people[*at]))
        .collect();
    let end = start.saturating_add(top);
    Ok(query::page(
        desk,
        Page {
            set: "users".to_owned(),
            rows,
            next: (end < all.len()).then_some(end as u128),
            count: (counted && from.is_none()).then_some(all.len()),
        },
    ))
}

/// The lower-case text of `startswith(displayName,'…')`, the one filter on users there is here.
fn name_prefix(desk: &Desk<'_>) -> Result<Option<String>, GraphError> {
    let Some(filter) = Filter::of(desk)? else {
        return Ok(None);
    };
    let prefix = filter.prefix_of("displayName").map(str::to_lowercase);
    prefix.map(Some).ok_or_else(|| {
        let text =
            "The specified filter to the reference property query is currently not supported.";
        GraphError::new(400, "Request_UnsupportedQuery", text)
    })
}

/// `GET /users/delta?$deltaToken=latest`: no rows, only the link to changes from now on. Following
/// that link is not part of this slice.
pub(super) fn delta(desk: &mut Desk<'_>) -> Answer {
    desk.need(READ_FULL)?;
    if desk.call.param("$deltaToken") != Some("latest") {
        let text = "Only changes from now on can be asked for here.";
        return Err(GraphError::new(400, "Request_UnsupportedQuery", text));
    }
    let link = format!("{}/graph/v1.0/users/delta?$deltatoken=now", desk.origin);
    Ok(Reply::json(
        200,
        json!({
            "@odata.context": query::context(desk, "users"),
            "@odata.deltaLink": link,
            "value": [],
        }),
    ))
}

/// `GET /users/{id or userPrincipalName}`.
pub(super) fn get(desk: &mut Desk<'_>, id: &str) -> Answer {
    desk.need(READ)?;
    let person = find(desk, id)?;
    Ok(Reply::json(200, shape(desk, person)))
}

/// `GET /users/{id}/manager`; 404 if there is none.
pub(super) fn manager(desk: &mut Desk<'_>, id: &str) -> Answer {
    desk.need(READ_FULL)?;
    let manager = find(desk, id)?
        .manager
        .and_then(|id| desk.tenant.person(id));
    let manager = manager.ok_or_else(|| GraphError::missing("manager"))?;
    Ok(Reply::json(200, tagged(shape(desk, manager))))
}

fn find<'a>(desk: &'a Desk<'_>, id: &str) -> Result<&'a Person, GraphError> {
    let index = &desk.tenant.index;
    let at = match id.parse() {
        Ok(object_id) => index.by_object.get(&object_id),
        Err(_) => index.by_upn.get(&id.to_lowercase()),
    };
    let at = at.ok_or_else(|| GraphError::missing(id))?;
    Ok(&desk.tenant.state.world.people[*at])
}

fn expands_manager(desk: &Desk<'_>) -> bool {
    desk.call
        .param("$expand")
        .is_some_and(|it| it.starts_with("manager"))
}

/// A user as the token may see it, cut to `$select`.
pub(super) fn shape(desk: &Desk<'_>, person: &Person) -> Value {
    let mut user = full(person);
    if !desk.has(READ_FULL)
        && let Value::Object(fields) = &mut user
    {
        fields.retain(|name, _| BASIC.contains(&name.as_str()));
    }
    let mut user = query::select(desk, user, DEFAULTS);
    if expands_manager(desk)
        && let Some(manager) = person.manager.and_then(|id| desk.tenant.person(id))
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

/// The same with its type, as polymorphic collections give it.
pub(super) fn tagged(mut user: Value) -> Value {
    user["@odata.type"] = json!("#microsoft.graph.user");
    user
}

/// Whether the token sees more of members than their ids.
pub(super) fn may_read(desk: &Desk<'_>) -> bool {
    desk.has(READ)
}

/// Everything there is of a person.
pub(super) fn full(person: &Person) -> Value {
    let kind = match person.user_type {
        UserType::Member => "Member",
        UserType::Guest => "Guest",
    };
    json!({
        "id": person.object_id,
        "userPrincipalName": person.upn,
        "displayName": person.display_name,
        "givenName": person.given_name,
        "surname": person.surname,
        "mail": person.mail,
        "jobTitle": person.job_title,
        "department": person.department,
        "companyName": person.company,
        "city": person.city,
        "country": person.country,
        "officeLocation": person.office,
        "userType": kind,
        "accountEnabled": person.account_enabled,
        "employeeId": person.employee_id,
        "employeeHireDate": person.hire_date.map(|day| format!("{day}T00:00:00Z")),
        "businessPhones": [],
        "mobilePhone": null,
        "preferredLanguage": null,
    })
}
