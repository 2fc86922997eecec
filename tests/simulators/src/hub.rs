//! All tenants of one process, and the common steps of every request: faults, handler, log.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde_json::{Value, json};
use uuid::Uuid;

use crate::acs::Acs;
use crate::call::{Call, Payload, Reply};
use crate::entra::Codes;
use crate::faults::FaultKind;
use crate::identity::Identity;
use crate::service_app::ServiceApp;
use crate::state::TenantState;
use crate::tenant::Tenant;
use crate::world::KeyLevel;

/// A tenant shared by several connections.
pub(crate) type Shared = Arc<Mutex<Tenant>>;

/// All tenants, with the API keys that identify them.
pub(crate) struct Hub {
    /// `http://127.0.0.1:port`.
    pub(crate) origin: String,
    tenants: Mutex<HashMap<Uuid, Shared>>,
    keys: Mutex<HashMap<String, (Uuid, KeyLevel)>>,
    /// Entra's signing keys for user tokens.
    pub(crate) identity: Identity,
    apps: Mutex<HashMap<Uuid, ServiceApp>>,
    /// Authorization codes not yet redeemed.
    pub(crate) codes: Codes,
    /// Azure's mail service, which is independent of tenants.
    pub(crate) acs: Acs,
}

/// Locks the mutex even if a test's closure panicked while holding it.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Hub {
    /// Creates a hub without tenants.
    pub(crate) fn new(origin: String) -> Self {
        Self {
            origin,
            tenants: Mutex::default(),
            keys: Mutex::default(),
            identity: Identity::default(),
            apps: Mutex::default(),
            codes: Codes::default(),
            acs: Acs::default(),
        }
    }

    /// Adds the tenant, or replaces it together with its log and faults.
    pub(crate) fn put(&self, state: TenantState) {
        let id = state.world.tenant.id;
        let tenant = Tenant::new(state);
        self.learn_keys(&tenant);
        lock(&self.tenants).insert(id, Arc::new(Mutex::new(tenant)));
    }

    /// Returns the tenant, if loaded.
    pub(crate) fn tenant(&self, id: Uuid) -> Option<Shared> {
        lock(&self.tenants).get(&id).cloned()
    }

    /// Returns all tenants sorted by id.
    pub(crate) fn tenants(&self) -> Vec<Shared> {
        let mut all: Vec<(Uuid, Shared)> = lock(&self.tenants)
            .iter()
            .map(|(id, shared)| (*id, Arc::clone(shared)))
            .collect();
        all.sort_by_key(|(id, _)| *id);
        all.into_iter().map(|(_, shared)| shared).collect()
    }

    /// Adds an application, or replaces the one with the same client id.
    pub(crate) fn register(&self, app: ServiceApp) {
        lock(&self.apps).insert(app.client_id, app);
    }

    /// Returns the application with this client id.
    pub(crate) fn app(&self, client_id: Uuid) -> Option<ServiceApp> {
        lock(&self.apps).get(&client_id).cloned()
    }

    /// Returns the tenant's state, including the responses of rooms up to now.
    pub(crate) fn dump(&self, id: Uuid) -> Option<TenantState> {
        let shared = self.tenant(id)?;
        let mut tenant = lock(&shared);
        let now = tenant.now();
        tenant.state.settle_rooms(now);
        Some(tenant.state.clone())
    }

    /// Returns the number of loaded tenants.
    pub(crate) fn len(&self) -> usize {
        lock(&self.tenants).len()
    }

    /// Applies `change` to the state, then updates lookup tables and keys.
    pub(crate) fn edit<R>(
        &self,
        id: Uuid,
        change: impl FnOnce(&mut TenantState) -> R,
    ) -> Option<R> {
        let shared = self.tenant(id)?;
        let mut tenant = lock(&shared);
        let now = tenant.now();
        tenant.state.settle_rooms(now);
        let result = change(&mut tenant.state);
        tenant.reindex();
        self.learn_keys(&tenant);
        Some(result)
    }

    /// Returns the tenant and level of a Learn365 key.
    pub(crate) fn key(&self, key: &str) -> Option<(Uuid, KeyLevel)> {
        lock(&self.keys).get(key).copied()
    }

    fn learn_keys(&self, tenant: &Tenant) {
        let id = tenant.state.world.tenant.id;
        let mut keys = lock(&self.keys);
        keys.retain(|_, (owner, _)| *owner != id);
        for key in &tenant.state.world.lms_keys {
            keys.insert(key.key.clone(), (id, key.level));
        }
    }
}

/// The effect of faults before a request is processed.
pub(crate) enum Gate {
    /// Process the request; alter the response afterwards if a fault is given.
    Open(Option<FaultKind>),
    /// Do not process the request but return this response.
    Shut(Reply),
}

/// Counts the request for the tenant's faults, and waits if one is a delay.
pub(crate) async fn gate(tenant: &Shared, call: &Call) -> Gate {
    let struck = lock(tenant).faults.strike(&call.method, &call.target);
    match struck {
        None => Gate::Open(None),
        Some(FaultKind::Delay { ms }) => {
            tokio::time::sleep(Duration::from_millis(ms)).await;
            Gate::Open(None)
        }
        Some(FaultKind::Drop) => Gate::Shut(Reply::hangup()),
        Some(FaultKind::Status {
            code,
            retry_after,
            body,
        }) => Gate::Shut(forced(code, retry_after, body)),
        Some(other) => Gate::Open(Some(other)),
    }
}

/// Alters the response if a fault requires it, and writes the log.
pub(crate) fn settle(
    tenant: &Shared,
    call: &Call,
    reply: Reply,
    fault: Option<FaultKind>,
    in_batch: bool,
) -> Reply {
    let reply = match fault {
        Some(kind) => spoil(reply, &kind),
        None => reply,
    };
    lock(tenant).record(call, reply.status, in_batch);
    reply
}

fn forced(code: u16, retry_after: Option<f64>, body: Option<Value>) -> Reply {
    let body = body.unwrap_or_else(|| {
        let name = match code {
            429 => "TooManyRequests",
            503 => "ServiceUnavailable",
            504 => "GatewayTimeout",
            _ => "InjectedFault",
        };
        json!({"error": {"code": name, "message": format!("Injected fault, status {code}.")}})
    });
    let reply = Reply::json(code, body);
    match retry_after {
        Some(seconds) => reply.header("retry-after", seconds.to_string()),
        None => reply,
    }
}

fn spoil(mut reply: Reply, kind: &FaultKind) -> Reply {
    match kind {
        FaultKind::LoseAnswer => return Reply::hangup(),
        FaultKind::BrokenJson => {
            let text = match &reply.body {
                Payload::Json(value) => value.to_string(),
                _ => "{\"value\":[]}".to_owned(),
            };
            let half: String = text.chars().take(text.chars().count() / 2).collect();
            reply.body = Payload::Broken(half);
        }
        FaultKind::TruncatedPage => cut_rows(&mut reply, false),
        FaultKind::EmptyPage => cut_rows(&mut reply, true),
        FaultKind::Status { .. } | FaultKind::Delay { .. } | FaultKind::Drop => {}
    }
    reply
}

fn cut_rows(reply: &mut Reply, all: bool) {
    let Payload::Json(Value::Object(page)) = &mut reply.body else {
        return;
    };
    page.remove("@odata.nextLink");
    for name in ["value", "Resources"] {
        if let Some(Value::Array(rows)) = page.get_mut(name) {
            let keep = if all { 0 } else { rows.len() / 2 };
            rows.truncate(keep);
        }
    }
    for name in ["@odata.count", "totalResults", "itemsPerPage"] {
        if all && page.contains_key(name) {
            page.insert(name.to_owned(), json!(0));
        }
    }
}
