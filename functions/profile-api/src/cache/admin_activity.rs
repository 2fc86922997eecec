//! Records owners and Super admins who use the API, so that they can be notified and
//! chosen as recipients.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use rollcall_clients::store::admins::SeenAdmin;
use rollcall_domain::base::ids::{ObjectId, TenantId};
use rollcall_runtime::auth::{Caller, Role};

use crate::state::{ApiState, now};

/// The interval after which an administrator is recorded again.
const AGAIN: Duration = Duration::from_hours(6);
/// The maximum number of cached administrators.
const MAX_PEOPLE: usize = 10_000;

/// When this process last recorded an administrator, and with which roles.
type Noted = HashMap<(TenantId, ObjectId), (Instant, BTreeSet<Role>)>;

/// The administrators that this process recorded recently.
#[derive(Debug, Clone, Default)]
pub(crate) struct AdminActivity(Arc<Mutex<Noted>>);

impl AdminActivity {
    /// Returns true if the caller has to be recorded now.
    fn is_news(&self, caller: &Caller) -> bool {
        let mut noted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (caller.tenant, caller.object);
        let known = noted.get(&key);
        if known.is_some_and(|(at, roles)| at.elapsed() < AGAIN && *roles == caller.roles) {
            return false;
        }
        if noted.len() >= MAX_PEOPLE {
            noted.clear();
        }
        noted.insert(key, (Instant::now(), caller.roles.clone()));
        true
    }
}

/// Records a caller who is an owner or Super admin, or who was recorded as one before and no
/// longer is. A failure is only logged, so that it does not fail the request.
pub(crate) async fn record(api: &ApiState, caller: &Caller) {
    if !api.admin_activity.is_news(caller) {
        return;
    }
    let store = &api.services.store;
    let leads = [Role::Owner, Role::SuperAdmin];
    let is_one = leads.iter().any(|role| caller.roles.contains(role));
    let was_one = async || {
        let known = store.admin(caller.tenant, caller.object).await;
        matches!(known, Ok(Some(_)))
    };
    if !is_one && !was_one().await {
        return;
    }
    let admin = SeenAdmin {
        name: caller.name.clone(),
        display_name: caller.display_name.clone(),
        roles: caller
            .roles
            .iter()
            .map(|role| role.name().to_owned())
            .collect(),
        at: now(),
    };
    if let Err(error) = store.note_admin(caller.tenant, caller.object, &admin).await {
        tracing::warn!(%error, "the use of the API by an administrator could not be recorded");
    }
}
