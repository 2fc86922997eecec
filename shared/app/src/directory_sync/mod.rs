//! The directory sync's clients, and how its runs are asked for.

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
use super::consent::{AppError, DirectoryError};

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

    /// What a run of the sync works with.
    ///
    /// # Errors
    /// Why a client cannot be made.
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
