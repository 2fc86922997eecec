//! The clients that a function uses, created once per process from its settings.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use aws_config::SdkConfig;
use rollcall_clients::entra::Entra;
use rollcall_clients::graph::{GraphReader, GraphWriter, Quota, TokenSource};
use rollcall_clients::http::{ApiError, Http, HttpSettings};
use rollcall_clients::learn365::Learn365;
use rollcall_clients::objects::Objects;
use rollcall_clients::queue::Queue;
use rollcall_clients::ses::SystemMail;
use rollcall_clients::store::Store;
use rollcall_clients::store::tenants::Tenant;
use rollcall_clients::vault::{Vault, VaultError};
use rollcall_domain::base::ids::TenantId;
use rollcall_domain::base::schedule::Job;
use rollcall_runtime::settings::Settings;

/// The clients, and the settings they were created from.
#[derive(Debug, Clone)]
pub struct Services {
    /// The settings from the environment.
    pub settings: Settings,
    /// Tenant state.
    pub store: Store,
    /// Credentials.
    pub vault: Vault,
    /// Snapshots and files.
    pub objects: Objects,
    /// The queue of refresh-job.
    pub refresh_queue: Queue,
    /// The queue of maintenance-job.
    pub maintenance_queue: Queue,
    /// The queue of notices.
    pub notice_queue: Queue,
    /// System mail.
    pub mail: SystemMail,
    pub(crate) http: Http,
    /// The HTTP client for hosts that tenants name.
    pub(crate) outside: Http,
    pub(crate) entra: Entra,
    quotas: Arc<Mutex<HashMap<TenantId, Quota>>>,
    pub(crate) account_tokens: crate::mail_account::AccountTokens,
}

/// The reason why a client could not be created for a tenant.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// The credential is missing or unreadable.
    #[error(transparent)]
    Vault(#[from] VaultError),
    /// The address is not one of the LMS regions.
    #[error("the address {0:?} in the settings is not one of the learning platform's regions")]
    Address(String),
    /// The client rejected its settings.
    #[error(transparent)]
    Client(#[from] ApiError),
}

impl Services {
    /// Creates the clients.
    ///
    /// # Errors
    /// Returns an error if the HTTP client cannot be built or an address is not a URL.
    pub fn new(settings: Settings, aws: &SdkConfig) -> Result<Self, ApiError> {
        let http = Http::new(HttpSettings::default())?;
        // Hosts that operators named may be within their own network.
        let outside = if settings.scim_hosts.is_empty() {
            Http::to_public_hosts(HttpSettings::default())?
        } else {
            http.clone()
        };
        Ok(Self {
            store: Store::new(aws, &settings.table),
            vault: Vault::new(aws, &settings.secret_prefix),
            objects: Objects::new(aws, &settings.bucket),
            refresh_queue: Queue::new(aws, &settings.refresh_queue_url),
            maintenance_queue: Queue::new(aws, &settings.maintenance_queue_url),
            notice_queue: Queue::new(aws, &settings.notice_queue_url),
            mail: SystemMail::new(aws, &settings.system_sender),
            entra: Entra::new(http.clone(), &settings.entra_url)?,
            quotas: Arc::default(),
            account_tokens: Arc::default(),
            http,
            outside,
            settings,
        })
    }

    /// Creates the clients from the environment of the process.
    ///
    /// # Errors
    /// Returns an error with all problems of the environment.
    pub async fn from_environment() -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        let settings = Settings::from_environment()?;
        let aws = rollcall_clients::aws::from_environment().await;
        Ok(Self::new(settings, &aws)?)
    }

    /// Returns a client that reads the tenant's directory through the tenant's app registration.
    pub async fn graph_reader(&self, tenant: &Tenant) -> Result<GraphReader, ConnectError> {
        Ok(self.graph_writer(tenant).await?.reader().clone())
    }

    /// Returns a client that changes the tenant's directory through the tenant's app registration.
    pub async fn graph_writer(&self, tenant: &Tenant) -> Result<GraphWriter, ConnectError> {
        let app = self.vault.app_registration(tenant.id).await?;
        let tokens = TokenSource::new(self.entra.clone(), tenant.id, &app.client_id, app.secret());
        let graph = GraphWriter::new(self.http.clone(), &self.settings.graph_url, tokens)?;
        Ok(graph.with_quota(self.quota(tenant.id)))
    }

    /// Returns the tenant's write quota, which all runs of this process share, so that a
    /// continuation does not begin with a full bucket.
    pub(crate) fn quota(&self, tenant: TenantId) -> Quota {
        let mut quotas = self.quotas.lock().unwrap_or_else(PoisonError::into_inner);
        quotas.entry(tenant).or_default().clone()
    }

    /// Returns a client for the tenant's LMS, in its region.
    pub async fn learn365(&self, tenant: &Tenant) -> Result<Learn365, ConnectError> {
        let url = self.lms_url(&tenant.settings.lms_url);
        if !self.settings.is_lms_address(url) {
            return Err(ConnectError::Address(url.to_owned()));
        }
        let key = self.vault.lms_key(tenant.id).await?;
        Ok(Learn365::new(self.http.clone(), url, key)?)
    }

    /// Returns a tenant's LMS address: its own or, if blank, that of the deployment.
    pub(crate) fn lms_url<'a>(&'a self, own: &'a str) -> &'a str {
        match own.trim() {
            "" => &self.settings.learn365_url,
            own => own,
        }
    }

    /// Returns the queue of a job's requests.
    pub fn queue(&self, job: Job) -> &Queue {
        match job {
            Job::Refresh | Job::DirectorySync => &self.refresh_queue,
            Job::Maintenance | Job::Membership => &self.maintenance_queue,
        }
    }
}
