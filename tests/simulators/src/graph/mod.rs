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
struct RequestContext<'a> {
    tenant: &'a mut Tenant,
    app: &'a Claims,
    call: &'a Call,
    /// The simulator's own origin, for nextLinks.
    origin: &'a str,
    now: DateTime<Utc>,
}

impl RequestContext<'_> {
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
    let mut context = RequestContext {
        tenant: &mut tenant,
        app,
        call,
        origin: &hub.origin,
        now,
    };
    let answer = throttle::charge(&mut context).and_then(|()| route(&mut context));
    answer.unwrap_or_else(GraphError::into_reply)
}

fn route(context: &mut RequestContext<'_>) -> Answer {
    if context.app.permissions().is_empty() {
        let text = "Required roles claim values are not provided.";
        return Err(GraphError::new(403, "Authorization_RequestDenied", text));
    }
    let call = context.call;
    let path = call.path();
    let ["v1.0", rest @ ..] = path.as_slice() else {
        return Err(GraphError::bad("Invalid version."));
    };
    match (call.method.as_str(), rest) {
        ("GET", ["organization"]) => Ok(organization(context)),
        ("GET", ["users"]) => users::list(context),
        ("GET", ["users", "delta"]) => delta::users(context),
        ("GET", ["users", "$count"]) => users::count(context),
        ("GET", ["users", id]) => users::get(context, id),
        ("GET", ["users", id, "manager"]) => users::manager(context, id),
        ("GET", ["users", id, "photo", "$value"] | ["users", id, "photos", _, "$value"]) => {
            photo::get(context, id)
        }
        (_, ["groups", ..]) => route_group(context, rest),
        (_, ["me", tail @ ..]) => me::route(context, tail),
        ("GET", ["places", "microsoft.graph.room"]) => rooms::list(context),
        ("POST", ["invitations"]) => invitations::create(context),
        (_, ["directory", "deletedItems", tail @ ..]) => route_deleted(context, tail),
        (method, [key]) if key.starts_with("groups(") => upsert::by_key(context, method, key),
        _ => Err(GraphError::no_route(rest)),
    }
}

fn route_group(context: &mut RequestContext<'_>, path: &[&str]) -> Answer {
    match (context.call.method.as_str(), path) {
        ("GET", ["groups"]) => groups::list(context),
        ("POST", ["groups"]) => groups::create(context),
        ("GET", ["groups", "delta"]) => delta::groups(context),
        ("GET", ["groups", "$count"]) => groups::count(context),
        ("GET", ["groups", id]) => groups::get(context, id),
        ("PATCH", ["groups", id]) => groups::patch(context, id),
        ("DELETE", ["groups", id]) => deleted::delete(context, id),
        ("GET", ["groups", id, "members"]) => members::list(context, id, false),
        ("GET", ["groups", id, "members", "microsoft.graph.user"]) => {
            members::list(context, id, true)
        }
        ("GET", ["groups", id, "members", "$count"]) => members::count(context, id, false),
        ("GET", ["groups", id, "members", "microsoft.graph.user", "$count"]) => {
            members::count(context, id, true)
        }
        ("POST", ["groups", id, "members", "$ref"]) => members::add_one(context, id),
        ("DELETE", ["groups", id, "members", member, "$ref"]) => {
            remove::member(context, id, member)
        }
        ("DELETE", ["groups", id, "members", member]) => remove::without_ref(context, id, member),
        ("PATCH", ["groups", _, "members", "$ref"]) => {
            let text = "The request is currently not supported on the targeted entity set.";
            Err(GraphError::new(400, "BadRequest", text))
        }
        _ => Err(GraphError::no_route(path)),
    }
}

fn route_deleted(context: &mut RequestContext<'_>, path: &[&str]) -> Answer {
    match (context.call.method.as_str(), path) {
        ("GET", ["microsoft.graph.group"]) => deleted::list(context),
        ("GET", ["microsoft.graph.user"]) => deleted_users::list(context),
        ("GET", [id]) => deleted::get(context, id),
        ("DELETE", [id]) => deleted::purge(context, id),
        ("POST", [id, "restore"]) => deleted::restore(context, id),
        _ => Err(GraphError::no_route(path)),
    }
}

fn organization(context: &RequestContext<'_>) -> Reply {
    let seed = &context.tenant.state.world.tenant;
    Reply::json(
        200,
        json!({
            "@odata.context": query::context_url(context, "organization"),
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
