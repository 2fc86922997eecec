//! What became of every member that was to be added or removed, and who may stop the work.

use std::collections::BTreeMap;

use rollcall_domain::base::ids::ObjectId;

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

/// What became of one change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MemberOutcome {
    /// Done now.
    Done,
    /// It was so before.
    Already,
    /// It could not be done; the reason is a clause for the report.
    Failed(String),
    /// It was not tried (or not to the end): time or lease ran out.
    Deferred,
}

/// How many changes ended how.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct MemberCounts {
    /// Done now.
    pub done: u64,
    /// So before.
    pub already: u64,
    /// Could not be done.
    pub failed: u64,
    /// Not tried.
    pub deferred: u64,
}

/// The end of every single change: each object asked for is in here once.
#[must_use = "failed and deferred changes must reach the run report"]
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct MemberOutcomes {
    /// Of the members to add.
    pub adds: BTreeMap<ObjectId, MemberOutcome>,
    /// Of the members to remove.
    pub removes: BTreeMap<ObjectId, MemberOutcome>,
}

impl MemberOutcomes {
    /// How the adds ended.
    pub fn add_counts(&self) -> MemberCounts {
        count(&self.adds)
    }

    /// How the removes ended.
    pub fn remove_counts(&self) -> MemberCounts {
        count(&self.removes)
    }
}

fn count(outcomes: &BTreeMap<ObjectId, MemberOutcome>) -> MemberCounts {
    let mut counts = MemberCounts::default();
    for outcome in outcomes.values() {
        match outcome {
            MemberOutcome::Done => counts.done += 1,
            MemberOutcome::Already => counts.already += 1,
            MemberOutcome::Failed(_) => counts.failed += 1,
            MemberOutcome::Deferred => counts.deferred += 1,
        }
    }
    counts
}
