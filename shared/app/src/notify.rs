//! Notices of a tenant: their recipients, and the queue that the notifier reads.

use std::time::Duration;

use rollcall_clients::queue::QueueError;
use rollcall_clients::store::StoreError;
use rollcall_clients::store::tenants::Tenant;
use rollcall_domain::audience::settings::is_mail_address;
use rollcall_domain::base::ids::{CatalogId, ObjectId, TenantId};
use rollcall_domain::connection::MailConnection;
use rollcall_domain::notices::delivery::MailboxWakeup;
use rollcall_domain::notices::{Channel, Notice, NoticeKind};

use crate::Services;

/// The role whose members receive notices about failed syncs (S2-48).
const OWNER: &str = "Owner";
/// The maximum number of catalog admins that receive a notice by e-mail.
const MAX_ADMINS: usize = 20;

/// The reason why a notice could not be queued.
#[derive(Debug, thiserror::Error)]
pub enum NotifyError {
    /// The table did not respond.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The queue did not respond.
    #[error(transparent)]
    Queue(#[from] QueueError),
}

impl Services {
    /// Notifies the tenant's contacts.
    ///
    /// # Errors
    /// Returns an error if the queue does not respond.
    pub async fn notify(&self, tenant: &Tenant, about: NoticeKind) -> Result<(), QueueError> {
        let settings = &tenant.settings;
        let (name, recipients) = (&settings.display_name, settings.recipients());
        self.queue_notice(&Notice::new(tenant.id, name, recipients, about))
            .await
    }

    /// Notifies all owners, and the tenant's contacts, about the directory sync (S2-48).
    ///
    /// # Errors
    /// Returns an error if the table or the queue does not respond.
    pub async fn notify_owners(
        &self,
        tenant: TenantId,
        about: NoticeKind,
    ) -> Result<(), NotifyError> {
        let (name, mut recipients) = self.name_and_contacts(tenant).await?;
        let owners = self.store.admins(tenant).await?.into_iter();
        let owners = owners.filter(|(_, admin)| admin.roles.contains(OWNER));
        recipients.extend(owners.map(|(_, owner)| owner.name));
        recipients.retain(|address| is_mail_address(address));
        let notice = Notice::new(tenant, &name, recipients, about);
        Ok(self.queue_notice(&notice).await?)
    }

    /// Notifies one administrator in the product, without an e-mail (S3-24, S3-28).
    ///
    /// # Errors
    /// Returns an error if the table or the queue does not respond.
    pub async fn notify_in_product(
        &self,
        tenant: TenantId,
        to: ObjectId,
        about: NoticeKind,
    ) -> Result<(), NotifyError> {
        let (name, _) = self.name_and_contacts(tenant).await?;
        let admin = self.store.admin(tenant, to).await?;
        let recipient = admin.map_or_else(|| to.to_string(), |admin| admin.name);
        let notice = Notice::new(tenant, &name, vec![recipient], about);
        Ok(self.queue_notice(&notice.over(Channel::InProduct)).await?)
    }

    /// Notifies the tenant's contacts, the catalog's admins and the user who connected its account
    ///
    ///
    /// # Errors
    /// Returns an error if the table or the queue does not respond.
    pub async fn notify_catalog_administrators(
        &self,
        tenant: TenantId,
        catalog: CatalogId,
        connection: &MailConnection,
        about: NoticeKind,
    ) -> Result<(), NotifyError> {
        let (name, recipients) = self.administrators(tenant, catalog, connection).await?;
        let notice = Notice::new(tenant, &name, recipients, about);
        Ok(self.queue_notice(&notice).await?)
    }

    /// Notifies each of these addresses through the catalog's own mail account, with one message
    /// per address, so that recipients do not see each other.
    ///
    /// # Errors
    /// Returns an error if the table or the queue does not respond.
    pub async fn notify_over_catalog(
        &self,
        tenant: TenantId,
        catalog: CatalogId,
        addresses: &[String],
        about: &NoticeKind,
    ) -> Result<(), NotifyError> {
        let (name, _) = self.name_and_contacts(tenant).await?;
        let notice = |address: &String| {
            let to = vec![address.clone()];
            Notice::new(tenant, &name, to, about.clone()).over(Channel::Catalog { catalog })
        };
        let notices: Vec<Notice> = addresses.iter().map(notice).collect();
        Ok(self.notice_queue.send_all(&notices).await?)
    }

    /// Requests that the notifier checks a catalog's waiting messages after a delay.
    ///
    /// # Errors
    /// Returns an error if the queue does not respond.
    pub async fn wake_mailbox(
        &self,
        wakeup: MailboxWakeup,
        after: Duration,
    ) -> Result<(), QueueError> {
        self.notice_queue.send(&wakeup, after).await
    }

    async fn queue_notice(&self, notice: &Notice) -> Result<(), QueueError> {
        self.notice_queue.send(notice, Duration::ZERO).await
    }

    /// Returns the tenant's name and the addresses of its contacts.
    async fn name_and_contacts(
        &self,
        tenant: TenantId,
    ) -> Result<(String, Vec<String>), StoreError> {
        let stored = self.store.tenant(tenant).await?;
        Ok(stored.map_or_else(Default::default, |tenant| {
            let recipients = tenant.settings.recipients();
            (tenant.settings.display_name, recipients)
        }))
    }

    /// Returns the tenant's name and the addresses of everyone responsible for a catalog's
    /// connection: the LMS administrators, the catalog's own admins and the user who connected it
    ///
    async fn administrators(
        &self,
        tenant: TenantId,
        catalog: CatalogId,
        connection: &MailConnection,
    ) -> Result<(String, Vec<String>), StoreError> {
        let stored = self.store.tenant(tenant).await?;
        let mut recipients = Vec::new();
        if let Some(tenant) = &stored {
            recipients.extend(tenant.settings.recipients());
            recipients.extend(self.catalog_admins(tenant, catalog).await);
        }
        recipients.extend(connection.by.iter().map(|by| by.name.clone()));
        // Invalid addresses are removed, because one would prevent the delivery to the others.
        recipients.retain(|address| is_mail_address(address));
        let name = stored.map(|tenant| tenant.settings.display_name);
        Ok((name.unwrap_or_default(), recipients))
    }

    /// Returns the addresses of a catalog's admins, who are stored by object id. Addresses that
    /// cannot be read are omitted, so that the others are still notified.
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
                tracing::warn!(%error, "the addresses of catalog admins could not be read");
                return Vec::new();
            }
        };
        let mut found = Vec::new();
        for admin in own {
            match graph.address(admin).await {
                Ok(address) => found.extend(address),
                Err(error) => tracing::warn!(%error, "the address of a catalog admin is unknown"),
            }
        }
        found
    }
}
