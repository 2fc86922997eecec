//! The Microsoft Graph v1.0 slice: who may call, which handler answers.

mod batch;
mod deleted;
mod error;
mod group_body;
mod groups;
mod members;
mod query;
mod remove;
mod throttle;
mod upsert;
mod users;

use chrono::{DateTime, Utc};
use serde_json::json;
use uuid::Uuid;

use crate::call::{Call, Reply};
use crate::entra::Claims;
use crate::hub::{Gate, Hub, Shared, gate, lock, settle};
use crate::tenant::Tenant;
use error::GraphError;

/// What a handler answers or refuses.
type Answer = Result<Reply, GraphError>;

/// One authorised request at one tenant.
struct Desk<'a> {
    tenant: &'a mut Tenant,
    app: &'a Claims,
    call: &'a Call,
    /// Our own origin, for nextLinks.
    origin: &'a str,
    now: DateTime<Utc>,
}

impl Desk<'_> {
    /// Refuses unless the token carries one of the roles.
    fn need(&self, roles: &[&str]) -> Result<(), GraphError> {
        if self.has(roles) {
            Ok(())
        } else {
            Err(GraphError::denied())
        }
    }

    fn has(&self, roles: &[&str]) -> bool {
        self.app
            .roles
            .iter()
            .any(|role| roles.contains(&role.as_str()))
    }
}

/// Answers `/graph/v1.0/…`.
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
                work(hub, &shared, &app, call)
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
    let known = lock(&shared)
        .state
        .world
        .apps
        .iter()
        .any(|app| app.client_id == claims.client_id);
    if !known {
        let text = "The identity of the calling application could not be established.";
        return Err(GraphError::new(401, "Authorization_IdentityNotFound", text));
    }
    Ok((shared, claims))
}

/// Does one request, alone or as a part of a batch.
fn work(hub: &Hub, shared: &Shared, app: &Claims, call: &Call) -> Reply {
    let mut tenant = lock(shared);
    let mut desk = Desk {
        tenant: &mut tenant,
        app,
        call,
        origin: &hub.origin,
        now: Utc::now(),
    };
    let answer = throttle::charge(&mut desk).and_then(|()| route(&mut desk));
    answer.unwrap_or_else(GraphError::into_reply)
}

fn route(desk: &mut Desk<'_>) -> Answer {
    if desk.app.roles.is_empty() {
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
        ("GET", ["users", "delta"]) => users::delta(desk),
        ("GET", ["users", id]) => users::get(desk, id),
        ("GET", ["users", id, "manager"]) => users::manager(desk, id),
        (_, ["groups", ..]) => route_group(desk, rest),
        (_, ["directory", "deletedItems", tail @ ..]) => route_deleted(desk, tail),
        (method, [key]) if key.starts_with("groups(") => upsert::by_key(desk, method, key),
        _ => Err(GraphError::no_route(rest)),
    }
}

fn route_group(desk: &mut Desk<'_>, path: &[&str]) -> Answer {
    match (desk.call.method.as_str(), path) {
        ("GET", ["groups"]) => groups::list(desk),
        ("POST", ["groups"]) => groups::create(desk),
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

/// An object id in a path; Graph says "Invalid object identifier" for anything else.
fn object_id(text: &str) -> Result<Uuid, GraphError> {
    text.parse()
        .map_err(|_| GraphError::bad(format!("Invalid object identifier '{text}'.")))
}
