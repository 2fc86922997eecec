//! Records the loss of an account once and notifies once, over a channel that does not need the
//! account (C-27).

use chrono::{DateTime, Utc};
use rollcall_domain::base::audit::{Action, Actor, AuditEvent};
use rollcall_domain::base::ids::{CatalogId, TenantId};
use rollcall_domain::connection::{Cause, MailConnection};
use rollcall_domain::notices::NoticeKind;

use super::super::Services;
use super::AccountError;

impl Services {
    /// Records that the account connected at `of` failed with this cause, and notifies once. An
    /// account that was connected later is not changed.
    ///
    /// # Errors
    /// Returns an error if the table or the queue does not respond.
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
            Some(connection) if connection.notice_pending => {
                self.notify_loss(tenant, catalog, &connection).await
            }
            _ => Ok(()),
        }
    }

    /// Notifies of a loss that was not yet notified, over a channel that does not need the account
    /// (C-27). Repeated calls for one loss result in one notice.
    ///
    /// # Errors
    /// Returns an error if the table or the queue does not respond.
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
        let mark_notified = |it: &mut MailConnection| {
            let same = it.fault.as_ref().is_some_and(|fault| fault.at == since);
            same && std::mem::take(&mut it.notice_pending)
        };
        self.change_mail_connection(tenant, catalog, &[], mark_notified)
            .await?;
        Ok(())
    }

    /// Returns the link to a page of the console.
    pub fn console(&self, path: &str) -> String {
        let origin = self.settings.frontend_url.as_deref().unwrap_or_default();
        format!("{origin}{path}")
    }
}
