//! Every problem that the API and the callback return, from the real routers.

mod access;
mod broken;
mod callback;
mod catalogs;
mod connections;
mod profiles;
mod requests;
mod settings;
mod sync;

use std::time::Duration;

use rollcall_clients::store::{Lease, MAINTENANCE_LEASE};
use rollcall_simulators::FaultKind;

use crate::harness::TestApp;

/// An id that does not exist.
const NOTHING: &str = "00000000-0000-4000-8000-000000000bad";

/// Acquires the maintenance lock.
async fn lock(app: &TestApp) -> Lease {
    let length = Duration::from_secs(30);
    let lease = Lease::acquire(&app.services.store, app.id, MAINTENANCE_LEASE, length).await;
    lease.expect("lease request failed").expect("lock not free")
}

/// Returns a fault in which a service responds with this status and error.
pub(super) fn says(code: u16, error: &str) -> FaultKind {
    let body = serde_json::json!({"error": {"code": error, "message": "Words."}});
    FaultKind::Status {
        code,
        retry_after: None,
        body: Some(body),
    }
}
