//! The directory sync's clients, and who is told about its runs.

mod connection_test;

use std::time::Duration;

use rollcall_clients::graph::{Graph, TokenSource};
use rollcall_clients::http::ApiError;
use rollcall_clients::queue::QueueError;
use rollcall_clients::scim::Scim;
use rollcall_clients::store::StoreError;
use rollcall_clients::vault::{SyncCredentials, VaultError};
use rollcall_domain::audience::settings::is_mail_address;
use rollcall_domain::base::ids::{ObjectId, TenantId};
use rollcall_domain::base::run::{RunRequest, Trigger};
use rollcall_domain::base::schedule::{Job, Slot};
use rollcall_domain::directory_sync::{SourceConnection, SyncState};
use rollcall_domain::notices::{Channel, Notice, NoticeKind};

use super::Services;
use super::clients::ConnectError;
use super::consent::{AppError, DirectoryError};

/// The role whose people are told about failures (S2-48).
const OWNER: &str = "Owner";

/// A client of a directory sync that could not be made.
#[derive(Debug, thiserror::Error)]
pub enum SyncClientError {
    /// It is not connected.
    #[error("the directory sync is not connected")]
    NotConnected,
    /// A credential was never entered.
    #[error("the {0} was never entered")]
    Missing(&'static str),
    /// Its address is none that tenants may name.
    #[error("the address {0:?} is none that this deployment sends requests to")]
    Address(String),
    /// The vault did not do it.
    #[error(transparent)]
    Vault(#[from] VaultError),
    /// This service's own app is the trouble.
    #[error(transparent)]
    App(#[from] AppError),
    /// The client refused its settings.
    #[error(transparent)]
    Client(#[from] ApiError),
}

impl SyncClientError {
    /// Whether somebody of the tenant has to act.
    pub fn needs_person(&self) -> bool {
        matches!(
            self,
            Self::NotConnected | Self::Missing(_) | Self::Address(_)
        )
    }
}

impl From<DirectoryError> for SyncClientError {
    fn from(error: DirectoryError) -> Self {
        match error {
            DirectoryError::App(error) => Self::App(error),
            DirectoryError::Connect(ConnectError::Client(error)) => Self::Client(error),
            DirectoryError::Connect(ConnectError::Vault(error)) => Self::Vault(error),
            DirectoryError::Connect(ConnectError::Address(address)) => Self::Address(address),
        }
    }
}

impl Services {
    /// The directory as the sync reads it.
    ///
    /// # Errors
    /// Why it cannot be read at all.
    pub async fn sync_directory(
        &self,
        tenant: TenantId,
        source: Option<&SourceConnection>,
        credentials: &SyncCredentials,
    ) -> Result<Graph, SyncClientError> {
        match source {
            None => Err(SyncClientError::NotConnected),
            Some(SourceConnection::Consent) => Ok(self.directory(tenant).await?),
            Some(SourceConnection::App { .. }) => {
                let app = credentials.app.as_ref();
                let app = app.ok_or(SyncClientError::Missing("app registration"))?;
                let entra = self.entra.clone();
                let tokens = TokenSource::new(entra, tenant, &app.client_id, app.secret());
                Ok(Graph::new(
                    self.http.clone(),
                    &self.settings.graph_url,
                    tokens,
                )?)
            }
        }
    }

    /// The learning platform as the sync changes it.
    ///
    /// # Errors
    /// Why it cannot be asked at all.
    pub fn sync_target(
        &self,
        target: &str,
        credentials: &SyncCredentials,
    ) -> Result<Scim, SyncClientError> {
        // Looked at every time: operators may have taken a host off their list.
        if !self.settings.is_scim_address(target) {
            return Err(SyncClientError::Address(target.to_owned()));
        }
        let token = credentials.token_for(target);
        let token = token.ok_or(SyncClientError::Missing(
            "token of the learning platform at this address",
        ))?;
        Ok(Scim::new(self.outside.clone(), target, token)?)
    }

    /// Asks for a run of the sync.
    ///
    /// # Errors
    /// When the queue does not answer.
    pub async fn run_sync(
        &self,
        tenant: TenantId,
        slot: Slot,
        trigger: Trigger,
    ) -> Result<RunRequest, QueueError> {
        let request = RunRequest {
            job: Job::DirectorySync,
            tenant,
            slot,
            trigger,
            continuation: 0,
            waits: 0,
        };
        self.queue(Job::DirectorySync)
            .send(&request, Duration::ZERO)
            .await?;
        Ok(request)
    }

    /// Tells all owners, and the tenant's contact, that a run failed (S2-48).
    ///
    /// # Errors
    /// When table or queue do not answer.
    pub async fn notify_owners(
        &self,
        tenant: TenantId,
        about: NoticeKind,
    ) -> Result<(), TellError> {
        let (name, mut recipients) = self.named(tenant).await?;
        let owners = self.store.admins(tenant).await?.into_iter();
        let owners = owners.filter(|(_, admin)| admin.roles.contains(OWNER));
        recipients.extend(owners.map(|(_, owner)| owner.name));
        recipients.retain(|address| is_mail_address(address));
        let notice = Notice::new(tenant, &name, recipients, about);
        Ok(self.notice_queue.send(&notice, Duration::ZERO).await?)
    }

    /// Tells the chosen Super admin in the product, and nobody by mail (S3-24, S3-28).
    ///
    /// # Errors
    /// When table or queue do not answer.
    pub async fn notify_in_product(
        &self,
        tenant: TenantId,
        to: ObjectId,
        about: NoticeKind,
    ) -> Result<(), TellError> {
        let (name, _) = self.named(tenant).await?;
        let admin = self.store.admin(tenant, to).await?;
        let recipient = admin.map_or_else(|| to.to_string(), |admin| admin.name);
        let notice = Notice::new(tenant, &name, vec![recipient], about);
        let notice = notice.over(Channel::InProduct);
        Ok(self.notice_queue.send(&notice, Duration::ZERO).await?)
    }

    /// The tenant's name and its recipients of notices.
    async fn named(&self, tenant: TenantId) -> Result<(String, Vec<String>), StoreError> {
        let stored = self.store.tenant(tenant).await?;
        Ok(stored.map_or_else(Default::default, |tenant| {
            (
                tenant.settings.display_name.clone(),
                tenant.settings.recipients(),
            )
        }))
    }

    /// What a run of the sync works with.
    ///
    /// # Errors
    /// Why a client cannot be made.
    pub async fn sync_clients(
        &self,
        tenant: TenantId,
        state: &SyncState,
    ) -> Result<(Graph, Scim), SyncClientError> {
        let credentials = self.vault.sync_credentials(tenant).await?;
        let graph = self
            .sync_directory(tenant, state.source.as_ref(), &credentials)
            .await?;
        let scim = self.sync_target(&state.config.target, &credentials)?;
        Ok((graph, scim))
    }
}

/// A notice that could not be sent on its way.
#[derive(Debug, thiserror::Error)]
pub enum TellError {
    /// The table did not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The queue did not answer.
    #[error(transparent)]
    Queue(#[from] QueueError),
}
