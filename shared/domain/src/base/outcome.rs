//! The outcome of a single change, and counts of outcomes.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Maximum number of failures that are listed; further ones are only counted.
pub const MAX_LISTED: usize = 100;

/// The outcome of one change. A failure never counts as done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "StoredOutcome", into = "StoredOutcome")]
pub enum Outcome {
    /// Made by this run.
    Done,
    /// Already in the desired state; nothing was written.
    AlreadySo,
    /// Rejected, with the reason as a clause for the report.
    Failed(String),
    /// Not attempted, or not completed: the time or the lease ran out, or it depends
    /// on a change that failed. The next run retries it. Contains the reason if it is known.
    Deferred(Option<String>),
}

/// The stored form of an outcome: a status, and a detail if there is one.
#[derive(Serialize, Deserialize)]
struct StoredOutcome {
    status: Status,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    detail: Option<String>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Status {
    Done,
    AlreadySo,
    Failed,
    Deferred,
}

impl From<StoredOutcome> for Outcome {
    fn from(StoredOutcome { status, detail }: StoredOutcome) -> Self {
        match status {
            Status::Done => Self::Done,
            Status::AlreadySo => Self::AlreadySo,
            Status::Failed => Self::Failed(detail.unwrap_or_default()),
            Status::Deferred => Self::Deferred(detail),
        }
    }
}

impl From<Outcome> for StoredOutcome {
    fn from(outcome: Outcome) -> Self {
        let (status, detail) = match outcome {
            Outcome::Done => (Status::Done, None),
            Outcome::AlreadySo => (Status::AlreadySo, None),
            Outcome::Failed(reason) => (Status::Failed, Some(reason)),
            Outcome::Deferred(reason) => (Status::Deferred, reason),
        };
        Self { status, detail }
    }
}

impl Outcome {
    /// Returns true if the change was made by this run.
    pub const fn is_done(&self) -> bool {
        matches!(self, Self::Done)
    }

    /// Returns true if the change was rejected.
    pub const fn is_failed(&self) -> bool {
        matches!(self, Self::Failed(_))
    }

    /// Returns true if the change is left to the next run.
    pub const fn is_deferred(&self) -> bool {
        matches!(self, Self::Deferred(_))
    }

    /// Returns true if the desired state is reached, by this run or before it.
    pub const fn is_settled(&self) -> bool {
        matches!(self, Self::Done | Self::AlreadySo)
    }

    /// Returns the reason why the change was not made, if known.
    pub fn reason(&self) -> Option<&str> {
        match self {
            Self::Done | Self::AlreadySo => None,
            Self::Failed(reason) => Some(reason),
            Self::Deferred(reason) => reason.as_deref(),
        }
    }
}

/// Counts of outcomes, with the first failures.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ChangeTally {
    /// Changes made by this run.
    pub done: usize,
    /// Changes that were already made.
    pub already: usize,
    /// Changes that were rejected.
    pub failed: usize,
    /// Changes left to the next run.
    pub deferred: usize,
    /// The first failures as text, at most [`MAX_LISTED`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub failures: Vec<String>,
}

impl ChangeTally {
    /// Counts one outcome of something named `what`.
    pub fn count(&mut self, what: impl fmt::Display, outcome: &Outcome) {
        match outcome {
            Outcome::Done => self.done += 1,
            Outcome::AlreadySo => self.already += 1,
            Outcome::Deferred(_) => self.deferred += 1,
            Outcome::Failed(reason) => {
                self.failed += 1;
                if self.failures.len() < MAX_LISTED {
                    self.failures.push(format!("{what}: {reason}"));
                }
            }
        }
    }

    /// Adds another tally to this one.
    pub fn add(&mut self, other: &Self) {
        let Self {
            done,
            already,
            failed,
            deferred,
            failures,
        } = other;
        self.done += done;
        self.already += already;
        self.failed += failed;
        self.deferred += deferred;
        let room = MAX_LISTED.saturating_sub(self.failures.len());
        self.failures.extend(failures.iter().take(room).cloned());
    }

    /// Returns true if no change failed or was deferred.
    pub fn is_complete(&self) -> bool {
        self.failed == 0 && self.deferred == 0
    }
}

impl<'o, W: fmt::Display> FromIterator<(W, &'o Outcome)> for ChangeTally {
    fn from_iter<I: IntoIterator<Item = (W, &'o Outcome)>>(outcomes: I) -> Self {
        let mut tally = Self::default();
        for (what, outcome) in outcomes {
            tally.count(what, outcome);
        }
        tally
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_never_counts_as_done() {
        let failed = Outcome::Failed("no such user".to_owned());
        let outcomes = [
            ("Ada", &Outcome::Done),
            ("Grace", &failed),
            ("Alan", &Outcome::AlreadySo),
        ];
        let tally: ChangeTally = outcomes.into_iter().collect();
        assert_eq!((tally.done, tally.failed, tally.already), (1, 1, 1));
        assert_eq!(tally.failures, ["Grace: no such user"]);
        assert!(!tally.is_complete());
    }

    #[test]
    fn listed_failures_are_bounded_and_counts_are_not() {
        let mut tally = ChangeTally::default();
        for n in 0..MAX_LISTED + 7 {
            tally.count(n, &Outcome::Failed("no".to_owned()));
        }
        assert_eq!(
            (tally.failed, tally.failures.len()),
            (MAX_LISTED + 7, MAX_LISTED)
        );
    }
}
