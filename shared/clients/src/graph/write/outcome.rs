//! What became of every member that was to be added or removed, and who may stop the work.

use std::collections::BTreeMap;

use rollcall_domain::base::ids::ObjectId;
use rollcall_domain::base::outcome::{ChangeTally, Outcome};

/// Asked before every batch of changes: is there time left, is the lease still ours?
pub trait WriteGate: Send {
    /// Whether a batch with this many changes may be sent. Asked with 0 during
    /// long waits. After `false` nothing more is sent.
    fn go(&mut self, requests: u32) -> impl Future<Output = bool> + Send;
}

/// A gate that is always open.
#[derive(Debug, Clone, Copy, Default)]
pub struct AlwaysGo;

impl WriteGate for AlwaysGo {
    async fn go(&mut self, _requests: u32) -> bool {
        true
    }
}

/// The end of every single change: each object asked for is in here once.
#[must_use = "failed and deferred changes must reach the run report"]
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct MemberOutcomes {
    /// Of the members to add.
    pub adds: BTreeMap<ObjectId, Outcome>,
    /// Of the members to remove.
    pub removes: BTreeMap<ObjectId, Outcome>,
}

impl MemberOutcomes {
    /// Counts of the members to add, by outcome.
    pub fn add_counts(&self) -> ChangeTally {
        self.adds.iter().collect()
    }

    /// Counts of the members to remove, by outcome.
    pub fn remove_counts(&self) -> ChangeTally {
        self.removes.iter().collect()
    }
}
