//! A SCIM 2.0 service provider (RFC 7643 and 7644) per tenant, at `/scim/{tenant}/v2`.

mod attribute;
mod bulk;
mod discovery;
mod error;
mod filter;
mod list;
mod matching;
mod normal;
mod patch;
mod schema;
mod shape;
mod state;
mod store;
mod write;

use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use serde_json::Value;

use crate::call::{Call, Reply};
use crate::hub::{Gate, Hub, gate, lock, settle};
use crate::tenant::Tenant;
use error::ScimError;
use schema::Kind;
use shape::Projection;
use write::{Change, Done};

pub use state::{ScimBehaviour, ScimResource, ScimState};
pub(crate) use store::ScimDesk;

/// One authorised request to one service provider.
struct Desk<'a> {
    state: &'a mut ScimState,
    scim: &'a mut ScimDesk,
    call: &'a Call,
    /// URL of the service provider.
    base: String,
    now: DateTime<Utc>,
}

/// Handles `/scim/{tenant}/v2/…`.
pub(crate) async fn handle(hub: &Hub, call: &Call) -> Reply {
    let shared = match call.path().as_slice() {
        [tenant, "v2", ..] => tenant.parse().ok().and_then(|id| hub.tenant(id)),
        _ => None,
    };
    let Some(shared) = shared else {
        return ScimError::new(404, "There is no service provider at this address.").into_reply();
    };
    match gate(&shared, call).await {
        Gate::Shut(reply) => settle(&shared, call, reply, None, false),
        Gate::Open(fault) => {
            let answer = work(hub, &mut lock(&shared), call);
            let reply = answer.unwrap_or_else(ScimError::into_reply);
            settle(&shared, call, reply, fault, false)
        }
    }
}

/// Returns a response in SCIM's own content type.
fn reply(status: u16, body: Value) -> Reply {
    Reply::json(status, body).header("content-type", "application/scim+json")
}

fn work(hub: &Hub, tenant: &mut Tenant, call: &Call) -> Result<Reply, ScimError> {
    let base = base(&hub.origin, tenant.state.world.tenant.id);
    let (now, token) = (tenant.now(), tenant.state.scim_token());
    let mut desk = Desk {
        state: &mut tenant.state.scim,
        scim: &mut tenant.scim,
        call,
        base,
        now,
    };
    if !desk.has_room() {
        let reply = ScimError::new(429, "Too many requests.").into_reply();
        return Ok(reply.header("retry-after", "1"));
    }
    let given = call.header("authorization");
    if given.and_then(|it| it.strip_prefix("Bearer ")) != Some(&token) {
        let text = "The access token is missing or wrong.";
        let reply = ScimError::new(401, text).into_reply();
        return Ok(reply.header("www-authenticate", "Bearer"));
    }
    route(&mut desk)
}

/// Returns the URL of a tenant's service provider.
pub(crate) fn base(origin: &str, tenant: uuid::Uuid) -> String {
    format!("{origin}/scim/{tenant}/v2")
}

fn route(desk: &mut Desk<'_>) -> Result<Reply, ScimError> {
    let call = desk.call;
    let path = call.path();
    let rest = path.get(2..).unwrap_or_default();
    let shown = match (call.method.as_str(), rest) {
        ("GET", ["ServiceProviderConfig"]) => Ok(discovery::config(desk)),
        ("GET", ["ResourceTypes"]) => discovery::resource_types(desk, None),
        ("GET", ["ResourceTypes", id]) => discovery::resource_types(desk, Some(id)),
        ("GET", ["Schemas"]) => discovery::schemas(desk, None),
        ("GET", ["Schemas", id]) => discovery::schemas(desk, Some(id)),
        ("POST", ["Bulk"]) => bulk::run(desk),
        (_, ["ServiceProviderConfig"] | ["ResourceTypes" | "Schemas", ..]) => {
            Err(ScimError::new(405, "What is here can only be read."))
        }
        // Searches over all types of resources are optional.
        ("POST", [".search"]) => Err(ScimError::new(501, "Searches are not supported.")),
        (method, [endpoint, id @ ..]) if id.len() < 2 => {
            let kind = Kind::of_endpoint(endpoint);
            let kind = kind.ok_or_else(|| ScimError::missing(&call.target))?;
            return match (method, id) {
                ("GET", []) => list::get(desk, kind).map(|body| reply(200, body)),
                ("GET", [id]) => get(desk, kind, id),
                (_, id) => change(desk, kind, id.first().copied()),
            };
        }
        _ => Err(ScimError::missing(&call.target)),
    };
    shown.map(|body| reply(200, body))
}

fn get(desk: &Desk<'_>, kind: Kind, id: &str) -> Result<Reply, ScimError> {
    let version = shape::version(desk.find(kind, id)?);
    let known = desk.call.header("if-none-match");
    if desk.state.behaviour.etag && known.is_some_and(|it| write::has_version(it, &version)) {
        return Ok(Reply::empty(304).header("etag", version));
    }
    show(desk, 200, kind, id)
}

fn change(desk: &mut Desk<'_>, kind: Kind, id: Option<&str>) -> Result<Reply, ScimError> {
    let body = desk.call.json();
    let change = Change {
        method: &desk.call.method,
        kind,
        id,
        body: body.as_ref(),
        version: desk.call.header("if-match"),
    };
    match write::perform(desk, &change)? {
        Done::Created(id) => show(desk, 201, kind, &id),
        Done::Kept(id) => show(desk, 200, kind, &id),
        Done::Deleted => Ok(Reply::empty(204)),
    }
}

fn show(desk: &Desk<'_>, status: u16, kind: Kind, id: &str) -> Result<Reply, ScimError> {
    let resource = desk.find(kind, id)?;
    let projection = Projection::of(desk.call, kind);
    let body = shape::resource(desk, kind, id, resource, &projection);
    let reply = reply(status, body).header("location", shape::location(desk, kind, id));
    Ok(if desk.state.behaviour.etag {
        reply.header("etag", shape::version(resource))
    } else {
        reply
    })
}

impl Desk<'_> {
    /// Counts the request; returns false if the limit per second is reached.
    fn has_room(&mut self) -> bool {
        let Some(most) = self.state.behaviour.requests_per_second else {
            return true;
        };
        let now = Instant::now();
        let current = self.scim.second;
        let current = current.filter(|(began, _)| now - *began < Duration::from_secs(1));
        let (began, used) = current.unwrap_or((now, 0));
        let has_room = used < most;
        self.scim.second = Some((began, used + u32::from(has_room)));
        has_room
    }
}
