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
pub(crate) use store::ScimTransient;

/// One authorised request to one service provider.
struct RequestContext<'a> {
    state: &'a mut ScimState,
    scim: &'a mut ScimTransient,
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
    let mut context = RequestContext {
        state: &mut tenant.state.scim,
        scim: &mut tenant.scim,
        call,
        base,
        now,
    };
    if !context.has_room() {
        let reply = ScimError::new(429, "Too many requests.").into_reply();
        return Ok(reply.header("retry-after", "1"));
    }
    let given = call.header("authorization");
    if given.and_then(|it| it.strip_prefix("Bearer ")) != Some(&token) {
        let text = "The access token is missing or wrong.";
        let reply = ScimError::new(401, text).into_reply();
        return Ok(reply.header("www-authenticate", "Bearer"));
    }
    route(&mut context)
}

/// Returns the URL of a tenant's service provider.
pub(crate) fn base(origin: &str, tenant: uuid::Uuid) -> String {
    format!("{origin}/scim/{tenant}/v2")
}

fn route(context: &mut RequestContext<'_>) -> Result<Reply, ScimError> {
    let call = context.call;
    let path = call.path();
    let rest = path.get(2..).unwrap_or_default();
    let shown = match (call.method.as_str(), rest) {
        ("GET", ["ServiceProviderConfig"]) => Ok(discovery::config(context)),
        ("GET", ["ResourceTypes"]) => discovery::resource_types(context, None),
        ("GET", ["ResourceTypes", id]) => discovery::resource_types(context, Some(id)),
        ("GET", ["Schemas"]) => discovery::schemas(context, None),
        ("GET", ["Schemas", id]) => discovery::schemas(context, Some(id)),
        ("POST", ["Bulk"]) => bulk::run(context),
        (_, ["ServiceProviderConfig"] | ["ResourceTypes" | "Schemas", ..]) => {
            Err(ScimError::new(405, "What is here can only be read."))
        }
        // Searches over all types of resources are optional.
        ("POST", [".search"]) => Err(ScimError::new(501, "Searches are not supported.")),
        (method, [endpoint, id @ ..]) if id.len() < 2 => {
            let kind = Kind::of_endpoint(endpoint);
            let kind = kind.ok_or_else(|| ScimError::missing(&call.target))?;
            return match (method, id) {
                ("GET", []) => list::get(context, kind).map(|body| reply(200, body)),
                ("GET", [id]) => get(context, kind, id),
                (_, id) => change(context, kind, id.first().copied()),
            };
        }
        _ => Err(ScimError::missing(&call.target)),
    };
    shown.map(|body| reply(200, body))
}

fn get(context: &RequestContext<'_>, kind: Kind, id: &str) -> Result<Reply, ScimError> {
    let version = shape::version(context.find(kind, id)?);
    let known = context.call.header("if-none-match");
    if context.state.behaviour.etag && known.is_some_and(|it| write::has_version(it, &version)) {
        return Ok(Reply::empty(304).header("etag", version));
    }
    show(context, 200, kind, id)
}

fn change(
    context: &mut RequestContext<'_>,
    kind: Kind,
    id: Option<&str>,
) -> Result<Reply, ScimError> {
    let body = context.call.json();
    let change = Change {
        method: &context.call.method,
        kind,
        id,
        body: body.as_ref(),
        version: context.call.header("if-match"),
    };
    match write::perform(context, &change)? {
        Done::Created(id) => show(context, 201, kind, &id),
        Done::Kept(id) => show(context, 200, kind, &id),
        Done::Deleted => Ok(Reply::empty(204)),
    }
}

fn show(
    context: &RequestContext<'_>,
    status: u16,
    kind: Kind,
    id: &str,
) -> Result<Reply, ScimError> {
    let resource = context.find(kind, id)?;
    let projection = Projection::of(context.call, kind);
    let body = shape::resource(context, kind, id, resource, &projection);
    let reply = reply(status, body).header("location", shape::location(context, kind, id));
    Ok(if context.state.behaviour.etag {
        reply.header("etag", shape::version(resource))
    } else {
        reply
    })
}

impl RequestContext<'_> {
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
