//! The budget of a run: its lease and the deadline of its invocation.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use rollcall_clients::graph::WriteGate;
use rollcall_clients::store::{Fence, Lease};
use rollcall_runtime::Deadline;
use tokio::time::{Instant, timeout_at};

/// The maximum time of one batch of changes, including response and retries.
const BATCH_TIME: Duration = Duration::from_secs(10);

/// The lease and the deadline that a run works under. Clones share both.
#[derive(Debug, Clone)]
pub struct RunBudget {
    lease: Arc<Lease>,
    lost: Arc<AtomicBool>,
    deadline: Deadline,
}

/// The reason why a run must stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Interrupted {
    /// The invocation ends soon; a continuation does the remaining work.
    #[error("the invocation is out of time")]
    OutOfTime,
    /// Another run holds the lease now; this one must not write anything more.
    #[error("the lock was lost to another run; this one wrote nothing more")]
    LeaseLost,
}

impl RunBudget {
    /// Returns the budget of an invocation that holds `lease`.
    pub fn new(lease: Lease, deadline: Deadline) -> Self {
        Self {
            lease: Arc::new(lease),
            lost: Arc::default(),
            deadline,
        }
    }

    /// Checks that time for another batch is left and that the lease is still held,
    /// which it renews. Called before each write and each slow step.
    ///
    /// # Errors
    /// Returns the reason why the run must stop.
    pub async fn check(&self) -> Result<(), Interrupted> {
        if !self.deadline.allows(BATCH_TIME) {
            return Err(Interrupted::OutOfTime);
        }
        let held = self.lease.renew().await;
        self.held(held)
    }

    /// Checks that the lease is held, by reading the table even if it was renewed recently. Called
    /// before anything outside the lease's protection happens: a notice, or a change of state
    /// without a fence.
    ///
    /// # Errors
    /// [`Interrupted::LeaseLost`].
    pub async fn confirm_lease(&self) -> Result<(), Interrupted> {
        if self.lost.load(Ordering::Relaxed) {
            return Err(Interrupted::LeaseLost);
        }
        let held = self.lease.confirm().await;
        self.held(held)
    }

    fn held(
        &self,
        held: Result<bool, rollcall_clients::store::StoreError>,
    ) -> Result<(), Interrupted> {
        match held {
            Ok(true) => return Ok(()),
            Ok(false) => {}
            // If renewal failed, the lease may be lost and is treated as lost.
            Err(error) => tracing::error!(%error, "the lease could not be renewed"),
        }
        self.lost.store(true, Ordering::Relaxed);
        Err(Interrupted::LeaseLost)
    }

    /// Works while the lease is held and, if there is a `limit`, until that time after the
    /// deadline; then the work is dropped immediately, including requests in flight.
    ///
    /// # Errors
    /// Returns the reason why the work was dropped.
    pub async fn run<T>(
        &self,
        work: impl Future<Output = T>,
        limit: Option<Duration>,
    ) -> Result<T, Interrupted> {
        let held = self.lease.while_held(work);
        let done = match limit {
            Some(grace) => {
                let end = Instant::from(self.deadline.instant()) + grace;
                match timeout_at(end, held).await {
                    Ok(done) => done,
                    Err(_) => return Err(Interrupted::OutOfTime),
                }
            }
            None => held.await,
        };
        done.map_err(|_| {
            self.lost.store(true, Ordering::Relaxed);
            Interrupted::LeaseLost
        })
    }

    /// Returns the proof of the lease, which the fenced writes of the run carry.
    pub fn fence(&self) -> &Fence {
        self.lease.fence()
    }

    /// Returns the time at which the invocation must have stopped cleanly.
    pub fn deadline(&self) -> Deadline {
        self.deadline
    }

    /// Releases the lease. A failure is only logged, because the lease expires automatically.
    pub(crate) async fn release(self) {
        let Some(lease) = Arc::into_inner(self.lease) else {
            tracing::warn!("the lease is still in use and is left to expire");
            return;
        };
        if let Err(error) = lease.release().await {
            tracing::warn!(%error, "the lease was not released; it expires");
        }
    }
}

impl WriteGate for RunBudget {
    async fn go(&mut self, _requests: u32) -> bool {
        self.check().await.is_ok()
    }
}
