//! The state that handlers share: the services, the token verifier and the caches.

use axum::extract::FromRef;
use chrono::{DateTime, SubsecRound, Utc};
use rollcall_app::Services;
use rollcall_runtime::auth::Verifier;

use crate::cache::admin_activity::AdminActivity;
use crate::cache::entitlements::EntitlementCache;
use crate::cache::snapshots::SnapshotCache;

/// The state of the API.
#[derive(Clone)]
pub(crate) struct ApiState {
    /// The clients and the settings they were created from.
    pub(crate) services: Services,
    /// The verifier of access tokens.
    pub(crate) verifier: Verifier,
    /// The cached snapshots.
    pub(crate) snapshots: SnapshotCache,
    /// The cached entitlements of tenants.
    pub(crate) entitlements: EntitlementCache,
    /// The administrators that were recorded recently.
    pub(crate) admin_activity: AdminActivity,
}

impl ApiState {
    /// Returns the state with empty caches.
    pub(crate) fn new(services: Services, verifier: Verifier) -> Self {
        Self {
            services,
            verifier,
            snapshots: SnapshotCache::default(),
            entitlements: EntitlementCache::default(),
            admin_activity: AdminActivity::default(),
        }
    }
}

impl FromRef<ApiState> for Verifier {
    fn from_ref(api: &ApiState) -> Self {
        api.verifier.clone()
    }
}

/// Returns the current time, truncated to milliseconds as in JSON.
pub(crate) fn now() -> DateTime<Utc> {
    Utc::now().trunc_subsecs(3)
}
