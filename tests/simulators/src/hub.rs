//! All tenants of one process, and the way every request passes: count faults, work, log.

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

/// A tenant that several connections share.
pub(crate) type Shared = Arc<Mutex<Tenant>>;

/// The tenants and the keys that lead to them.
pub(crate) struct Hub {
    /// `http://127.0.0.1:port`.
    pub(crate) origin: String,
    tenants: Mutex<HashMap<Uuid, Shared>>,
    keys: Mutex<HashMap<String, (Uuid, KeyLevel)>>,
    /// What Entra signs tokens of people with.
    pub(crate) identity: Identity,
    apps: Mutex<HashMap<Uuid, ServiceApp>>,
    /// Authorization codes on their way.
    pub(crate) codes: Codes,
    /// Azure's mail service, which belongs to no tenant.
    pub(crate) acs: Acs,
}

/// Takes the lock even if a test's closure panicked while it held it.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Hub {
    /// A hub without tenants.
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

    /// The tenant, if loaded.
    pub(crate) fn tenant(&self, id: Uuid) -> Option<Shared> {
        lock(&self.tenants).get(&id).cloned()
    }

    /// All tenants in the order of their ids.
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

    /// The application registered with this client id.
    pub(crate) fn app(&self, client_id: Uuid) -> Option<ServiceApp> {
        lock(&self.apps).get(&client_id).cloned()
    }

    /// The tenant's state, rooms' answers up to now included.
    pub(crate) fn dump(&self, id: Uuid) -> Option<TenantState> {
        let shared = self.tenant(id)?;
        let mut tenant = lock(&shared);
        let now = tenant.now();
        tenant.state.settle_rooms(now);
        Some(tenant.state.clone())
    }

    /// Number of loaded tenants.
    pub(crate) fn len(&self) -> usize {
        lock(&self.tenants).len()
    }

    /// Runs `change` on the state, then brings tables and keys up to date.
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

    /// Which tenant a Learn365 key opens, and how far.
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

/// What the faults say before any work is done.
pub(crate) enum Gate {
    /// Do the work; spoil the answer afterwards if a fault is named.
    Open(Option<FaultKind>),
    /// Do no work, answer this.
    Shut(Reply),
}

/// Counts the request against the tenant's faults and waits out a delay.
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

/// Spoils the answer if a fault says so and writes the log.
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
