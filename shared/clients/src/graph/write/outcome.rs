//! The outcome of every member change, and the gate that can stop further ones.

use std::collections::{BTreeMap, BTreeSet};

use rollcall_domain::base::ids::ObjectId;
use rollcall_domain::base::outcome::{ChangeTally, Outcome};

/// Checks before every batch of changes whether the lease is held and time is left.
pub trait WriteGate: Send {
    /// Returns true if a batch with this many requests may be sent. Called with 0 during long
    /// waits. After `false` nothing more is sent.
    fn go(&mut self, requests: u32) -> impl Future<Output = bool> + Send;
}

/// A gate that never stops.
#[derive(Debug, Clone, Copy, Default)]
pub struct AlwaysGo;

impl WriteGate for AlwaysGo {
    async fn go(&mut self, _requests: u32) -> bool {
        true
    }
}

/// The outcome of every single change: each requested object occurs once, in one of the fields.
#[must_use = "failed and deferred changes must reach the run report"]
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct MemberOutcomes {
    /// The outcomes of added members.
    pub adds: BTreeMap<ObjectId, Outcome>,
    /// The outcomes of removed members.
    pub removes: BTreeMap<ObjectId, Outcome>,
    /// Requested additions without an account: Graph refused the addition and does not return the
    /// user. They are no failures, since nobody can add them.
    pub missing: BTreeSet<ObjectId>,
}

impl MemberOutcomes {
    /// Returns the counts of added members by outcome.
    pub fn add_counts(&self) -> ChangeTally {
        self.adds.iter().collect()
    }

    /// Returns the counts of removed members by outcome.
    pub fn remove_counts(&self) -> ChangeTally {
        self.removes.iter().collect()
    }
}
