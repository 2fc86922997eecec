//! Requests for runs: one for every active tenant, one immediately, or one that is requeued.

use std::time::Duration;

use chrono::Utc;
use rollcall_clients::queue::QueueError;
use rollcall_clients::store::tenants::Tenant;
use rollcall_clients::store::{MAINTENANCE_LEASE, REFRESH_LEASE, SYNC_LEASE, StoreError};
use rollcall_domain::base::run::{MAX_WAITS, Run, RunRequest, RunStatus, Trigger, WAIT_SECONDS};
use rollcall_domain::base::schedule::{Job, Slot};
use rollcall_runtime::Failure;

use crate::Services;

impl Services {
    /// Queues one run of a job for every active tenant and returns their number.
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
        tracing::info!(%job, %slot, tenants = requests.len(), "queued runs");
        Ok(requests.len())
    }

    /// Queues a request with a delay.
    pub async fn enqueue_after(
        &self,
        request: &RunRequest,
        delay: Duration,
    ) -> Result<(), QueueError> {
        self.queue(request.job).send(request, delay).await
    }

    /// Queues a request again because another run has to end first, but not indefinitely: after
    /// `MAX_WAITS` the run is recorded as skipped, unless it already has a record. The delay is the
    /// remaining time of the other run's lease, limited to `WAIT_SECONDS`.
    ///
    /// # Errors
    /// Returns an error if the table or the queue does not respond; the message is then delivered
    /// again.
    pub async fn requeue(&self, mut request: RunRequest) -> Result<(), Failure> {
        request.waits += 1;
        if request.waits > MAX_WAITS {
            let mut run = Run::begin(request, Utc::now());
            run.status = RunStatus::Skipped;
            run.note =
                Some("another run still held the lock after half an hour of waiting".to_owned());
            run.finished_at = Some(run.started_at);
            self.store.begin_run(&run).await?;
            return Ok(());
        }
        let lock = match request.job {
            Job::Refresh => REFRESH_LEASE,
            Job::DirectorySync => SYNC_LEASE,
            Job::Maintenance | Job::Membership => MAINTENANCE_LEASE,
        };
        let longest = Duration::from_secs(WAIT_SECONDS);
        let held = self.store.held_until(request.tenant, lock).await?;
        let left = held
            .and_then(|until| (until - Utc::now()).to_std().ok())
            .unwrap_or(longest);
        let pause = (left + Duration::from_secs(1)).min(longest);
        self.enqueue_after(&request, pause).await?;
        Ok(())
    }

    /// Queues a run in a slot of the current time.
    pub async fn enqueue_run(
        &self,
        tenant: &Tenant,
        job: Job,
        trigger: Trigger,
    ) -> Result<RunRequest, QueueError> {
        self.enqueue_run_at(tenant, job, Slot::by_hand(Utc::now()), trigger)
            .await
    }

    /// Queues a run of this slot.
    pub async fn enqueue_run_at(
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
}

/// The reason why the runs of a tick could not be queued.
#[derive(Debug, thiserror::Error)]
pub enum FanOutError {
    /// The tenants could not be listed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The requests could not be sent. The tick is retried; a request that is sent twice starts one
    /// run.
    #[error(transparent)]
    Queue(#[from] QueueError),
}
