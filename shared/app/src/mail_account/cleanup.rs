//! What the vault has to forget: grants of accounts that were disconnected, sign-ins nobody saved.

use chrono::{DateTime, Utc};
use rollcall_clients::vault::StoredGrant;
use rollcall_domain::base::ids::{CatalogId, TenantId};
use rollcall_domain::connection::MailConnection;

use super::super::Services;
use super::AccountError;

impl Services {
    /// Forgets everything that is kept of a catalog's account, and that this had to
    /// be done. For whoever holds the lease of the catalog's grant.
    ///
    /// # Errors
    /// When vault or table do not answer; done again it does the rest.
    pub async fn forget_grant(
        &self,
        tenant: TenantId,
        catalog: CatalogId,
    ) -> Result<(), AccountError> {
        let nothing = StoredGrant::default();
        self.vault.put_grant(tenant, catalog, &nothing).await?;
        let forgotten = |it: &mut MailConnection| std::mem::take(&mut it.forget);
        self.change_mail_connection(tenant, catalog, &[], forgotten)
            .await?;
        Ok(())
    }

    /// Forgets what a catalog's record says is due: an account that was
    /// disconnected, a sign-in that nobody saved in time (S1-30, S1-39).
    ///
    /// # Errors
    /// When vault or table do not answer.
    pub async fn forget_what_is_due(
        &self,
        tenant: TenantId,
        catalog: CatalogId,
        now: DateTime<Utc>,
    ) -> Result<(), AccountError> {
        let lease = self.grant_lease(tenant, catalog).await?;
        let done = self.forget_under_lease(tenant, catalog, now).await;
        lease.release().await?;
        done
    }

    async fn forget_under_lease(
        &self,
        tenant: TenantId,
        catalog: CatalogId,
        now: DateTime<Utc>,
    ) -> Result<(), AccountError> {
        let stored = self.store.mail_connection(tenant, catalog).await?;
        let Some(it) = stored.map(|stored| stored.value) else {
            return Ok(());
        };
        if it.forget && it.account.is_none() {
            return self.forget_grant(tenant, catalog).await;
        }
        let over = |it: &MailConnection| it.draft_until.is_some_and(|until| until <= now);
        if !over(&it) {
            return Ok(());
        }
        let mut kept = self.vault.grant(tenant, catalog).await?;
        kept.keep_only(it.grant.as_deref().unwrap_or_default());
        self.vault.put_grant(tenant, catalog, &kept).await?;
        let noted = |it: &mut MailConnection| over(it) && it.draft_until.take().is_some();
        self.change_mail_connection(tenant, catalog, &[], noted)
            .await?;
        Ok(())
    }
}
