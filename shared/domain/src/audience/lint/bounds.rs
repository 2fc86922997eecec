//! What the tests of one field or course bound, and how much work a decision may take.

use crate::rules::Leaf;

/// A test and whether a person passes it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Literal<'t> {
    pub(super) leaf: &'t Leaf,
    pub(super) passes: bool,
}

/// How much work may still be done.
pub(super) struct StepLimit(usize);

impl StepLimit {
    pub(super) fn new(comparisons: usize) -> Self {
        Self(comparisons)
    }

    /// Takes so many comparisons; takes none and says so when fewer are left.
    #[must_use]
    pub(super) fn consume(&mut self, comparisons: usize) -> bool {
        let left = self.0.checked_sub(comparisons);
        self.0 = left.unwrap_or(self.0);
        left.is_some()
    }
}

/// The tests of one kind, by the outcome they should have.
pub(super) struct Bounds<'t, T> {
    /// Those that should pass.
    pub(super) wanted: Vec<&'t T>,
    /// Those that should not.
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

    /// How many tests there are.
    pub(super) fn len(&self) -> usize {
        self.wanted.len() + self.refused.len()
    }

    /// Whether some test that should pass implies one that should not.
    pub(super) fn contradicts(&self, implies: impl Fn(&T, &T) -> bool) -> bool {
        let mut wanted = self.wanted.iter();
        wanted.any(|wanted| self.refused.iter().any(|refused| implies(wanted, refused)))
    }

    /// Whether a value makes every test come out as it should.
    pub(super) fn are_satisfied(&self, holds: impl Fn(&T) -> bool) -> bool {
        self.wanted.iter().all(|test| holds(test)) && !self.refused.iter().any(|test| holds(test))
    }
}
