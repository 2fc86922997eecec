//! The simulated part of Learn365's OData v2: six sets, catalog membership, enrolment.

mod catalog;
mod course;
mod drift;
mod key;
mod page;
mod people;
mod roles;
mod sets;
mod system_fields;

use chrono::{DateTime, Utc};
use serde_json::json;
use uuid::Uuid;

use crate::call::{Call, Reply};
use crate::hub::{Gate, Hub, gate, lock, settle};
use crate::tenant::Tenant;
use crate::world::KeyLevel;
use page::Set;

/// The result of a handler; an error is a reply, too.
type Answer = Result<Reply, Reply>;

/// One authorised request to one tenant.
struct RequestContext<'a> {
    tenant: &'a mut Tenant,
    call: &'a Call,
    /// The simulator's own origin, for nextLinks.
    origin: &'a str,
    now: DateTime<Utc>,
}

/// A parsed path segment such as `Courses(…)`.
struct Segment<'a> {
    name: &'a str,
    key: Option<&'a str>,
}

impl<'a> Segment<'a> {
    fn of(text: &'a str) -> Self {
        match text.split_once('(') {
            Some((name, rest)) => Self {
                name,
                key: rest.strip_suffix(')'),
            },
            None => Self {
                name: text,
                key: None,
            },
        }
    }

    fn id(&self) -> Result<Uuid, Reply> {
        let id = self.key.and_then(|key| key.trim_matches('\'').parse().ok());
        id.ok_or_else(|| refuse(400, "BadRequest", "The key is not a valid Guid."))
    }

    /// Returns a string key without its quotes, inner quotes undoubled.
    fn text(&self) -> Result<String, Reply> {
        let inner = self
            .key
            .and_then(|key| key.strip_prefix('\'')?.strip_suffix('\''));
        let inner = inner.ok_or_else(|| refuse(400, "BadRequest", "The key is not a string."))?;
        Ok(inner.replace("''", "'"))
    }
}

/// Handles `/learn365/odata/v2/…`.
pub(crate) async fn handle(hub: &Hub, call: &Call) -> Reply {
    let found = call
        .header("authorization")
        .and_then(key::of_basic)
        .and_then(|key| hub.key(&key))
        .filter(|(_, level)| *level != KeyLevel::Revoked);
    let shared = found.and_then(|(tenant, level)| Some((hub.tenant(tenant)?, level)));
    let Some((shared, level)) = shared else {
        return refuse(
            401,
            "Unauthorized",
            "Authorization has been denied for this request.",
        );
    };
    match gate(&shared, call).await {
        Gate::Shut(reply) => settle(&shared, call, reply, None, false),
        Gate::Open(fault) => {
            let reply = if call.is_write() && level == KeyLevel::ReadOnly {
                refuse(403, "Forbidden", "The API key has read-only permissions.")
            } else {
                work(hub, &mut lock(&shared), call)
            };
            settle(&shared, call, reply, fault, false)
        }
    }
}

fn work(hub: &Hub, tenant: &mut Tenant, call: &Call) -> Reply {
    let mut context = RequestContext {
        tenant,
        call,
        origin: &hub.origin,
        now: Utc::now(),
    };
    route(&mut context).unwrap_or_else(|reply| reply)
}

fn route(context: &mut RequestContext<'_>) -> Answer {
    let call = context.call;
    let path = call.path();
    let ["odata", "v2", rest @ ..] = path.as_slice() else {
        return Err(unknown_path());
    };
    let segments: Vec<Segment<'_>> = rest.iter().map(|text| Segment::of(text)).collect();
    match (call.method.as_str(), segments.as_slice()) {
        ("GET", [set]) if set.key.is_none() => {
            let page = page::list(context, open(context, set)?.as_ref())?;
            if page.has_next_link() {
                let is_first = call.param("$skip").is_none();
                drift::apply(&mut context.tenant.state, set.name, is_first);
                context.tenant.reindex();
            }
            Ok(page)
        }
        ("GET", [set, count]) if set.key.is_none() && count.name == "$count" => {
            page::count(context, open(context, set)?.as_ref())
        }
        ("GET", [one]) => single(context, one),
        ("POST", [catalog, users]) if catalog.name == "CourseCatalogs" && users.name == "Users" => {
            catalog::add_user(context, catalog.id()?)
        }
        ("DELETE", [catalog, user]) if catalog.name == "CourseCatalogs" && user.name == "Users" => {
            catalog::remove_user(context, catalog.id()?, &user.text()?)
        }
        ("POST", [course, action]) if course.name == "Courses" => match action.name {
            "Enroll" => course::enroll(context, course.id()?),
            "Unenroll" => course::unenroll(context, course.id()?),
            _ => Err(unknown_path()),
        },
        _ => Err(unknown_path()),
    }
}

/// Returns the set with this entity set name.
fn open<'a>(
    context: &'a RequestContext<'_>,
    segment: &Segment<'_>,
) -> Result<Box<dyn Set + 'a>, Reply> {
    Ok(match segment.name {
        "Courses" => Box::new(sets::Courses::of(context)),
        "CourseCatalogs" => Box::new(sets::Catalogs::of(context)),
        "UserFields" => Box::new(sets::Fields::of(context)),
        "Enrollments" => Box::new(sets::Enrolments::of(context)),
        "Users" => Box::new(people::Users::of(context)),
        "RoleAssignments" => Box::new(roles::Roles::of(context)),
        _ => return Err(unknown_path()),
    })
}

fn single(context: &RequestContext<'_>, segment: &Segment<'_>) -> Answer {
    let set = open(context, segment)?;
    let position = if segment.name == "Users" && segment.id().is_err() {
        let login = segment.text()?.to_lowercase();
        (0..set.len()).find(|at| {
            set.field(*at, "LoginName")
                .is_some_and(|it| it.is_text(&login))
        })
    } else {
        let id = segment.id()?;
        (0..set.len()).find(|at| set.field(*at, "Id").is_some_and(|it| it.is_id(id)))
    };
    let position = position.ok_or_else(|| not_found("The requested resource was not found."))?;
    Ok(Reply::json(200, page::select(context, set.json(position))))
}

/// Returns the vendor's error object.
fn refuse(status: u16, code: &str, message: &str) -> Reply {
    Reply::json(status, json!({"error": {"code": code, "message": message}}))
}

fn not_found(message: &str) -> Reply {
    refuse(404, "NotFound", message)
}

fn unknown_path() -> Reply {
    not_found("No HTTP resource was found that matches the request URI.")
}
