//! The grants of connected accounts: access tokens cached in memory, and their renewal under a
//! lease.

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

/// The duration of the lease. A grant is refreshed within seconds; if a function crashes during
/// that, the next one waits no longer than this.
const GRANT_LEASE: Duration = Duration::from_secs(30);
/// The longest wait for the lease of a grant that another function is refreshing.
const LEASE_PATIENCE: Duration = Duration::from_secs(20);
/// The minimum time between two records of a grant's use.
const NOTE_USE_AFTER: TimeDelta = TimeDelta::hours(6);
/// Access tokens of connected accounts, in this process only. The time of connection is part of the
/// key, so that another account never gets an old token.
pub(crate) type AccountTokens = Arc<Mutex<HashMap<AccountKey, AccessToken>>>;
type AccountKey = (TenantId, CatalogId, Option<DateTime<Utc>>);

/// The time at which the account of a rejected grant was connected, and the cause and code of the
/// error.
type RefusedGrant = (Option<DateTime<Utc>>, (Cause, String));

/// Returns cause and code of Entra's error for a grant; an error that would restart a sign-in means
/// that the grant is revoked.
fn why(error: &EntraError) -> (Cause, String) {
    let cause = match error.cause() {
        Cause::StartAgain => Cause::GrantRevoked,
        cause => cause,
    };
    (cause, error.code())
}

/// Returns the name of the lease under which a catalog's grant is read and written.
fn grant_lease(catalog: CatalogId) -> String {
    format!("grant#{catalog}")
}

impl Services {
    /// Acquires a new access token and stores the newest refresh token. Concurrent calls are
    /// serialized by the lease, so that each uses the newest token.
    ///
    /// # Errors
    /// Returns the errors of [`Services::account`].
    pub async fn renew_grant(
        &self,
        tenant: TenantId,
        catalog: CatalogId,
    ) -> Result<AccessToken, AccountError> {
        let lease = self.grant_lease(tenant, catalog).await?;
        let renewed = self.renew_under(&lease, tenant, catalog).await;
        if let Err(error) = lease.release().await {
            tracing::warn!(%error, "the lease of a grant was not released; it expires");
        }
        match renewed? {
            Ok(token) => Ok(token),
            Err(refused) => Err(self.grant_refused(tenant, catalog, refused).await?),
        }
    }

    /// Waits for the lease of a catalog's grant.
    ///
    /// # Errors
    /// Returns [`AccountError::Later`] if the lease is held for too long.
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

    /// Refreshes the grant; the inner error means that there is no valid grant any more.
    async fn renew_under(
        &self,
        lease: &Lease,
        tenant: TenantId,
        catalog: CatalogId,
    ) -> Result<Result<AccessToken, RefusedGrant>, AccountError> {
        let app = self.service_app().await?;
        // Read again under the lease, because data read before may be stale. A disabled catalog's
        // grant is renewed, too, because it must not expire.
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
                    "its grant was renewed by another request".to_owned(),
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

    /// Caches an access token for the next use.
    fn remember_token(&self, key: AccountKey, token: &AccessToken) {
        let mut tokens = self.account_tokens();
        tokens.retain(|_, token| token.is_fresh());
        tokens.insert(key, token.clone());
    }

    /// Removes access tokens of a catalog from the cache, after Graph rejected one or the
    /// connection of the account ended.
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

    /// Records the consequences of a rejected refresh and returns the error for the caller.
    async fn grant_refused(
        &self,
        tenant: TenantId,
        catalog: CatalogId,
        (of, (cause, code)): RefusedGrant,
    ) -> Result<AccountError, AccountError> {
        if cause.report_to() == ReportTo::Operators {
            tracing::error!(%tenant, code, alarm = "service-credential", "Entra rejected the service's own app");
        }
        if cause.event().is_none() {
            return Ok(AccountError::Later(code));
        }
        self.account_failed(tenant, catalog, of, cause, Some(code))
            .await?;
        Ok(AccountError::Lost(cause))
    }
}
