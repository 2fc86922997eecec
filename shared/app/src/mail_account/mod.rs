//! Connected accounts: their newest grant, the mailbox it opens, and what happens when it is lost.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use rollcall_clients::entra::{AccessToken, EntraError, Grant};
use rollcall_clients::http::ApiError;
use rollcall_clients::mailbox::Mailbox;
use rollcall_clients::queue::QueueError;
use rollcall_clients::store::{Lease, StoreError};
use rollcall_clients::vault::VaultError;
use rollcall_domain::base::audit::AuditEvent;
use rollcall_domain::base::ids::{CatalogId, TenantId};
use rollcall_domain::connection::{Cause, MailConnection, Told};

use super::Services;
use super::consent::AppError;

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

/// Access tokens of connected accounts, in this process only. The moment of
/// connecting is part of the key: another account never gets an old token.
pub(crate) type AccountTokens = Arc<Mutex<HashMap<AccountKey, AccessToken>>>;
type AccountKey = (TenantId, CatalogId, Option<DateTime<Utc>>);

/// Since when the account was connected whose grant is gone, and why it is.
type RefusedGrant = (Option<DateTime<Utc>>, (Cause, String));

/// Why Entra refused, for a grant: what a sign-in would start again is simply gone.
fn why(error: &EntraError) -> (Cause, String) {
    let cause = match error.cause() {
        Cause::StartAgain => Cause::GrantRevoked,
        cause => cause,
    };
    (cause, error.code())
}

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

    pub(crate) async fn usable(
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
            Err(refused) => Err(self.grant_refused(tenant, catalog, refused).await?),
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

    /// The refresh itself; the inner error is why there is no grant any more.
    async fn renew_under(
        &self,
        lease: &Lease,
        tenant: TenantId,
        catalog: CatalogId,
    ) -> Result<Result<AccessToken, RefusedGrant>, AccountError> {
        let app = self.service_app().await?;
        // Only now, under the lease: what was read before may be older. Whether the
        // catalog is switched on does not matter: its grant must not die meanwhile.
        let stored = self.store.mail_connection(tenant, catalog).await?;
        let connection = stored.map(|stored| stored.value);
        let connection = connection.filter(|it| it.status.is_usable());
        let connection = connection.ok_or(AccountError::NotConnected)?;
        let name = connection.grant.clone().unwrap_or_default();
        let mut stored = self.vault.grant(tenant, catalog).await?;
        let Some(refresh) = stored.refresh_token(&name) else {
            let gone = (Cause::GrantRevoked, "no grant".to_owned());
            return Ok(Err((connection.connected_at, gone)));
        };
        let scopes = self.mail_scopes();
        let asked = self.entra.refresh(tenant, &app, &refresh, &scopes);
        let grant: Grant = match asked.await {
            Ok(grant) => grant,
            Err(error) => return Ok(Err((connection.connected_at, why(&error)))),
        };
        if let Some(newest) = &grant.refresh {
            if !lease.keep().await? {
                return Err(AccountError::Later(
                    "its grant was renewed by another".to_owned(),
                ));
            }
            stored.renew(&name, newest);
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
        (of, (cause, code)): RefusedGrant,
    ) -> Result<AccountError, AccountError> {
        if cause.told() == Told::Operators {
            tracing::error!(%tenant, code, alarm = "service-credential", "this service's own app is refused");
        }
        if cause.event().is_none() {
            return Ok(AccountError::Later(code));
        }
        self.account_failed(tenant, catalog, of, cause, Some(code))
            .await?;
        Ok(AccountError::Lost(cause))
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
mod cleanup;
mod lost;
mod welcome;
