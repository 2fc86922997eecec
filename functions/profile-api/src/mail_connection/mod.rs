//! A catalog's Microsoft 365 account: what it is, how it is connected, saved and ended (S1).

pub(crate) mod connect;
pub(crate) mod disconnect;
pub(crate) mod messages;
pub(crate) mod save;
pub(crate) mod show;

use axum::http::StatusCode;
use rollcall_app::mail_account::AccountError;
use rollcall_clients::store::Lease;
use rollcall_clients::store::connections::Versioned;
use rollcall_domain::base::ids::{CatalogId, TenantId};
use rollcall_domain::connection::MailConnection;
use rollcall_runtime::ProblemDetails;
use rollcall_runtime::auth::{Caller, Role};

use crate::error::{Refused, missing, stored, unavailable};
use crate::settings::show::vault;
use crate::{ApiState, now};

impl ApiState {
    /// Lets only an admin of this very catalog pass (S1-03, S1-36): other roles
    /// see how the connection stands, but do not decide it.
    pub(crate) async fn must_administer(
        &self,
        caller: &Caller,
        catalog: CatalogId,
    ) -> Result<(), Refused> {
        if self.administers(caller, catalog).await? {
            return Ok(());
        }
        let detail =
            "Only an admin of this catalog may do this; who that is stands in the settings.";
        Err(ProblemDetails::new(StatusCode::FORBIDDEN, detail).of_kind("not-your-catalog"))
    }

    /// Whether the caller is an admin of the catalog.
    pub(crate) async fn administers(
        &self,
        caller: &Caller,
        catalog: CatalogId,
    ) -> Result<bool, Refused> {
        if !caller.roles.contains(&Role::CatalogAdmin) {
            return Ok(false);
        }
        let tenant = self
            .services
            .store
            .tenant(caller.tenant)
            .await
            .map_err(stored)?;
        let own = tenant.and_then(|mut it| it.settings.catalog_admins.remove(&caller.object));
        Ok(own.is_some_and(|own| own.contains(&catalog)))
    }

    /// The connection of a catalog that exists; a blank one where nobody touched it.
    pub(crate) async fn mail_of(
        &self,
        tenant: TenantId,
        catalog: CatalogId,
    ) -> Result<Versioned<MailConnection>, Refused> {
        let stored_ = self.services.store.mail_connection(tenant, catalog).await;
        if let Some(found) = stored_.map_err(stored)? {
            return Ok(found);
        }
        let title = self.catalog_title(tenant, catalog).await?;
        let mut blank = MailConnection::not_configured(now());
        blank.title = title.ok_or_else(missing)?;
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
    ) -> Result<Option<String>, Refused> {
        let data = self.data(tenant).await?;
        let mut catalogs = data.snapshot.catalogs.iter();
        let found = catalogs.find(|known| known.id == catalog);
        Ok(found.map(|known| known.title.clone()))
    }

    /// The lease under which a catalog's account and connection are changed.
    async fn alone(&self, tenant: TenantId, catalog: CatalogId) -> Result<Lease, Refused> {
        let lease = self.services.grant_lease(tenant, catalog).await;
        lease.map_err(|error| account(&error))
    }
}

/// An account's trouble as an answer.
pub(crate) fn account(error: &AccountError) -> ProblemDetails {
    match error {
        AccountError::NotConnected => not_connected(),
        AccountError::Lost(cause) => {
            ProblemDetails::new(StatusCode::CONFLICT, cause.message()).of_kind("connection-lost")
        }
        AccountError::App(error) => crate::connections::entra::app(error),
        AccountError::Vault(error) => vault(error),
        error => {
            tracing::warn!(%error, "a connected account cannot be used");
            unavailable("The connected account cannot be used at the moment; try again shortly.")
        }
    }
}

/// The catalog has no account that works (S1-01).
pub(crate) fn not_connected() -> ProblemDetails {
    let detail = "This catalog has no Microsoft 365 account that works. An admin of the catalog has to connect one.";
    ProblemDetails::new(StatusCode::CONFLICT, detail).of_kind("account-required")
}
