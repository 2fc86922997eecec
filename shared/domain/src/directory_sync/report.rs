//! The report of a directory sync run: outcomes, skipped users and waiting changes.

use serde::{Deserialize, Serialize};

use super::change::PlannedChange;
use super::counts::SyncCounts;
use super::skip_reason::Skip;
use crate::base::outcome::Outcome;

/// One change with its outcome.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ChangeOutcome {
    /// The planned change.
    pub change: PlannedChange,
    /// Its outcome; serialized next to the change as `status` and `detail`.
    #[serde(flatten)]
    pub outcome: Outcome,
}

/// The report of one invocation of a run.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[must_use = "a report must be stored"]
pub struct SyncReport {
    /// Changes that the run tried to apply, with their outcomes.
    pub outcomes: Vec<ChangeOutcome>,
    /// Changes that wait for an approval.
    pub waiting: Vec<PlannedChange>,
    /// Why the changes wait although the mode is automatic.
    pub held: Option<String>,
    /// Skipped users.
    pub skipped: Vec<Skip>,
    /// Changes that a pin rejects.
    pub pinned: Vec<PlannedChange>,
    /// Notes, one sentence each.
    pub notes: Vec<String>,
}

impl SyncReport {
    /// Counts the changes that were made, by kind (S2-41).
    pub fn made(&self) -> SyncCounts {
        let done = self.outcomes.iter();
        let done = done.filter(|outcome| outcome.outcome.is_done());
        SyncCounts::of(done.map(|outcome| &outcome.change))
    }

    /// Returns the number of outcomes that match the predicate.
    pub fn count(&self, predicate: impl Fn(&Outcome) -> bool) -> usize {
        let outcomes = self.outcomes.iter();
        outcomes.filter(|it| predicate(&it.outcome)).count()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::directory_sync::change::ChangeKind;
    use crate::directory_sync::keys::ChangeSubject;
    use crate::testing::World;

    /// Reports in the object store contain the outcome as `status` and `detail`.
    #[test]
    fn an_outcome_is_stored_as_status_and_detail() {
        let subject = ChangeSubject::User(World::object("ada"));
        let change = PlannedChange::new(subject, "Ada", ChangeKind::ReactivateUser);
        let planned = serde_json::to_value(&change).expect("serializes");
        let outcomes = [
            (Outcome::Done, json!({"change": planned, "status": "done"})),
            (
                Outcome::Failed("no".to_owned()),
                json!({"change": planned, "status": "failed", "detail": "no"}),
            ),
            (
                Outcome::Deferred(Some("time ran out".to_owned())),
                json!({"change": planned, "status": "deferred", "detail": "time ran out"}),
            ),
        ];
        for (outcome, stored) in outcomes {
            let change = change.clone();
            let outcome = ChangeOutcome { change, outcome };
            let written = serde_json::to_value(&outcome).expect("serializes");
            assert_eq!(written, stored);
            let read: ChangeOutcome = serde_json::from_value(stored).expect("deserializes");
            assert_eq!(read, outcome);
        }
        let without_detail = json!({"change": planned, "status": "deferred"});
        let read: ChangeOutcome = serde_json::from_value(without_detail).expect("deserializes");
        assert_eq!(read.outcome, Outcome::Deferred(None));
    }
}
