//! One tenant at run time: state, lookup tables, faults, write quota and request log.

use std::collections::BTreeMap;

use chrono::{DateTime, Duration, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use uuid::Uuid;

use crate::call::Call;
use crate::faults::FaultBook;
use crate::graph::DeltaBook;
use crate::index::Index;
use crate::scim::ScimTransient;
use crate::state::TenantState;
use crate::world::{EntraGroup, Person};

/// One logged request; parts of a `$batch` have their own records, before that of the batch.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RequestRecord {
    /// Upper-case method.
    pub method: String,
    /// Path and query as sent, with the simulator's prefix (`/graph/v1.0/…`).
    pub path: String,
    /// Response status; 0 if the connection was closed instead.
    pub status: u16,
    /// When the response was sent.
    pub at: DateTime<Utc>,
    /// Whether it was a part of a `$batch`.
    pub in_batch: bool,
    /// JSON body of a write; other text is stored as a string. Bodies of token requests are
    /// omitted.
    pub body: Option<Value>,
    /// Request headers by lower-case name, without `authorization`.
    pub headers: BTreeMap<String, String>,
}

/// A tenant with the data that is not part of its serialisable state.
pub(crate) struct Tenant {
    pub(crate) state: TenantState,
    pub(crate) index: Index,
    pub(crate) faults: FaultBook,
    pub(crate) log: Vec<RequestRecord>,
    /// Writes used in the current window, per application.
    pub(crate) quota: BTreeMap<Uuid, (DateTime<Utc>, u32)>,
    /// Number of processed batches; seeds the shuffling of their responses.
    pub(crate) batches: u64,
    /// Concurrent requests per mailbox.
    pub(crate) in_flight: BTreeMap<Uuid, u32>,
    /// State behind delta tokens.
    pub(crate) deltas: DeltaBook,
    /// Lookup tables of the SCIM service provider.
    pub(crate) scim: ScimTransient,
}

/// Returns a duration; one too long for `chrono` is limited to about 300,000 years.
pub(crate) fn millis(ms: u64) -> Duration {
    const LONGEST: i64 = 10_000_000_000_000_000;
    Duration::milliseconds(i64::try_from(ms).map_or(LONGEST, |ms| ms.min(LONGEST)))
}

impl Tenant {
    /// Creates a tenant with the given state, without faults and with an empty log.
    pub(crate) fn new(state: TenantState) -> Self {
        let mut tenant = Self {
            index: Index::default(),
            faults: FaultBook::default(),
            log: Vec::new(),
            quota: BTreeMap::new(),
            batches: 0,
            in_flight: BTreeMap::new(),
            deltas: DeltaBook::default(),
            scim: ScimTransient::default(),
            state,
        };
        tenant.reindex();
        tenant
    }

    /// Returns the time by the tenant's clock, which a test can set ahead.
    pub(crate) fn now(&self) -> DateTime<Utc> {
        self.state.world.behaviour.now()
    }

    /// Returns the user in Entra with this sign-in name or mail address.
    pub(crate) fn account(&self, login: &str) -> Option<&Person> {
        let people = &self.state.world.people;
        let login = login.trim();
        if let Some(at) = self.index.by_upn.get(&login.to_lowercase()) {
            return people.get(*at);
        }
        let mut entra = self.index.entra.iter().map(|at| &people[*at]);
        entra.find(|person| {
            let mail = person.mail.as_deref();
            mail.is_some_and(|mail| mail.eq_ignore_ascii_case(login))
        })
    }

    /// Updates the lookup tables; required after any external change of the state.
    pub(crate) fn reindex(&mut self) {
        self.index = Index::build(&self.state.world);
        self.scim.reindex(&self.state.scim);
        let Self { state, index, .. } = self;
        // Members that no longer exist are removed: Entra hides memberships of deleted objects.
        for group in &mut state.world.groups {
            group.members.retain(|id| index.is_principal(*id));
        }
    }

    /// Appends to the request log.
    pub(crate) fn record(&mut self, call: &Call, status: u16, in_batch: bool) {
        let keeps_body =
            call.is_write() && !call.body.is_empty() && !call.target.contains("/oauth2/");
        let body = keeps_body.then(|| {
            call.json()
                .unwrap_or_else(|| Value::String(call.body.clone()))
        });
        let mut headers = call.headers.clone();
        headers.remove("authorization");
        self.log.push(RequestRecord {
            method: call.method.clone(),
            path: call.target.clone(),
            status,
            at: self.now(),
            in_batch,
            body,
            headers,
        });
    }

    /// Returns a live group by object id.
    pub(crate) fn group(&self, id: Uuid) -> Option<&EntraGroup> {
        self.index
            .groups
            .get(&id)
            .map(|at| &self.state.world.groups[*at])
    }

    /// Returns a live group by object id for modification.
    pub(crate) fn group_mut(&mut self, id: Uuid) -> Option<&mut EntraGroup> {
        self.index
            .groups
            .get(&id)
            .map(|at| &mut self.state.world.groups[*at])
    }

    /// Returns a user by Entra object id.
    pub(crate) fn person(&self, object_id: Uuid) -> Option<&Person> {
        self.index
            .by_object
            .get(&object_id)
            .map(|at| &self.state.world.people[*at])
    }

    /// Returns a user by Learn365 id.
    pub(crate) fn learner(&self, lms_id: Uuid) -> Option<&Person> {
        self.index
            .by_lms
            .get(&lms_id)
            .map(|at| &self.state.world.people[*at])
    }
}
