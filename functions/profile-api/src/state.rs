//! What handlers share: the services, the verifier of tokens, and what is cached between requests.

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
    /// The clients and the settings they were made from.
    pub(crate) services: Services,
    /// Verifies access tokens.
    pub(crate) verifier: Verifier,
    /// Snapshots in memory.
    pub(crate) snapshots: SnapshotCache,
    /// Which tenants' plans include the service.
    pub(crate) entitlements: EntitlementCache,
    /// Which administrators were recorded lately.
    pub(crate) admin_activity: AdminActivity,
}

impl ApiState {
    /// The state with empty caches.
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

/// The current time, truncated to milliseconds as in JSON.
pub(crate) fn now() -> DateTime<Utc> {
    Utc::now().trunc_subsecs(3)
}
