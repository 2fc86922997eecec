//! The control API: the functions of [`crate::Simulators`] as JSON over HTTP.

use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::call::{Call, Reply};
use crate::faults::Fault;
use crate::hub::{Hub, Shared, lock};
use crate::identity;
use crate::state::TenantState;
use crate::world::World;

/// Handles `/control/…`.
pub(crate) fn handle(hub: &Hub, call: &Call) -> Reply {
    let outcome = match (call.method.as_str(), call.path().as_slice()) {
        ("GET", ["health"]) => Ok(Reply::json(
            200,
            json!({"status": "ok", "tenants": hub.len()}),
        )),
        ("PUT", ["tenants"]) => parse::<World>(call).map(|world| {
            hub.put(world.into());
            Reply::empty(204)
        }),
        ("POST", ["user-tokens"]) => parse(call).and_then(|spec| {
            identity::issue(hub, &spec)
                .map(|token| Reply::json(200, json!({"token": token})))
                .map_err(|error| refuse(500, &error.to_string()))
        }),
        ("PUT", ["apps"]) => parse(call).map(|app| {
            hub.register(app);
            Reply::empty(204)
        }),
        ("PUT", ["acs"]) => parse(call).map(|resource| {
            hub.acs.register(resource);
            Reply::empty(204)
        }),
        ("GET", ["acs", "mails"]) => show(&hub.acs.mails()),
        (method, ["tenants", id, what]) => with_tenant(hub, call, method, id, what),
        _ => Err(refuse(404, "no such control request")),
    };
    outcome.unwrap_or_else(|reply| reply)
}

fn with_tenant(hub: &Hub, call: &Call, method: &str, id: &str, what: &str) -> Result<Reply, Reply> {
    let id: Uuid = id
        .parse()
        .map_err(|_| refuse(400, "the tenant id is not a UUID"))?;
    if (method, what) == ("PUT", "state") {
        let state: TenantState = parse(call)?;
        if state.world.tenant.id != id {
            return Err(refuse(400, "the state belongs to another tenant"));
        }
        hub.put(state);
        return Ok(Reply::empty(204));
    }
    let shared = hub
        .tenant(id)
        .ok_or_else(|| refuse(404, "the tenant is not loaded"))?;
    on_tenant(&shared, call, method, what)
}

fn on_tenant(shared: &Shared, call: &Call, method: &str, what: &str) -> Result<Reply, Reply> {
    let mut tenant = lock(shared);
    match (method, what) {
        ("GET", "state") => {
            let now = tenant.now();
            tenant.state.settle_rooms(now);
            show(&tenant.state)
        }
        ("GET", "requests") => show(&tenant.log),
        ("DELETE", "requests") => {
            tenant.log.clear();
            Ok(Reply::empty(204))
        }
        ("POST", "faults") => {
            tenant.faults.add(parse::<Fault>(call)?);
            Ok(Reply::empty(204))
        }
        ("DELETE", "faults") => {
            tenant.faults.clear();
            Ok(Reply::empty(204))
        }
        _ => Err(refuse(404, "no such control request")),
    }
}

fn show(what: &impl serde::Serialize) -> Result<Reply, Reply> {
    match serde_json::to_value(what) {
        Ok(value) => Ok(Reply::json(200, value)),
        Err(error) => Err(refuse(500, &error.to_string())),
    }
}

fn parse<T: DeserializeOwned>(call: &Call) -> Result<T, Reply> {
    serde_json::from_str(&call.body).map_err(|error| refuse(400, &error.to_string()))
}

fn refuse(status: u16, message: &str) -> Reply {
    let body: Value = json!({"error": {"code": "Control", "message": message}});
    Reply::json(status, body)
}
