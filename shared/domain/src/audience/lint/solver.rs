//! Determines whether rules can have a given result for any learner. A negative result is certain.
//!
//! Predicates on different fields never contradict each other; those on one field are checked
//! together. Groups that require any of their parts are checked part by part against the known
//! literals, but not against other groups of this kind, which limits the work.

use super::bounds::{Literal, StepLimit};
use super::literals::contradict;
use super::tree::{Branch, Node};

/// Maximum number of comparisons for one profile, some hundredths of a second. Thousands of rules
/// about one field would need more; nothing is reported about them.
const MAX_COMPARISONS: usize = 500_000;

/// Searches for contradictions.
pub(super) struct Solver<'t> {
    /// The literals that hold so far, by subject.
    known: Vec<Vec<Literal<'t>>>,
    /// The time of evaluation in milliseconds since 1970 UTC.
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

    /// Returns true if no learner can make a rule or group have the result `wanted`, from `now` on.
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

    /// Returns true if predicates on one subject cannot have these results together.
    pub(super) fn contradict(&mut self, literals: &[Literal<'t>]) -> bool {
        contradict(literals, self.now, &mut self.fuel)
    }

    /// Adds every literal that follows from the wanted result. Groups that leave a choice are added
    /// to `choices` with the result that one of their parts must have.
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
