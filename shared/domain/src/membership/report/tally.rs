//! How single changes ended, counted honestly.

use std::fmt;

use serde::{Deserialize, Serialize};

/// How many failures are listed one by one; the rest is counted.
pub const MAX_LISTED: usize = 100;

/// How one change ended. A failure never counts as done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Made by this run.
    Done,
    /// It was so already.
    AlreadySo,
    /// Refused, with the reason.
    Failed(String),
    /// Not tried: the run ran out of time or lost its lock. The next one goes on.
    Deferred,
}

/// Counts of outcomes, and the failures themselves.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ChangeTally {
    /// Made by this run.
    pub done: usize,
    /// So already.
    pub already: usize,
    /// Refused.
    pub failed: usize,
    /// Left for the next run.
    pub deferred: usize,
    /// The first failures in words.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub failures: Vec<String>,
}

impl ChangeTally {
    /// Counts one outcome of something named `what`.
    pub fn count(&mut self, what: impl fmt::Display, outcome: &Outcome) {
        match outcome {
            Outcome::Done => self.done += 1,
            Outcome::AlreadySo => self.already += 1,
            Outcome::Deferred => self.deferred += 1,
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

    /// Whether everything that was to be done is so now.
    pub fn is_complete(&self) -> bool {
        self.failed == 0 && self.deferred == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_never_counts_as_done() {
        let mut tally = ChangeTally::default();
        tally.count("Ada", &Outcome::Done);
        tally.count("Grace", &Outcome::Failed("no such user".to_owned()));
        tally.count("Alan", &Outcome::AlreadySo);
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
