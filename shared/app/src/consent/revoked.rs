//! Detects, when a directory is used, that its consent was withdrawn, and notifies once.

use chrono::Utc;
use rollcall_clients::graph::GraphError;
use rollcall_domain::base::audit::{Action, Actor, AuditEvent};
use rollcall_domain::base::ids::TenantId;
use rollcall_domain::connection::{EntraConnection, Fault};
use rollcall_domain::notices::NoticeKind;

use super::super::Services;
use super::super::mail_account::AccountError;

impl Services {
    /// Checks whether an error means that the service's app no longer works in a tenant's
    /// directory; if so, and if it is not yet known, records the loss and queues a notice.
    ///
    /// # Errors
    /// Returns an error if the table or the queue does not respond.
    pub async fn directory_refused(
        &self,
        tenant: TenantId,
        error: &GraphError,
    ) -> Result<(), AccountError> {
        let GraphError::Token(error) = error else {
            return Ok(());
        };
        let (cause, code, now) = (error.cause(), Some(error.code()), Utc::now());
        let stored = self.store.entra_connection(tenant).await?;
        let Some(mut after) = stored.as_ref().map(|stored| stored.value.clone()) else {
            return Ok(());
        };
        if !after.lost(cause, code.clone(), now) {
            return Ok(());
        }
        let events = [
            AuditEvent::new(now, Actor::named("Rollcall"), Action::ConnectionLost)
                .on("entra", "Microsoft Entra ID")
                .with("code", code.clone().unwrap_or_default()),
        ];
        let change = |before: Option<EntraConnection>| {
            let mut it = before.unwrap_or_else(|| after.clone());
            it.lost(cause, code.clone(), now);
            it
        };
        let lost = self
            .change_entra_connection(tenant, &events, change)
            .await?;
        // If several functions detect the loss at once, all queue the same notice, which is sent
        // once.
        match &lost.fault {
            Some(fault) => self.notify_consent_revoked(tenant, fault).await,
            None => Ok(()),
        }
    }

    async fn notify_consent_revoked(
        &self,
        tenant: TenantId,
        fault: &Fault,
    ) -> Result<(), AccountError> {
        let Some(record) = self.store.tenant(tenant).await? else {
            return Ok(());
        };
        let about = NoticeKind::ConnectionLost {
            connection: "Microsoft Entra ID".to_owned(),
            catalog: None,
            account: None,
            reason: fault.text.clone(),
            code: fault.code.clone(),
            since: fault.at,
            link: self.console("/settings/connections"),
            held: 0,
        };
        Ok(self.notify(&record, about).await?)
    }
}
