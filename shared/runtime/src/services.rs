//! The clients a function works with, made once per process from its settings.

mod accounts;
mod calendar;
mod connection;
mod forgetting;
mod greeting;
mod links;
mod loss;
mod plans;
mod sessions;
mod sync;
mod sync_test;
mod withdrawn;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use aws_config::SdkConfig;
use chrono::Utc;
use rollcall_clients::entra::Entra;
use rollcall_clients::graph::{Graph, Quota, TokenSource};
use rollcall_clients::http::{ApiError, Http, HttpSettings};
use rollcall_clients::learn365::Learn365;
use rollcall_clients::objects::Objects;
use rollcall_clients::queue::{Queue, QueueError};
use rollcall_clients::ses::SystemMail;
use rollcall_clients::store::tenants::Tenant;
use rollcall_clients::store::{MAINTENANCE_LEASE, REFRESH_LEASE, SYNC_LEASE, Store, StoreError};
use rollcall_clients::vault::{Vault, VaultError};
use rollcall_domain::base::ids::TenantId;
use rollcall_domain::base::run::{MAX_WAITS, Run, RunRequest, RunStatus, Trigger, WAIT_SECONDS};
use rollcall_domain::base::schedule::{Job, Slot};
use rollcall_domain::notices::{Notice, NoticeKind};

use crate::events::Failure;
use crate::settings::Settings;
pub use accounts::{AccountError, ConnectedAccount};
pub use connection::Entered;
pub use links::{AppError, CALLBACK, DirectoryError, Unproved};
pub use sync::{SyncClientError, TellError};

/// The clients and the settings they were made from.
#[derive(Debug, Clone)]
pub struct Services {
    /// What the environment says.
    pub settings: Settings,
    /// Tenant state.
    pub store: Store,
    /// Credentials.
    pub vault: Vault,
    /// Snapshots and files.
    pub objects: Objects,
    /// Makes refresh-job work.
    pub refresh_queue: Queue,
    /// Makes maintenance-job work.
    pub maintenance_queue: Queue,
    /// Takes notices.
    pub notice_queue: Queue,
    /// System mail.
    pub mail: SystemMail,
    http: Http,
    /// For hosts that tenants name.
    outside: Http,
    entra: Entra,
    quotas: Arc<Mutex<HashMap<TenantId, Quota>>>,
    account_tokens: accounts::AccountTokens,
}

/// A client that could not be made for a tenant.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// Its credential is missing or unreadable.
    #[error(transparent)]
    Vault(#[from] VaultError),
    /// Its address makes no sense.
    #[error("the address {0:?} in the settings is none of the learning platform's regions")]
    Address(String),
    /// The client refused its settings.
    #[error(transparent)]
    Client(#[from] ApiError),
}

impl Services {
    /// Makes the clients.
    ///
    /// # Errors
    /// When the HTTP client cannot be built or an address is no URL.
    pub fn new(settings: Settings, aws: &SdkConfig) -> Result<Self, ApiError> {
        let http = Http::new(HttpSettings::default())?;
        // Hosts that operators named may well be within their own network.
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

    /// Makes the clients from the process's environment.
    ///
    /// # Errors
    /// Everything that is wrong with the environment.
    pub async fn from_environment() -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        let settings = Settings::from_environment()?;
        let aws = rollcall_clients::aws::from_environment().await;
        Ok(Self::new(settings, &aws)?)
    }

    /// The tenant's directory.
    pub async fn graph(&self, tenant: &Tenant) -> Result<Graph, ConnectError> {
        let app = self.vault.app_registration(tenant.id).await?;
        let tokens = TokenSource::new(self.entra.clone(), tenant.id, &app.client_id, app.secret());
        let graph = Graph::new(self.http.clone(), &self.settings.graph_url, tokens)?;
        Ok(graph.with_quota(self.quota(tenant.id)))
    }

    /// The tenant's write quota, shared by all runs of this process: a
    /// continuation does not begin with a full bucket again.
    fn quota(&self, tenant: TenantId) -> Quota {
        let mut quotas = self.quotas.lock().unwrap_or_else(PoisonError::into_inner);
        quotas.entry(tenant).or_default().clone()
    }

    /// The tenant's learning platform, in its region.
    pub async fn learn365(&self, tenant: &Tenant) -> Result<Learn365, ConnectError> {
        let url = self.lms_url(&tenant.settings.lms_url);
        if !self.settings.is_lms_address(url) {
            return Err(ConnectError::Address(url.to_owned()));
        }
        let key = self.vault.lms_key(tenant.id).await?;
        Ok(Learn365::new(self.http.clone(), url, key)?)
    }

    /// A tenant's address of the platform: its own, or the deployment's.
    fn lms_url<'a>(&'a self, own: &'a str) -> &'a str {
        match own.trim() {
            "" => &self.settings.learn365_url,
            own => own,
        }
    }

    /// The queue that makes a job work.
    pub fn queue(&self, job: Job) -> &Queue {
        match job {
            Job::Refresh | Job::DirectorySync => &self.refresh_queue,
            Job::Maintenance | Job::Membership => &self.maintenance_queue,
        }
    }

    /// Asks for one run of a job for every active tenant; answers how many.
    pub async fn fan_out(&self, job: Job, slot: Slot) -> Result<usize, FanOutError> {
        let requests: Vec<_> = self
            .store
            .active_tenants()
            .await?
            .into_iter()
            .map(|tenant| RunRequest {
                job,
                tenant,
                slot,
                trigger: Trigger::Schedule,
                continuation: 0,
                waits: 0,
            })
            .collect();
        self.queue(job).send_all(&requests).await?;
        tracing::info!(%job, %slot, tenants = requests.len(), "asked for runs");
        Ok(requests.len())
    }

    /// Puts a request back, to be looked at again later.
    pub async fn later(&self, request: &RunRequest, delay: Duration) -> Result<(), QueueError> {
        self.queue(request.job).send(request, delay).await
    }

    /// Puts a request back because something else has to end first, but not for
    /// ever: after so many waits the run is recorded as skipped, unless it has a
    /// record already. A dead owner's lock is waited for until it expires, a
    /// living one's a minute.
    ///
    /// # Errors
    /// When table or queue do not answer; the message comes back by itself then.
    pub async fn put_off(&self, mut request: RunRequest) -> Result<(), Failure> {
        request.waits += 1;
        if request.waits > MAX_WAITS {
            let mut run = Run::begin(request, Utc::now());
            run.status = RunStatus::Skipped;
            run.note = Some(
                "half an hour of waiting was not enough: another run holds the lock".to_owned(),
            );
            run.finished_at = Some(run.started_at);
            return self
                .store
                .begin_run(&run)
                .await
                .map(|_| ())
                .map_err(failure);
        }
        let lock = match request.job {
            Job::Refresh => REFRESH_LEASE,
            Job::DirectorySync => SYNC_LEASE,
            Job::Maintenance | Job::Membership => MAINTENANCE_LEASE,
        };
        let longest = Duration::from_secs(WAIT_SECONDS);
        let held = self
            .store
            .held_until(request.tenant, lock)
            .await
            .map_err(failure)?;
        let left = held
            .and_then(|until| (until - Utc::now()).to_std().ok())
            .unwrap_or(longest);
        let pause = (left + Duration::from_secs(1)).min(longest);
        self.later(&request, pause).await.map_err(failure)
    }

    /// Asks for a run now.
    pub async fn run_now(
        &self,
        tenant: &Tenant,
        job: Job,
        trigger: Trigger,
    ) -> Result<RunRequest, QueueError> {
        self.run_at(tenant, job, Slot::by_hand(Utc::now()), trigger)
            .await
    }

    /// Asks for a run of this slot.
    pub async fn run_at(
        &self,
        tenant: &Tenant,
        job: Job,
        slot: Slot,
        trigger: Trigger,
    ) -> Result<RunRequest, QueueError> {
        let request = RunRequest {
            job,
            tenant: tenant.id,
            slot,
            trigger,
            continuation: 0,
            waits: 0,
        };
        self.queue(job).send(&request, Duration::ZERO).await?;
        Ok(request)
    }

    /// Tells the tenant's people.
    pub async fn tell(&self, tenant: &Tenant, about: NoticeKind) -> Result<(), QueueError> {
        let settings = &tenant.settings;
        let notice = Notice::new(
            tenant.id,
            &settings.display_name,
            settings.recipients(),
            about,
        );
        self.notice_queue.send(&notice, Duration::ZERO).await
    }
}

fn failure(error: impl std::fmt::Display) -> Failure {
    Failure(error.to_string())
}

/// A tick that could not be turned into requests.
#[derive(Debug, thiserror::Error)]
pub enum FanOutError {
    /// The tenants could not be listed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The requests could not be sent. The tick is tried again; doubled
    /// requests are one run.
    #[error(transparent)]
    Queue(#[from] QueueError),
}
