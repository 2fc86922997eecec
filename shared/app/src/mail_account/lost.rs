//! An account that is lost: noted once, told once, over a channel that does not need it (C-27).

use chrono::{DateTime, Utc};
use rollcall_domain::base::audit::{Action, Actor, AuditEvent};
use rollcall_domain::base::ids::{CatalogId, TenantId};
use rollcall_domain::connection::{Cause, MailConnection};
use rollcall_domain::notices::NoticeKind;

use super::super::Services;
use super::AccountError;

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
        self.notify_catalog_administrators(tenant, catalog, connection, about)
            .await?;
        let since = fault.at;
        let told = |it: &mut MailConnection| {
            let same = it.fault.as_ref().is_some_and(|fault| fault.at == since);
            same && std::mem::take(&mut it.untold)
        };
        self.change_mail_connection(tenant, catalog, &[], told)
            .await?;
        Ok(())
    }

    /// A place of the console as a link.
    pub fn console(&self, path: &str) -> String {
        let origin = self.settings.frontend_url.as_deref().unwrap_or_default();
        format!("{origin}{path}")
    }
}
