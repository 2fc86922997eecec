//! Predicates on one field or course by wanted result, and the limit of comparisons.

use crate::rules::Leaf;

/// A predicate and its wanted result.
#[derive(Debug, Clone, Copy)]
pub(super) struct Literal<'t> {
    pub(super) leaf: &'t Leaf,
    pub(super) passes: bool,
}

/// Number of comparisons that may still be made.
pub(super) struct StepLimit(usize);

impl StepLimit {
    pub(super) fn new(comparisons: usize) -> Self {
        Self(comparisons)
    }

    /// Consumes comparisons; returns false and consumes none if fewer are left.
    #[must_use]
    pub(super) fn consume(&mut self, comparisons: usize) -> bool {
        let left = self.0.checked_sub(comparisons);
        self.0 = left.unwrap_or(self.0);
        left.is_some()
    }
}

/// Predicates of one kind, by the result they should have.
pub(super) struct Bounds<'t, T> {
    /// Predicates that should pass.
    pub(super) wanted: Vec<&'t T>,
    /// Predicates that should not pass.
    pub(super) refused: Vec<&'t T>,
}

impl<'t, T> Bounds<'t, T> {
    pub(super) fn new(literals: &[Literal<'t>], test: impl Fn(&'t Leaf) -> Option<&'t T>) -> Self {
        let side = |passes: bool| {
            let side = literals.iter().filter(|literal| literal.passes == passes);
            side.filter_map(|literal| test(literal.leaf)).collect()
        };
        Self {
            wanted: side(true),
            refused: side(false),
        }
    }

    /// Returns the number of predicates.
    pub(super) fn len(&self) -> usize {
        self.wanted.len() + self.refused.len()
    }

    /// Returns true if a predicate that should pass implies one that should not.
    pub(super) fn contradicts(&self, implies: impl Fn(&T, &T) -> bool) -> bool {
        let mut wanted = self.wanted.iter();
        wanted.any(|wanted| self.refused.iter().any(|refused| implies(wanted, refused)))
    }

    /// Returns true if every predicate has its wanted result.
    pub(super) fn are_satisfied(&self, holds: impl Fn(&T) -> bool) -> bool {
        self.wanted.iter().all(|test| holds(test)) && !self.refused.iter().any(|test| holds(test))
    }
}
