//! Connected accounts: their newest grant, the mailbox it opens, and what happens when it is lost.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use rollcall_clients::entra::{AccessToken, EntraError, Grant};
use rollcall_clients::http::ApiError;
use rollcall_clients::mailbox::Mailbox;
use rollcall_clients::queue::QueueError;
use rollcall_clients::store::tenants::Tenant;
use rollcall_clients::store::{Lease, StoreError};
use rollcall_clients::vault::VaultError;
use rollcall_domain::audit::{Action, Actor, AuditEvent};
use rollcall_domain::connection::{Cause, MailConnection, Told};
use rollcall_domain::ids::{CatalogId, TenantId};
use rollcall_domain::notices::{Notice, NoticeKind};

use super::{AppError, Services};

/// A grant is refreshed within seconds; a function that dies meanwhile holds up
/// the next one no longer than this.
const GRANT_LEASE: Duration = Duration::from_secs(30);
/// Whoever finds somebody else refreshing looks again so often, and so long.
const LOOK_AGAIN: Duration = Duration::from_millis(200);
const LOOK_FOR: Duration = Duration::from_secs(20);
/// The use of a grant is noted no more often than this.
const NOTE_USE_AFTER: TimeDelta = TimeDelta::hours(6);
/// Writers of one connection that meet repeat so often.
const TRIES: u32 = 6;
/// Catalog admins that are told by mail.
const MAX_ADMINS: usize = 20;

/// Access tokens of connected accounts, in this process only. The moment of
/// connecting is part of the key: another account never gets an old token.
pub(super) type AccountTokens = Arc<Mutex<HashMap<AccountKey, AccessToken>>>;
type AccountKey = (TenantId, CatalogId, Option<DateTime<Utc>>);

/// An account that cannot be worked with.
#[derive(Debug, thiserror::Error)]
pub enum AccountError {
    /// The catalog has no account that works: switched off, never connected, lost.
    #[error("the catalog has no connected account that works")]
    NotConnected,
    /// It was lost just now; that is stored and told.
    #[error("the connected account was lost: {0:?}")]
    Lost(Cause),
    /// It may work later.
    #[error("the connected account cannot be used at the moment: {0}")]
    Later(String),
    /// This service's own app is the trouble.
    #[error(transparent)]
    App(#[from] AppError),
    /// The table did not do it.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The vault did not do it.
    #[error(transparent)]
    Vault(#[from] VaultError),
    /// The client could not be made, or Graph refused what was asked of it.
    #[error(transparent)]
    Client(#[from] ApiError),
    /// The notice could not be queued.
    #[error(transparent)]
    Queue(#[from] QueueError),
}

/// A catalog's account, ready for use.
#[derive(Debug)]
pub struct ConnectedAccount {
    /// Its mailbox and calendar.
    pub mailbox: Mailbox,
    /// Its connection.
    pub connection: MailConnection,
}

/// The lease under which a catalog's grant is read and written.
fn grant_lease(catalog: CatalogId) -> String {
    format!("grant#{catalog}")
}

impl Services {
    /// The catalog's account, if it works.
    ///
    /// # Errors
    /// Why there is none. A refused grant changes the connection's state and is
    /// told to the administrators before this returns.
    pub async fn account(
        &self,
        tenant: TenantId,
        catalog: CatalogId,
    ) -> Result<ConnectedAccount, AccountError> {
        let connection = self.usable(tenant, catalog).await?;
        let key = (tenant, catalog, connection.connected_at);
        let known = self.account_tokens().get(&key).cloned();
        let token = match known.filter(AccessToken::is_fresh) {
            Some(token) => token,
            None => self.renew_grant(tenant, catalog).await?,
        };
        let mailbox = Mailbox::new(
            self.http.clone(),
            &self.settings.graph_url,
            token.secret().clone(),
        )?;
        Ok(ConnectedAccount {
            mailbox,
            connection,
        })
    }

    pub(super) async fn usable(
        &self,
        tenant: TenantId,
        catalog: CatalogId,
    ) -> Result<MailConnection, AccountError> {
        let stored = self.store.mail_connection(tenant, catalog).await?;
        let connection = stored.map(|stored| stored.value);
        connection
            .filter(|it| it.options.enabled && it.status.is_usable())
            .ok_or(AccountError::NotConnected)
    }

    /// Buys a new access token and keeps the newest refresh token. Of several who
    /// want that at once one does it after the other, each with the newest.
    ///
    /// # Errors
    /// As [`Services::account`].
    pub async fn renew_grant(
        &self,
        tenant: TenantId,
        catalog: CatalogId,
    ) -> Result<AccessToken, AccountError> {
        let lease = self.grant_lease(tenant, catalog).await?;
        let renewed = self.renew_under(&lease, tenant, catalog).await;
        if let Err(error) = lease.release().await {
            tracing::warn!(%error, "the lease of a grant was not given back; it expires");
        }
        match renewed? {
            Ok(token) => Ok(token),
            Err(refused) => Err(self.grant_refused(tenant, catalog, &refused).await?),
        }
    }

    /// Waits for the lease of a catalog's grant.
    ///
    /// # Errors
    /// [`AccountError::Later`] when somebody holds it for long.
    pub async fn grant_lease(
        &self,
        tenant: TenantId,
        catalog: CatalogId,
    ) -> Result<Lease, AccountError> {
        let give_up = tokio::time::Instant::now() + LOOK_FOR;
        loop {
            let name = grant_lease(catalog);
            if let Some(lease) = Lease::acquire(&self.store, tenant, &name, GRANT_LEASE).await? {
                return Ok(lease);
            }
            if tokio::time::Instant::now() > give_up {
                return Err(AccountError::Later("its grant is being renewed".to_owned()));
            }
            tokio::time::sleep(LOOK_AGAIN).await;
        }
    }

    /// The refresh itself; the inner error is Entra's refusal.
    async fn renew_under(
        &self,
        lease: &Lease,
        tenant: TenantId,
        catalog: CatalogId,
    ) -> Result<Result<AccessToken, EntraError>, AccountError> {
        let app = self.service_app().await?;
        // Only now, under the lease: what was read before may be older.
        let connection = self.usable(tenant, catalog).await?;
        let mut stored = self.vault.grant(tenant, catalog).await?;
        let Some(refresh) = stored.refresh_token() else {
            return Err(AccountError::NotConnected);
        };
        let scopes = self.mail_scopes();
        let asked = self.entra.refresh(tenant, &app, &refresh, &scopes);
        let grant: Grant = match asked.await {
            Ok(grant) => grant,
            Err(error) => return Ok(Err(error)),
        };
        if let Some(newest) = &grant.refresh {
            if !lease.keep().await? {
                return Err(AccountError::Later(
                    "its grant was renewed by another".to_owned(),
                ));
            }
            stored.renew(newest);
            self.vault.put_grant(tenant, catalog, &stored).await?;
        }
        let key = (tenant, catalog, connection.connected_at);
        self.remember_token(key, &grant.access);
        self.note_use(tenant, catalog).await?;
        Ok(Ok(grant.access))
    }

    /// Puts an access token where the next use finds it.
    fn remember_token(&self, key: AccountKey, token: &AccessToken) {
        let mut tokens = self.account_tokens();
        tokens.retain(|_, token| token.is_fresh());
        tokens.insert(key, token.clone());
    }

    /// Forgets access tokens of a catalog that Graph refused, or that ended.
    pub fn forget_tokens(&self, tenant: TenantId, catalog: CatalogId) {
        self.account_tokens()
            .retain(|(of, at, _), _| (*of, *at) != (tenant, catalog));
    }

    fn account_tokens(&self) -> MutexGuard<'_, HashMap<AccountKey, AccessToken>> {
        self.account_tokens
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    async fn note_use(&self, tenant: TenantId, catalog: CatalogId) -> Result<(), StoreError> {
        let now = Utc::now();
        self.change_mail_connection(tenant, catalog, &[], |it| {
            let recent = it.used_at.is_some_and(|used| used + NOTE_USE_AFTER > now);
            if recent || !it.status.is_usable() {
                return false;
            }
            it.used_at = Some(now);
            true
        })
        .await
        .map(|_| ())
    }

    /// What a refused refresh does.
    async fn grant_refused(
        &self,
        tenant: TenantId,
        catalog: CatalogId,
        refused: &EntraError,
    ) -> Result<AccountError, AccountError> {
        let cause = match refused.cause() {
            // A sign-in would be started again; a grant is simply gone.
            Cause::StartAgain => Cause::GrantRevoked,
            cause => cause,
        };
        if cause.told() == Told::Operators {
            tracing::error!(%tenant, code = refused.codes(), alarm = "service-credential", "this service's own app is refused");
        }
        if cause.event().is_none() {
            return Ok(AccountError::Later(refused.codes()));
        }
        self.account_failed(tenant, catalog, cause, Some(refused.code()))
            .await?;
        Ok(AccountError::Lost(cause))
    }

    /// Notes that an account failed for this cause, and tells it, once.
    ///
    /// # Errors
    /// When table or queue do not answer.
    pub async fn account_failed(
        &self,
        tenant: TenantId,
        catalog: CatalogId,
        cause: Cause,
        code: Option<String>,
    ) -> Result<(), AccountError> {
        let now = Utc::now();
        self.forget_tokens(tenant, catalog);
        let event = AuditEvent::new(now, Actor::named("Rollcall"), Action::ConnectionLost)
            .on(catalog, "")
            .with("code", code.clone().unwrap_or_default());
        let after = self
            .change_mail_connection(tenant, catalog, &[event], |it| {
                !it.fail(cause, code.clone(), now).is_empty()
            })
            .await?;
        match after {
            Some(connection) if connection.untold => {
                self.tell_loss(tenant, catalog, &connection).await
            }
            _ => Ok(()),
        }
    }

    /// Tells a loss that is not told yet, over a channel that does not need the
    /// account (C-27). The same loss is one notice, however often this is done.
    ///
    /// # Errors
    /// When table or queue do not answer.
    pub async fn tell_loss(
        &self,
        tenant: TenantId,
        catalog: CatalogId,
        connection: &MailConnection,
    ) -> Result<(), AccountError> {
        let Some(fault) = &connection.fault else {
            return Ok(());
        };
        let (name, recipients) = self.administrators(tenant, catalog, connection).await?;
        let about = NoticeKind::ConnectionLost {
            connection: connection.title.clone(),
            catalog: Some(catalog),
            account: connection.account.as_ref().map(|it| it.address.clone()),
            reason: fault.text.clone(),
            code: fault.code.clone(),
            since: fault.at,
            link: self.console(&format!("/catalogs/{catalog}/mail-connection")),
            held: self.store.waiting(tenant, catalog).await?,
        };
        let notice = Notice::new(tenant, &name, recipients, about);
        self.notice_queue.send(&notice, Duration::ZERO).await?;
        let told = |it: &mut MailConnection| std::mem::take(&mut it.untold);
        self.change_mail_connection(tenant, catalog, &[], told)
            .await?;
        Ok(())
    }

    /// The tenant's name and everybody who answers for a catalog's connection:
    /// the LMS administrators' addresses and the catalog's own admins.
    pub(super) async fn administrators(
        &self,
        tenant: TenantId,
        catalog: CatalogId,
        connection: &MailConnection,
    ) -> Result<(String, Vec<String>), AccountError> {
        let stored = self.store.tenant(tenant).await?;
        let mut recipients = Vec::new();
        if let Some(tenant) = &stored {
            recipients.extend(tenant.settings.recipients());
            recipients.extend(self.catalog_admins(tenant, catalog).await);
        }
        let by = connection.by.iter().map(|by| by.name.clone());
        recipients.extend(by.filter(|name| rollcall_domain::settings::is_mail_address(name)));
        let name = stored.map(|tenant| tenant.settings.display_name);
        Ok((name.unwrap_or_default(), recipients))
    }

    /// Addresses of a catalog's admins, who are known by their object ids. Those
    /// that cannot be had are left out: the others are told all the same.
    async fn catalog_admins(&self, tenant: &Tenant, catalog: CatalogId) -> Vec<String> {
        let all = tenant.settings.catalog_admins.iter();
        let own = all.filter(|(_, catalogs)| catalogs.contains(&catalog));
        let own: Vec<_> = own.map(|(admin, _)| *admin).take(MAX_ADMINS).collect();
        if own.is_empty() {
            return Vec::new();
        }
        let graph = match self.graph(tenant).await {
            Ok(graph) => graph,
            Err(error) => {
                tracing::warn!(%error, "the addresses of catalog admins cannot be looked up");
                return Vec::new();
            }
        };
        let mut found = Vec::new();
        for admin in own {
            match graph.address(admin).await {
                Ok(address) => found.extend(address),
                Err(error) => tracing::warn!(%error, "the address of a catalog admin is not known"),
            }
        }
        found
    }

    /// A place of the console as a link.
    pub fn console(&self, path: &str) -> String {
        let origin = self.settings.frontend_url.as_deref().unwrap_or_default();
        format!("{origin}{path}")
    }

    /// Changes a catalog's connection, whoever else does at the moment; `change`
    /// answers whether it changed anything. The connection as it is afterwards,
    /// `None` where there is none.
    ///
    /// # Errors
    /// When the table does not answer, or the change meets others again and again.
    pub async fn change_mail_connection(
        &self,
        tenant: TenantId,
        catalog: CatalogId,
        events: &[AuditEvent],
        change: impl Fn(&mut MailConnection) -> bool,
    ) -> Result<Option<MailConnection>, StoreError> {
        for _ in 0..TRIES {
            let Some(stored) = self.store.mail_connection(tenant, catalog).await? else {
                return Ok(None);
            };
            let mut after = stored.value;
            if !change(&mut after) {
                return Ok(Some(after));
            }
            let version = Some(stored.version);
            let put = self
                .store
                .put_mail_connection(tenant, catalog, &after, version, events);
            match put.await {
                Ok(_) => return Ok(Some(after)),
                Err(StoreError::Conflict) => {}
                Err(error) => return Err(error),
            }
        }
        Err(StoreError::Contended)
    }
}
