//! May the run go on? Asked before everything that writes or takes long.

use std::sync::Arc;
use std::time::Duration;

use rollcall_clients::graph::WriteGate;
use rollcall_clients::store::Lease;
use rollcall_runtime::Deadline;

/// What one batch of changes may take, answer and retries included.
const BATCH_TIME: Duration = Duration::from_secs(10);

/// The run's lease and deadline.
#[derive(Clone)]
pub(crate) struct RunBudget {
    lease: Arc<Lease>,
    deadline: Deadline,
}

/// Why a run must stop.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Interrupted {
    /// The invocation ends soon; a continuation goes on.
    OutOfTime,
    /// Another run holds the lock now; this one may not write any more.
    LeaseLost,
}

impl RunBudget {
    pub(crate) fn new(lease: Arc<Lease>, deadline: Deadline) -> Self {
        Self { lease, deadline }
    }

    /// Whether the run may go on; keeps the lease alive while it may.
    pub(crate) async fn check(&self) -> Result<(), Interrupted> {
        if !self.deadline.allows(BATCH_TIME) {
            return Err(Interrupted::OutOfTime);
        }
        match self.lease.renew().await {
            Ok(true) => Ok(()),
            Ok(false) => Err(Interrupted::LeaseLost),
            Err(error) => {
                // Not knowing whether the lock is ours is as good as having lost it.
                tracing::error!(%error, "the lease could not be extended");
                Err(Interrupted::LeaseLost)
            }
        }
    }

    pub(crate) fn lease(&self) -> &Lease {
        &self.lease
    }

    pub(crate) fn deadline(&self) -> Deadline {
        self.deadline
    }

    /// The lease itself, once nobody else needs it.
    pub(crate) fn into_lease(self) -> Option<Lease> {
        Arc::into_inner(self.lease)
    }
}

impl WriteGate for RunBudget {
    async fn go(&mut self, _requests: u32) -> bool {
        self.check().await.is_ok()
    }
}
