//! The mail to an account that was just connected, which also proves that sending works (S1-31).

use std::time::Duration;

use rollcall_clients::store::StoreError;
use rollcall_domain::base::ids::{CatalogId, TenantId};
use rollcall_domain::connection::{Capability, MailConnection};
use rollcall_domain::notices::delivery::MailboxWakeup;
use rollcall_domain::notices::{Channel, Notice, NoticeKind};

use super::super::Services;
use super::AccountError;

impl Services {
    /// Queues the mail to the account if it has not been queued, and asks for
    /// another look at what waits. Done again it does no harm: the same greeting is
    /// one mail.
    ///
    /// # Errors
    /// When table or queue do not answer; a tick does it then.
    pub async fn greet(
        &self,
        tenant: TenantId,
        catalog: CatalogId,
        connection: &MailConnection,
    ) -> Result<(), AccountError> {
        if connection.unwelcomed
            && let Some(notice) = self.greeting(tenant, catalog, connection).await?
        {
            self.notice_queue.send(&notice, Duration::ZERO).await?;
            let at = connection.connected_at;
            let greeted = |it: &mut MailConnection| {
                it.connected_at == at && std::mem::take(&mut it.unwelcomed)
            };
            self.change_mail_connection(tenant, catalog, &[], greeted)
                .await?;
        }
        if connection.options.enabled && connection.status.is_usable() {
            let drain = MailboxWakeup { tenant, catalog };
            self.notice_queue.send(&drain, Duration::ZERO).await?;
        }
        Ok(())
    }

    async fn greeting(
        &self,
        tenant: TenantId,
        catalog: CatalogId,
        it: &MailConnection,
    ) -> Result<Option<Notice>, StoreError> {
        let (Some(account), Some(at)) = (&it.account, it.connected_at) else {
            return Ok(None);
        };
        let words = |capability: &Capability| match capability {
            Capability::Rooms => "book rooms".to_owned(),
            Capability::Meetings => "create Microsoft Teams meetings".to_owned(),
            _ => "send notifications".to_owned(),
        };
        let unable = it.can.unable.iter();
        let about = NoticeKind::AccountConnected {
            catalog,
            catalog_title: it.title.clone(),
            account: account.address.clone(),
            able: it.can.able.iter().map(words).collect(),
            unable: unable.map(|unable| unable.reason.clone()).collect(),
            at,
            by: it.by.as_ref().map(|by| by.name.clone()).unwrap_or_default(),
        };
        let settings = self.store.tenant(tenant).await?;
        let name = settings.map(|it| it.settings.display_name);
        let to = vec![account.address.clone()];
        let notice = Notice::new(tenant, &name.unwrap_or_default(), to, about);
        Ok(Some(notice.over(Channel::Catalog { catalog })))
    }
}
