//! Entra, Microsoft Graph, Learn365 and a SCIM service provider as stateful HTTP servers with faults.
//!
//! One process serves many tenants on one loopback port, under the prefixes `/entra`, `/graph`,
//! `/learn365`, `/scim`, `/acs` and `/control`. A tenant is loaded as a [`World`], behaves by the vendors' rules
//! (limits, all-or-nothing writes, error texts, paging, throttling), and can be read, edited and
//! made to fail, from Rust through [`Simulators`] or over HTTP through `/control`:
//!
//! | request | does |
//! |---|---|
//! | `GET /control/health` | says how many tenants are loaded |
//! | `PUT /control/tenants` | loads a [`World`] |
//! | `GET`, `PUT /control/tenants/{tid}/state` | reads or replaces the [`TenantState`] |
//! | `GET`, `DELETE /control/tenants/{tid}/requests` | reads or clears the request log |
//! | `POST`, `DELETE /control/tenants/{tid}/faults` | adds a [`Fault`] or clears all |
//! | `POST /control/user-tokens` | issues a person's access token from a [`UserTokenSpec`] |
//! | `PUT /control/apps` | registers a [`ServiceApp`] for all tenants |
//! | `PUT /control/acs` | adds an [`AcsResource`] |
//! | `GET /control/acs/mails` | lists what was sent through it |
//!
//! A [`ServiceApp`] can sign people in and be consented to: `/entra` has the pages for a browser
//! (`oauth2/v2.0/authorize`, `v2.0/adminconsent`) and redeems codes and refresh tokens;
//! [`Simulators::sign_in`] drives the same pages without one. `/graph` then serves the person's
//! mailbox, calendar and rooms by the tenant's own clock ([`Behaviour::clock_ahead_ms`]). `/acs`
//! is Azure Communication Services Email, which belongs to no tenant.
//!
//! `/graph` answers delta queries on users and groups: what a token stands for is kept beside the
//! state, so edits of any kind show up as changes; loading or restoring a tenant expires its
//! tokens. [`Behaviour`] can expire them, too, replay entities and hide deletions.
//!
//! `/scim/{tid}/v2` is a SCIM 2.0 service provider ([`ScimState`]) with discovery, filters, PATCH
//! and bulk requests; [`ScimBehaviour`] takes abilities away from it.

mod acs;
mod behaviour;
mod call;
mod control;
mod entra;
mod faults;
pub mod generate;
mod graph;
mod hub;
mod identity;
mod index;
mod learn365;
mod office;
mod outlook;
mod scim;
mod server;
mod service_app;
mod socket;
mod state;
mod tenant;
mod user_token;
pub mod world;

use std::sync::Arc;

use uuid::Uuid;

pub use acs::{AcsMail, AcsResource};
pub use behaviour::{Behaviour, LMS_PAGE_LIMIT, OauthRefusal, Throttle};
pub use entra::ConsentChoice;
pub use faults::{Fault, FaultKind, FaultMatch};
pub use identity::TokenError;
pub use outlook::{Answer, Attendee, CalendarEvent, CancelledEvent, SentMail};
pub use scim::{ScimBehaviour, ScimResource, ScimState};
pub use service_app::{Consent, Grant, RefreshToken, ServiceApp};
pub use state::{CatalogUser, DeletedGroup, DeletedUser, GroupEnrolment, LmsGroup, TenantState};
pub use tenant::RequestRecord;
pub use user_token::{TokenFlaw, UserTokenSpec};
pub use world::World;

use hub::{Hub, lock};
use server::Server;

/// The running simulators; dropping them ends the server.
pub struct Simulators {
    hub: Arc<Hub>,
    server: Server,
}

impl Simulators {
    /// Binds 127.0.0.1:`port` (0 = any free port) and serves on a background thread until
    /// [`Simulators::stop`] or drop.
    ///
    /// # Errors
    /// The port is taken or the thread cannot be started.
    pub async fn start(port: u16) -> std::io::Result<Self> {
        let (server, hub) = Server::start(port).await?;
        Ok(Self { hub, server })
    }

    /// `http://127.0.0.1:port`, without a trailing slash.
    pub fn origin(&self) -> &str {
        &self.hub.origin
    }

    /// Entra authority; tokens come from `{this}/{tenant}/oauth2/v2.0/token`.
    pub fn entra_url(&self) -> String {
        format!("{}/entra", self.hub.origin)
    }

    /// Graph base; clients append `/v1.0/…`.
    pub fn graph_url(&self) -> String {
        format!("{}/graph", self.hub.origin)
    }

    /// Learn365 base; clients append `/odata/v2/…`.
    pub fn learn365_url(&self) -> String {
        format!("{}/learn365", self.hub.origin)
    }

    /// Address of a tenant's SCIM service provider; clients append `/Users` and the like, and send
    /// [`Simulators::scim_token`].
    pub fn scim_url(&self, tenant: Uuid) -> String {
        scim::base(&self.hub.origin, tenant)
    }

    /// Bearer token of a tenant's SCIM service provider; `None` if the tenant is not loaded.
    pub fn scim_token(&self, tenant: Uuid) -> Option<String> {
        let shared = self.hub.tenant(tenant)?;
        Some(lock(&shared).state.scim_token())
    }

    /// Adds a tenant, or replaces the one with the same id together with its log and faults.
    pub fn load(&self, world: World) {
        self.hub.put(world.into());
    }

    /// The tenant's whole state.
    pub fn dump(&self, tenant: Uuid) -> Option<TenantState> {
        self.hub.dump(tenant)
    }

    /// Puts a dumped state back, under the id it carries; log and faults start empty.
    pub fn restore(&self, state: TenantState) {
        self.hub.put(state);
    }

    /// Changes the tenant's state in place; `None` if the tenant is not loaded.
    pub fn edit<R>(&self, tenant: Uuid, f: impl FnOnce(&mut TenantState) -> R) -> Option<R> {
        self.hub.edit(tenant, f)
    }

    /// Soft-deletes a person in Entra, memberships included; says whether there was one. For many
    /// people, [`TenantState::delete_user`] inside one [`Simulators::edit`] is quicker.
    pub fn delete_user(&self, tenant: Uuid, object_id: Uuid) -> bool {
        self.edit(tenant, |state| state.delete_user(object_id)) == Some(true)
    }

    /// Brings a soft-deleted person back with its memberships; says whether there was one.
    pub fn restore_user(&self, tenant: Uuid, object_id: Uuid) -> bool {
        self.edit(tenant, |state| state.restore_user(object_id)) == Some(true)
    }

    /// The tenant's request log, oldest first; empty if the tenant is not loaded.
    pub fn requests(&self, tenant: Uuid) -> Vec<RequestRecord> {
        self.hub
            .tenant(tenant)
            .map(|shared| lock(&shared).log.clone())
            .unwrap_or_default()
    }

    /// Empties the tenant's request log.
    pub fn clear_requests(&self, tenant: Uuid) {
        if let Some(shared) = self.hub.tenant(tenant) {
            lock(&shared).log.clear();
        }
    }

    /// Adds a fault; it counts requests from now on.
    pub fn add_fault(&self, tenant: Uuid, fault: Fault) {
        if let Some(shared) = self.hub.tenant(tenant) {
            lock(&shared).faults.add(fault);
        }
    }

    /// Removes all faults of the tenant.
    pub fn clear_faults(&self, tenant: Uuid) {
        if let Some(shared) = self.hub.tenant(tenant) {
            lock(&shared).faults.clear();
        }
    }

    /// A person's access token, signed by the key that `{entra}/{tenant|common}/discovery/v2.0/keys`
    /// publishes.
    ///
    /// # Errors
    /// The keys cannot be made.
    pub fn user_token(&self, spec: &UserTokenSpec) -> Result<String, TokenError> {
        identity::issue(&self.hub, spec)
    }

    /// Base of Azure Communication Services Email; clients append `/emails:send`.
    pub fn acs_url(&self) -> String {
        format!("{}/acs", self.hub.origin)
    }

    /// Adds a mail resource, or replaces the one with the same sender.
    pub fn register_acs(&self, resource: AcsResource) {
        self.hub.acs.register(resource);
    }

    /// What was sent through Azure Communication Services Email, oldest first.
    pub fn acs_mails(&self) -> Vec<AcsMail> {
        self.hub.acs.mails()
    }

    /// Adds an application that every tenant can consent to, or replaces the one with its client id.
    pub fn register_app(&self, app: ServiceApp) {
        self.hub.register(app);
    }

    /// Goes through the pages of an authorize or admin consent address as the person would, and
    /// gives the address the browser ends at; fields of a form that is posted there come as query.
    ///
    /// # Errors
    /// The text of the page on which the person is stuck.
    pub fn sign_in(&self, url: &str, login: &str, choice: ConsentChoice) -> Result<String, String> {
        entra::sign_in(&self.hub, url, login, choice)
    }

    /// How often anybody fetched the signing keys.
    pub fn key_fetches(&self) -> u64 {
        self.hub.identity.fetched()
    }

    /// Ends the server and waits until the port is free.
    pub async fn stop(self) {
        self.server.stop().await;
    }
}
