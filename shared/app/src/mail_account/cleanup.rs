//! Deletes grants that are no longer needed: of disconnected accounts and of sign-ins that were not
//! saved.

use chrono::{DateTime, Utc};
use rollcall_clients::vault::StoredGrant;
use rollcall_domain::base::ids::{CatalogId, TenantId};
use rollcall_domain::connection::MailConnection;

use super::super::Services;
use super::AccountError;

impl Services {
    /// Deletes all grants of a catalog's account and clears the mark that this is due. The caller
    /// must hold the lease of the catalog's grant.
    ///
    /// # Errors
    /// Returns an error if the secret store or the table does not respond; a repeated call
    /// completes the work.
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

    /// Deletes the grants that are due according to a catalog's record: those of a disconnected
    /// account, and those of a sign-in that was not saved in time (S1-30, S1-39).
    ///
    /// # Errors
    /// Returns an error if the secret store or the table does not respond.
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
        kept.retain_grant(it.grant.as_deref().unwrap_or_default());
        self.vault.put_grant(tenant, catalog, &kept).await?;
        let noted = |it: &mut MailConnection| over(it) && it.draft_until.take().is_some();
        self.change_mail_connection(tenant, catalog, &[], noted)
            .await?;
        Ok(())
    }
}
