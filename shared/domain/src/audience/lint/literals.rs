//! Tests of one field or course with the outcome each should have: can they have it together?

use super::{activities, dates, numbers, texts};
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
    pub(super) fn take(&mut self, comparisons: usize) -> bool {
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
    fn of(literals: &[Literal<'t>], test: impl Fn(&'t Leaf) -> Option<&'t T>) -> Self {
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
    pub(super) fn clash(&self, implies: impl Fn(&T, &T) -> bool) -> bool {
        let mut wanted = self.wanted.iter();
        wanted.any(|wanted| self.refused.iter().any(|refused| implies(wanted, refused)))
    }

    /// Whether a value makes every test come out as it should.
    pub(super) fn meets(&self, holds: impl Fn(&T) -> bool) -> bool {
        self.wanted.iter().all(|test| holds(test)) && !self.refused.iter().any(|test| holds(test))
    }
}

/// The tests of one kind among literals.
macro_rules! sides {
    ($literals:expr, $kind:ident) => {
        Bounds::of($literals, |leaf| match leaf {
            Leaf::$kind(_, test) => Some(test),
            _ => None,
        })
    };
}

/// Whether no person can have all these outcomes. All tests are about one field
/// or one course; `now` is the moment of evaluation in milliseconds.
///
/// A missing value fails every positive test of a value, and so does one of the
/// wrong kind ("soon" for a date), so tests that should not pass contradict
/// nothing by themselves.
pub(super) fn contradict(literals: &[Literal<'_>], now: i64, fuel: &mut StepLimit) -> bool {
    let (mut missing, mut present, mut value) = (false, false, None);
    for literal in literals {
        match (literal.leaf, literal.passes) {
            (Leaf::Missing(_), true) => missing = true,
            (Leaf::Missing(_), false) => present = true,
            (leaf, true) => value = Some(leaf),
            (_, false) => {}
        }
    }
    if missing && (present || value.is_some()) {
        return true;
    }
    match value {
        None | Some(Leaf::Missing(_)) => false,
        Some(Leaf::Text(..)) => texts::contradict(&sides!(literals, Text), fuel),
        Some(Leaf::Number(..)) => numbers::contradict(&sides!(literals, Number), fuel),
        Some(Leaf::Date(..)) => dates::contradict(&sides!(literals, Date), now, fuel),
        Some(Leaf::Activity(..)) => activities::contradict(&sides!(literals, Activity), fuel),
        Some(Leaf::Boolean(..)) => {
            let truths = sides!(literals, Boolean);
            let both = truths.wanted.contains(&&true) && truths.wanted.contains(&&false);
            both || truths.clash(|wanted, refused| wanted == refused)
        }
    }
}
