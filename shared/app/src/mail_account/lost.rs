//! An account that is lost: noted once, told once, over a channel that does not need it (C-27).

use std::time::Duration;

use chrono::{DateTime, Utc};
use rollcall_clients::store::tenants::Tenant;
use rollcall_domain::audience::settings::is_mail_address;
use rollcall_domain::base::audit::{Action, Actor, AuditEvent};
use rollcall_domain::base::ids::{CatalogId, TenantId};
use rollcall_domain::connection::{Cause, MailConnection};
use rollcall_domain::notices::{Notice, NoticeKind};

use super::super::Services;
use super::AccountError;

/// Catalog admins that are told by mail.
const MAX_ADMINS: usize = 20;

impl Services {
    /// Notes that the account that was connected at a moment failed for this cause,
    /// and tells it, once. One that was connected since is left alone.
    ///
    /// # Errors
    /// When table or queue do not answer.
    pub async fn account_failed(
        &self,
        tenant: TenantId,
        catalog: CatalogId,
        of: Option<DateTime<Utc>>,
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
                it.connected_at == of && !it.fail(cause, code.clone(), now).is_empty()
            })
            .await?;
        match after {
            Some(connection) if connection.untold => {
                self.notify_loss(tenant, catalog, &connection).await
            }
            _ => Ok(()),
        }
    }

    /// Tells a loss that is not told yet, over a channel that does not need the
    /// account (C-27). The same loss is one notice, however often this is done.
    ///
    /// # Errors
    /// When table or queue do not answer.
    pub async fn notify_loss(
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
        let since = fault.at;
        let told = |it: &mut MailConnection| {
            let same = it.fault.as_ref().is_some_and(|fault| fault.at == since);
            same && std::mem::take(&mut it.untold)
        };
        self.change_mail_connection(tenant, catalog, &[], told)
            .await?;
        Ok(())
    }

    /// The tenant's name and everybody who answers for a catalog's connection:
    /// the LMS administrators' addresses and the catalog's own admins.
    pub(crate) async fn administrators(
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
        recipients.extend(connection.by.iter().map(|by| by.name.clone()));
        // One address that nobody can mail must not keep the mail from the others.
        recipients.retain(|address| is_mail_address(address));
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
        let graph = match self.graph_reader(tenant).await {
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
}
