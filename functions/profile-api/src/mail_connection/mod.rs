//! A catalog's Microsoft 365 account: what it is, how it is connected, saved and ended (S1).

pub(crate) mod connect;
pub(crate) mod disconnect;
pub(crate) mod messages;
pub(crate) mod save;
pub(crate) mod show;

use rollcall_app::mail_account::AccountError;
use rollcall_clients::store::Lease;
use rollcall_clients::store::connections::Versioned;
use rollcall_domain::base::ids::{CatalogId, TenantId};
use rollcall_domain::connection::MailConnection;
use rollcall_runtime::auth::{Caller, Role};

use crate::error::ApiError;
use crate::{ApiState, now};

impl ApiState {
    /// Lets only an admin of this very catalog pass (S1-03, S1-36): other roles
    /// see how the connection stands, but do not decide it.
    pub(crate) async fn must_administer(
        &self,
        caller: &Caller,
        catalog: CatalogId,
    ) -> Result<(), ApiError> {
        if self.administers(caller, catalog).await? {
            return Ok(());
        }
        let detail =
            "Only an admin of this catalog may do this; who that is stands in the settings.";
        Err(ApiError::forbidden("not-your-catalog", detail))
    }

    /// Whether the caller is an admin of the catalog.
    pub(crate) async fn administers(
        &self,
        caller: &Caller,
        catalog: CatalogId,
    ) -> Result<bool, ApiError> {
        if !caller.roles.contains(&Role::CatalogAdmin) {
            return Ok(false);
        }
        let tenant = self.services.store.tenant(caller.tenant).await?;
        let own = tenant.and_then(|mut it| it.settings.catalog_admins.remove(&caller.object));
        Ok(own.is_some_and(|own| own.contains(&catalog)))
    }

    /// The connection of a catalog that exists; a blank one where nobody touched it.
    pub(crate) async fn mail_of(
        &self,
        tenant: TenantId,
        catalog: CatalogId,
    ) -> Result<Versioned<MailConnection>, ApiError> {
        let stored_ = self.services.store.mail_connection(tenant, catalog).await;
        if let Some(found) = stored_? {
            return Ok(found);
        }
        let title = self.catalog_title(tenant, catalog).await?;
        let mut blank = MailConnection::blank(now());
        blank.title = title.ok_or(ApiError::Missing)?;
        Ok(Versioned {
            value: blank,
            version: 0,
        })
    }

    /// What people call a catalog, by the data in use; `None` when it has no such.
    pub(crate) async fn catalog_title(
        &self,
        tenant: TenantId,
        catalog: CatalogId,
    ) -> Result<Option<String>, ApiError> {
        let data = self.data(tenant).await?;
        let mut catalogs = data.snapshot.catalogs.iter();
        let found = catalogs.find(|known| known.id == catalog);
        Ok(found.map(|known| known.title.clone()))
    }

    /// The lease under which a catalog's account and connection are changed.
    async fn alone(&self, tenant: TenantId, catalog: CatalogId) -> Result<Lease, ApiError> {
        Ok(self.services.grant_lease(tenant, catalog).await?)
    }
}

/// The catalog has no account that works (S1-01).
pub(crate) fn not_connected() -> ApiError {
    AccountError::NotConnected.into()
}
