//! The simulated part of Microsoft Graph v1.0: authorisation and routing.

mod batch;
mod calendar;
mod deleted;
mod deleted_users;
mod delta;
mod error;
mod event_body;
mod filter;
mod group_body;
mod groups;
mod invitations;
mod mail;
mod me;
mod members;
mod photo;
mod query;
mod remove;
mod rooms;
mod schedule;
mod seat;
mod throttle;
mod upsert;
mod user_fields;
mod users;
mod zones;

use chrono::{DateTime, Utc};
use serde_json::json;
use uuid::Uuid;

use crate::call::{Call, Reply};
use crate::entra::Claims;
use crate::hub::{Gate, Hub, Shared, gate, lock, settle};
use crate::tenant::Tenant;
use error::GraphError;

pub(crate) use delta::DeltaBook;

/// The result of a handler.
type Answer = Result<Reply, GraphError>;

/// One authorised request to one tenant.
struct Desk<'a> {
    tenant: &'a mut Tenant,
    app: &'a Claims,
    call: &'a Call,
    /// The simulator's own origin, for nextLinks.
    origin: &'a str,
    now: DateTime<Utc>,
}

impl Desk<'_> {
    /// Returns an error unless the token has one of the permissions.
    fn need(&self, roles: &[&str]) -> Result<(), GraphError> {
        if self.has(roles) {
            Ok(())
        } else {
            Err(GraphError::denied())
        }
    }

    /// Same check with Outlook's error text, which differs from the directory's.
    fn need_in_mailbox(&self, scopes: &[&str]) -> Result<(), GraphError> {
        if self.has(scopes) {
            return Ok(());
        }
        let text = "Access is denied. Check credentials and try again.";
        Err(GraphError::new(403, "ErrorAccessDenied", text))
    }

    fn has(&self, permissions: &[&str]) -> bool {
        let mut granted = self.app.permissions().iter();
        granted.any(|it| permissions.iter().any(|one| it.eq_ignore_ascii_case(one)))
    }
}

/// Handles `/graph/v1.0/…`.
pub(crate) async fn handle(hub: &Hub, call: &Call) -> Reply {
    let (shared, app) = match authenticate(hub, call) {
        Ok(found) => found,
        Err(error) => return error.into_reply(),
    };
    match gate(&shared, call).await {
        Gate::Shut(reply) => settle(&shared, call, reply, None, false),
        Gate::Open(fault) => {
            let reply = if call.method == "POST" && call.path() == ["v1.0", "$batch"] {
                batch::run(hub, &shared, &app, call).await
            } else {
                perform(hub, &shared, &app, call).await
            };
            settle(&shared, call, reply, fault, false)
        }
    }
}

fn authenticate(hub: &Hub, call: &Call) -> Result<(Shared, Claims), GraphError> {
    let token = call
        .header("authorization")
        .and_then(|value| value.strip_prefix("Bearer "));
    let Some(token) = token else {
        return Err(GraphError::token("Access token is empty."));
    };
    let Some(claims) = Claims::decode(token) else {
        return Err(GraphError::token(
            "Access token validation failure. Invalid token.",
        ));
    };
    if claims.expires_at < Utc::now() {
        return Err(GraphError::token(
            "Lifetime validation failed, the token is expired.",
        ));
    }
    let shared = hub.tenant(claims.tenant);
    let shared = shared.ok_or_else(|| GraphError::token("Invalid tenant."))?;
    let tenant = lock(&shared);
    let mut apps = tenant.state.world.apps.iter();
    let known = apps.any(|app| app.client_id == claims.client_id)
        || (hub.app(claims.client_id).is_some() && tenant.state.knows_app(claims.client_id));
    let gone = claims.person.is_some_and(|id| tenant.person(id).is_none());
    drop(tenant);
    if gone {
        return Err(GraphError::token("The user does not exist any more."));
    }
    if !known {
        let text = "The identity of the calling application could not be established.";
        return Err(GraphError::new(401, "Authorization_IdentityNotFound", text));
    }
    Ok((shared, claims))
}

/// Handles one request, alone or as a part of a batch, within the mailbox's concurrency limit.
async fn perform(hub: &Hub, shared: &Shared, app: &Claims, call: &Call) -> Reply {
    match seat::take(shared, app.person, call).await {
        Ok(_seat) => work(hub, shared, app, call),
        Err(error) => error.into_reply(),
    }
}

fn work(hub: &Hub, shared: &Shared, app: &Claims, call: &Call) -> Reply {
    let mut tenant = lock(shared);
    let now = tenant.now();
    let mut desk = Desk {
        tenant: &mut tenant,
        app,
        call,
        origin: &hub.origin,
        now,
    };
    let answer = throttle::charge(&mut desk).and_then(|()| route(&mut desk));
    answer.unwrap_or_else(GraphError::into_reply)
}

fn route(desk: &mut Desk<'_>) -> Answer {
    if desk.app.permissions().is_empty() {
        let text = "Required roles claim values are not provided.";
        return Err(GraphError::new(403, "Authorization_RequestDenied", text));
    }
    let call = desk.call;
    let path = call.path();
    let ["v1.0", rest @ ..] = path.as_slice() else {
        return Err(GraphError::bad("Invalid version."));
    };
    match (call.method.as_str(), rest) {
        ("GET", ["organization"]) => Ok(organization(desk)),
        ("GET", ["users"]) => users::list(desk),
        ("GET", ["users", "delta"]) => delta::users(desk),
        ("GET", ["users", "$count"]) => users::count(desk),
        ("GET", ["users", id]) => users::get(desk, id),
        ("GET", ["users", id, "manager"]) => users::manager(desk, id),
        ("GET", ["users", id, "photo", "$value"] | ["users", id, "photos", _, "$value"]) => {
            photo::get(desk, id)
        }
        (_, ["groups", ..]) => route_group(desk, rest),
        (_, ["me", tail @ ..]) => me::route(desk, tail),
        ("GET", ["places", "microsoft.graph.room"]) => rooms::list(desk),
        ("POST", ["invitations"]) => invitations::create(desk),
        (_, ["directory", "deletedItems", tail @ ..]) => route_deleted(desk, tail),
        (method, [key]) if key.starts_with("groups(") => upsert::by_key(desk, method, key),
        _ => Err(GraphError::no_route(rest)),
    }
}

fn route_group(desk: &mut Desk<'_>, path: &[&str]) -> Answer {
    match (desk.call.method.as_str(), path) {
        ("GET", ["groups"]) => groups::list(desk),
        ("POST", ["groups"]) => groups::create(desk),
        ("GET", ["groups", "delta"]) => delta::groups(desk),
        ("GET", ["groups", "$count"]) => groups::count(desk),
        ("GET", ["groups", id]) => groups::get(desk, id),
        ("PATCH", ["groups", id]) => groups::patch(desk, id),
        ("DELETE", ["groups", id]) => deleted::delete(desk, id),
        ("GET", ["groups", id, "members"]) => members::list(desk, id, false),
        ("GET", ["groups", id, "members", "microsoft.graph.user"]) => members::list(desk, id, true),
        ("GET", ["groups", id, "members", "$count"]) => members::count(desk, id, false),
        ("GET", ["groups", id, "members", "microsoft.graph.user", "$count"]) => {
            members::count(desk, id, true)
        }
        ("POST", ["groups", id, "members", "$ref"]) => members::add_one(desk, id),
        ("DELETE", ["groups", id, "members", member, "$ref"]) => remove::member(desk, id, member),
        ("DELETE", ["groups", id, "members", member]) => remove::without_ref(desk, id, member),
        ("PATCH", ["groups", _, "members", "$ref"]) => {
            let text = "The request is currently not supported on the targeted entity set.";
            Err(GraphError::new(400, "BadRequest", text))
        }
        _ => Err(GraphError::no_route(path)),
    }
}

fn route_deleted(desk: &mut Desk<'_>, path: &[&str]) -> Answer {
    match (desk.call.method.as_str(), path) {
        ("GET", ["microsoft.graph.group"]) => deleted::list(desk),
        ("GET", ["microsoft.graph.user"]) => deleted_users::list(desk),
        ("GET", [id]) => deleted::get(desk, id),
        ("DELETE", [id]) => deleted::purge(desk, id),
        ("POST", [id, "restore"]) => deleted::restore(desk, id),
        _ => Err(GraphError::no_route(path)),
    }
}

fn organization(desk: &Desk<'_>) -> Reply {
    let seed = &desk.tenant.state.world.tenant;
    Reply::json(
        200,
        json!({
            "@odata.context": query::context(desk, "organization"),
            "value": [{
                "id": seed.id,
                "displayName": seed.name,
                "verifiedDomains": [{"name": seed.domain, "isDefault": true, "isInitial": true}],
            }],
        }),
    )
}

/// Parses an object id in a path; Graph returns "Invalid object identifier" for anything else.
fn object_id(text: &str) -> Result<Uuid, GraphError> {
    text.parse()
        .map_err(|_| GraphError::bad(format!("Invalid object identifier '{text}'.")))
}
