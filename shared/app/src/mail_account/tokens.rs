//! The grants of connected accounts: access tokens kept in memory, and their renewal under a lease.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use rollcall_clients::entra::{AccessToken, EntraError, Grant};
use rollcall_clients::store::{Lease, StoreError};
use rollcall_domain::base::ids::{CatalogId, TenantId};
use rollcall_domain::connection::{Cause, ReportTo};

use super::AccountError;
use crate::Services;

/// A grant is refreshed within seconds; a function that dies meanwhile holds up
/// the next one no longer than this.
const GRANT_LEASE: Duration = Duration::from_secs(30);
/// The longest wait for the lease of a grant that another function is refreshing.
const LEASE_PATIENCE: Duration = Duration::from_secs(20);
/// The use of a grant is noted no more often than this.
const NOTE_USE_AFTER: TimeDelta = TimeDelta::hours(6);
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

/// The lease under which a catalog's grant is read and written.
fn grant_lease(catalog: CatalogId) -> String {
    format!("grant#{catalog}")
}

impl Services {
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
        let name = grant_lease(catalog);
        let lease = Lease::acquire_within(&self.store, tenant, &name, GRANT_LEASE, LEASE_PATIENCE);
        let busy = || AccountError::Later("its grant is being renewed".to_owned());
        lease.await?.ok_or_else(busy)
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
            if !lease.renew().await? {
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

    pub(super) fn account_tokens(&self) -> MutexGuard<'_, HashMap<AccountKey, AccessToken>> {
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
        if cause.report_to() == ReportTo::Operators {
            tracing::error!(%tenant, code, alarm = "service-credential", "this service's own app is refused");
        }
        if cause.event().is_none() {
            return Ok(AccountError::Later(code));
        }
        self.account_failed(tenant, catalog, of, cause, Some(code))
            .await?;
        Ok(AccountError::Lost(cause))
    }
}
