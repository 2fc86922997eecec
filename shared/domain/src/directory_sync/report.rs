//! What a run of the directory sync came to: each change and how it ended, who was skipped, what waits.

use serde::{Deserialize, Serialize};

use super::change::PlannedChange;
use super::plan::SyncCounts;
use super::skip_reason::Skip;

/// How a change ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = SyncOutcomeStatus))]
#[serde(rename_all = "snake_case")]
pub enum OutcomeStatus {
    /// It was made.
    Done,
    /// It was refused; the next run tries again.
    Failed,
    /// It waits for something that failed, or time ran out; the next run makes it.
    Deferred,
}

/// One change and how it ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ChangeOutcome {
    /// The change.
    pub change: PlannedChange,
    /// How it ended.
    pub status: OutcomeStatus,
    /// Why, unless it was made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
}

/// Everything one invocation of a run has to tell.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[must_use = "a report that nobody stores tells nobody"]
pub struct SyncReport {
    /// Changes that were to be made.
    pub outcomes: Vec<ChangeOutcome>,
    /// Changes that wait for somebody.
    pub waiting: Vec<PlannedChange>,
    /// Why they wait although they would be made by themselves.
    pub held: Option<String>,
    /// Who is left as they are.
    pub skipped: Vec<Skip>,
    /// Changes that people decided against.
    pub pinned: Vec<PlannedChange>,
    /// Remarks, one sentence each.
    pub notes: Vec<String>,
}

impl SyncReport {
    /// What was made, by kind (S2-41).
    pub fn made(&self) -> SyncCounts {
        let done = self.outcomes.iter();
        let done = done.filter(|outcome| outcome.status == OutcomeStatus::Done);
        SyncCounts::of(done.map(|outcome| &outcome.change))
    }

    /// How many ended so.
    pub fn count(&self, status: OutcomeStatus) -> usize {
        let all = self.outcomes.iter();
        all.filter(|outcome| outcome.status == status).count()
    }
}
