//! The directory sync's clients and the requests for its runs.

mod connection_test;

use std::time::Duration;

use rollcall_clients::graph::{GraphReader, TokenSource};
use rollcall_clients::http::ApiError;
use rollcall_clients::queue::QueueError;
use rollcall_clients::scim::Scim;
use rollcall_clients::vault::{SyncCredentials, VaultError};
use rollcall_domain::base::ids::TenantId;
use rollcall_domain::base::run::{RunRequest, Trigger};
use rollcall_domain::base::schedule::{Job, Slot};
use rollcall_domain::directory_sync::{SourceConnection, SyncState};

use super::Services;
use super::clients::ConnectError;
use super::consent::DirectoryError;
use super::service_app::AppError;

/// The reason why a client of a directory sync could not be created.
#[derive(Debug, thiserror::Error)]
pub enum SyncClientError {
    /// The sync is not connected.
    #[error("the directory sync is not connected")]
    NotConnected,
    /// A credential was never entered.
    #[error("the {0} was never entered")]
    Missing(&'static str),
    /// The address is not allowed for tenants.
    #[error("this deployment may not send requests to the address {0:?}")]
    Address(String),
    /// The secret store failed.
    #[error(transparent)]
    Vault(#[from] VaultError),
    /// This service's own app cannot be used.
    #[error(transparent)]
    App(#[from] AppError),
    /// The client rejected its settings.
    #[error(transparent)]
    Client(#[from] ApiError),
}

impl SyncClientError {
    /// Returns true if an administrator of the tenant has to act.
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
    /// Returns a client for the directory that the sync reads.
    ///
    /// # Errors
    /// Returns the reason why it cannot be read.
    pub async fn sync_directory(
        &self,
        tenant: TenantId,
        source: Option<&SourceConnection>,
        credentials: &SyncCredentials,
    ) -> Result<GraphReader, SyncClientError> {
        match source {
            None => Err(SyncClientError::NotConnected),
            Some(SourceConnection::Consent) => Ok(self.directory_reader(tenant).await?),
            Some(SourceConnection::App { .. }) => {
                let app = credentials.app.as_ref();
                let app = app.ok_or(SyncClientError::Missing("app registration"))?;
                let entra = self.entra.clone();
                let tokens = TokenSource::new(entra, tenant, &app.client_id, app.secret());
                Ok(GraphReader::new(
                    self.http.clone(),
                    &self.settings.graph_url,
                    tokens,
                )?)
            }
        }
    }

    /// Returns a client for the LMS that the sync changes.
    ///
    /// # Errors
    /// Returns the reason why it cannot be accessed.
    pub fn sync_target(
        &self,
        target: &str,
        credentials: &SyncCredentials,
    ) -> Result<Scim, SyncClientError> {
        // Checked each time, because operators may have removed a host from their list.
        if !self.settings.is_scim_address(target) {
            return Err(SyncClientError::Address(target.to_owned()));
        }
        let token = credentials.token_for(target);
        let token = token.ok_or(SyncClientError::Missing(
            "token of the learning platform at this address",
        ))?;
        Ok(Scim::new(self.outside.clone(), target, token)?)
    }

    /// Queues a run of the sync.
    ///
    /// # Errors
    /// Returns an error if the queue does not respond.
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

    /// Returns the clients for a run of the sync.
    ///
    /// # Errors
    /// Returns the reason why a client could not be created.
    pub async fn sync_clients(
        &self,
        tenant: TenantId,
        state: &SyncState,
    ) -> Result<(GraphReader, Scim), SyncClientError> {
        let credentials = self.vault.sync_credentials(tenant).await?;
        let graph = self
            .sync_directory(tenant, state.source.as_ref(), &credentials)
            .await?;
        let scim = self.sync_target(&state.config.target, &credentials)?;
        Ok((graph, scim))
    }
}
