//! Whether rules can come out a certain way for anybody: certain when it says no.
//!
//! Tests of different fields never contradict each other; those of one field are
//! looked at together. Groups that ask for any of their parts are tried part by
//! part against what is known to hold beside them, but not several such groups
//! against each other, so that the work stays small.

use super::bounds::{Literal, StepLimit};
use super::literals::contradict;
use super::tree::{Branch, Node};

/// So many comparisons are made for one profile: some hundredths of a second.
/// Where thousands of rules are about one field more are needed, and nothing is
/// claimed about them.
const MAX_COMPARISONS: usize = 500_000;

/// Looks for contradictions.
pub(super) struct Solver<'t> {
    /// What holds so far, by subject.
    known: Vec<Vec<Literal<'t>>>,
    /// The moment of evaluation in milliseconds since 1970 UTC.
    now: i64,
    fuel: StepLimit,
    /// The subject of the contradiction found last.
    pub(super) culprit: usize,
}

impl<'t> Solver<'t> {
    pub(super) fn new(subjects: usize, now: i64) -> Self {
        Self {
            known: vec![Vec::new(); subjects],
            now,
            fuel: StepLimit::new(MAX_COMPARISONS),
            culprit: 0,
        }
    }

    /// Whether no person can make a rule or group come out as `wanted`, from now on.
    pub(super) fn excludes(&mut self, node: &'t Node, wanted: bool) -> bool {
        let (mut added, mut choices) = (Vec::new(), Vec::new());
        self.gather(node, wanted, &mut added, &mut choices);
        let found = self.contradiction(&added)
            || choices.into_iter().any(|(group, wanted)| {
                let mut parts = group.parts.iter();
                parts.all(|part| self.excludes(part, wanted))
            });
        for subject in added {
            self.known[subject].pop();
        }
        found
    }

    /// Whether tests of one subject cannot come out like this together.
    pub(super) fn contradict(&mut self, literals: &[Literal<'t>]) -> bool {
        contradict(literals, self.now, &mut self.fuel)
    }

    /// Notes every test whose outcome follows from the outcome wanted; groups
    /// that leave a choice are put aside, with the outcome one part must have.
    fn gather(
        &mut self,
        node: &'t Node,
        wanted: bool,
        added: &mut Vec<usize>,
        choices: &mut Vec<(&'t Branch, bool)>,
    ) {
        match node {
            Node::Unknown => {}
            Node::Rule(test) => {
                self.known[test.subject].push(Literal {
                    leaf: &test.leaf,
                    passes: wanted != test.negated,
                });
                added.push(test.subject);
            }
            Node::Group(group) => {
                let wanted = wanted != group.not;
                if group.all == wanted || group.parts.len() == 1 {
                    for part in &group.parts {
                        self.gather(part, wanted, added, choices);
                    }
                } else {
                    choices.push((group, wanted));
                }
            }
        }
    }

    fn contradiction(&mut self, added: &[usize]) -> bool {
        let mut subjects = added.to_vec();
        subjects.sort_unstable();
        subjects.dedup();
        for subject in subjects {
            if contradict(&self.known[subject], self.now, &mut self.fuel) {
                self.culprit = subject;
                return true;
            }
        }
        false
    }
}
