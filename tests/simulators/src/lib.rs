//! Stateful HTTP simulators of Entra, Graph, Learn365, a SCIM provider and Azure mail, with faults.
//!
//! One process serves many tenants on one loopback port, under the prefixes `/entra`, `/graph`,
//! `/learn365`, `/scim`, `/acs` and `/control`. A tenant is loaded as a [`World`], follows the
//! vendors' rules (limits, all-or-nothing writes, error texts, paging, throttling), and can be
//! read, edited and made to fail, from Rust through [`Simulators`] or over HTTP through `/control`:
//!
//! | request | effect |
//! |---|---|
//! | `GET /control/health` | returns the number of loaded tenants |
//! | `PUT /control/tenants` | loads a [`World`] |
//! | `GET`, `PUT /control/tenants/{tid}/state` | reads or replaces the [`TenantState`] |
//! | `GET`, `DELETE /control/tenants/{tid}/requests` | reads or clears the request log |
//! | `POST`, `DELETE /control/tenants/{tid}/faults` | adds a [`Fault`] or clears all |
//! | `POST /control/user-tokens` | issues a user's access token from a [`UserTokenSpec`] |
//! | `PUT /control/apps` | registers a [`ServiceApp`] for all tenants |
//! | `PUT /control/acs` | adds an [`AcsResource`] |
//! | `GET /control/acs/mails` | lists the mail sent through it |
//!
//! A [`ServiceApp`] can sign users in and receive consent: `/entra` has the pages for a browser
//! (`oauth2/v2.0/authorize`, `v2.0/adminconsent`) and redeems codes and refresh tokens;
//! [`Simulators::sign_in`] uses the same pages without a browser. `/graph` then serves the user's
//! mailbox, calendar and rooms by the tenant's own clock ([`Behaviour::clock_ahead_ms`]). `/acs` is
//! Azure Communication Services Email, which is independent of tenants.
//!
//! `/graph` supports delta queries on users and groups: the state of a token is stored separately,
//! so edits of any kind are returned as changes; loading or restoring a tenant expires its tokens.
//! [`Behaviour`] can also expire them, return entities twice and hide deletions.
//!
//! `/scim/{tid}/v2` is a SCIM 2.0 service provider ([`ScimState`]) with discovery, filters, PATCH
//! and bulk requests; [`ScimBehaviour`] disables some of these.

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
pub use behaviour::{
    Behaviour, LMS_PAGE_LIMIT, LmsChange, OauthRefusal, RemovedNonMember, Throttle, UnknownMember,
};
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

/// The running simulators; dropping them stops the server.
pub struct Simulators {
    hub: Arc<Hub>,
    server: Server,
}

impl Simulators {
    /// Binds 127.0.0.1:`port` (0 = any free port) and serves on a background thread until
    /// [`Simulators::stop`] or drop.
    ///
    /// # Errors
    /// The port is in use or the thread cannot be started.
    pub async fn start(port: u16) -> std::io::Result<Self> {
        let (server, hub) = Server::start(port).await?;
        Ok(Self { hub, server })
    }

    /// Returns `http://127.0.0.1:port`, without a trailing slash.
    pub fn origin(&self) -> &str {
        &self.hub.origin
    }

    /// Returns the Entra authority; tokens come from `{this}/{tenant}/oauth2/v2.0/token`.
    pub fn entra_url(&self) -> String {
        format!("{}/entra", self.hub.origin)
    }

    /// Returns the Graph base URL; clients append `/v1.0/…`.
    pub fn graph_url(&self) -> String {
        format!("{}/graph", self.hub.origin)
    }

    /// Returns the Learn365 base URL; clients append `/odata/v2/…`.
    pub fn learn365_url(&self) -> String {
        format!("{}/learn365", self.hub.origin)
    }

    /// Returns the URL of a tenant's SCIM service provider; clients append `/Users` and the like,
    /// and send [`Simulators::scim_token`].
    pub fn scim_url(&self, tenant: Uuid) -> String {
        scim::base(&self.hub.origin, tenant)
    }

    /// Returns the bearer token of a tenant's SCIM service provider; `None` if it is not loaded.
    pub fn scim_token(&self, tenant: Uuid) -> Option<String> {
        let shared = self.hub.tenant(tenant)?;
        Some(lock(&shared).state.scim_token())
    }

    /// Adds a tenant, or replaces the one with the same id including its log and faults.
    pub fn load(&self, world: World) {
        self.hub.put(world.into());
    }

    /// Returns the tenant's whole state.
    pub fn dump(&self, tenant: Uuid) -> Option<TenantState> {
        self.hub.dump(tenant)
    }

    /// Restores a dumped state under its id; log and faults start empty.
    pub fn restore(&self, state: TenantState) {
        self.hub.put(state);
    }

    /// Changes the tenant's state in place; returns `None` if the tenant is not loaded.
    pub fn edit<R>(&self, tenant: Uuid, f: impl FnOnce(&mut TenantState) -> R) -> Option<R> {
        self.hub.edit(tenant, f)
    }

    /// Soft-deletes a user in Entra, including memberships; returns whether the user existed. For
    /// many users, [`TenantState::delete_user`] in one [`Simulators::edit`] is faster.
    pub fn delete_user(&self, tenant: Uuid, object_id: Uuid) -> bool {
        self.edit(tenant, |state| state.delete_user(object_id)) == Some(true)
    }

    /// Restores a soft-deleted user with its memberships; returns whether it existed.
    pub fn restore_user(&self, tenant: Uuid, object_id: Uuid) -> bool {
        self.edit(tenant, |state| state.restore_user(object_id)) == Some(true)
    }

    /// Returns the tenant's request log, oldest first; empty if the tenant is not loaded.
    pub fn requests(&self, tenant: Uuid) -> Vec<RequestRecord> {
        self.hub
            .tenant(tenant)
            .map(|shared| lock(&shared).log.clone())
            .unwrap_or_default()
    }

    /// Clears the tenant's request log.
    pub fn clear_requests(&self, tenant: Uuid) {
        if let Some(shared) = self.hub.tenant(tenant) {
            lock(&shared).log.clear();
        }
    }

    /// Adds a fault; requests are counted from now on.
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

    /// Returns a user's access token, signed by the key published at
    /// `{entra}/{tenant|common}/discovery/v2.0/keys`.
    ///
    /// # Errors
    /// The keys cannot be generated.
    pub fn user_token(&self, spec: &UserTokenSpec) -> Result<String, TokenError> {
        identity::issue(&self.hub, spec)
    }

    /// Returns the base URL of Azure Communication Services Email; clients append `/emails:send`.
    pub fn acs_url(&self) -> String {
        format!("{}/acs", self.hub.origin)
    }

    /// Adds a mail resource, or replaces the one with the same sender.
    pub fn register_acs(&self, resource: AcsResource) {
        self.hub.acs.register(resource);
    }

    /// Returns the mail sent through Azure Communication Services Email, oldest first.
    pub fn acs_mails(&self) -> Vec<AcsMail> {
        self.hub.acs.mails()
    }

    /// Adds an application that tenants can consent to, or replaces the one with its client id.
    pub fn register_app(&self, app: ServiceApp) {
        self.hub.register(app);
    }

    /// Completes the pages of an authorize or admin consent URL as the user would, and returns the
    /// final URL of the browser; fields of a posted form are returned as query.
    ///
    /// # Errors
    /// The text of the page that cannot be completed.
    pub fn sign_in(&self, url: &str, login: &str, choice: ConsentChoice) -> Result<String, String> {
        entra::sign_in(&self.hub, url, login, choice)
    }

    /// Returns how often the signing keys were fetched.
    pub fn key_fetches(&self) -> u64 {
        self.hub.identity.fetched()
    }

    /// Stops the server and waits until the port is free.
    pub async fn stop(self) {
        self.server.stop().await;
    }
}
