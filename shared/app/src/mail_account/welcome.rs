//! The mail message to a newly connected account, which also proves that sending works (S1-31).

use std::time::Duration;

use rollcall_domain::base::ids::{CatalogId, TenantId};
use rollcall_domain::connection::{Capability, MailConnection};
use rollcall_domain::notices::NoticeKind;
use rollcall_domain::notices::delivery::MailboxWakeup;

use super::super::Services;
use super::AccountError;

impl Services {
    /// Queues the message to the account if it has not been queued, and wakes the notifier for
    /// waiting messages. Idempotent: the same welcome message is sent once.
    ///
    /// # Errors
    /// Returns an error if the table or the queue does not respond; a tick repeats the call.
    pub async fn send_welcome(
        &self,
        tenant: TenantId,
        catalog: CatalogId,
        connection: &MailConnection,
    ) -> Result<(), AccountError> {
        if connection.welcome_pending
            && let Some((to, about)) = welcome_notice(catalog, connection)
        {
            self.notify_over_catalog(tenant, catalog, &[to], &about)
                .await?;
            let at = connection.connected_at;
            let greeted = |it: &mut MailConnection| {
                it.connected_at == at && std::mem::take(&mut it.welcome_pending)
            };
            self.change_mail_connection(tenant, catalog, &[], greeted)
                .await?;
        }
        if connection.options.enabled && connection.status.is_usable() {
            let wakeup = MailboxWakeup { tenant, catalog };
            self.wake_mailbox(wakeup, Duration::ZERO).await?;
        }
        Ok(())
    }
}

/// Returns the account's address and the notice; `None` if no account is connected.
fn welcome_notice(catalog: CatalogId, it: &MailConnection) -> Option<(String, NoticeKind)> {
    let (account, at) = (it.account.as_ref()?, it.connected_at?);
    let ability = |capability: &Capability| match capability {
        Capability::Rooms => "book rooms".to_owned(),
        Capability::Meetings => "create Microsoft Teams meetings".to_owned(),
        _ => "send notifications".to_owned(),
    };
    let unable = it.can.unable.iter();
    let about = NoticeKind::AccountConnected {
        catalog,
        catalog_title: it.title.clone(),
        account: account.address.clone(),
        able: it.can.able.iter().map(ability).collect(),
        unable: unable.map(|unable| unable.reason.clone()).collect(),
        at,
        by: it.by.as_ref().map(|by| by.name.clone()).unwrap_or_default(),
    };
    Some((account.address.clone(), about))
}
