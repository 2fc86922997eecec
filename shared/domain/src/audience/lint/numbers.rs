//! Detects contradictions between predicates on one number.

use super::bounds::{Bounds, StepLimit};
use crate::rules::NumberPredicate;
use crate::rules::evaluate::number_holds;

/// Returns true if no number satisfies the predicates. Between two adjacent operands every
/// predicate has the same result, so one number of each gap represents all.
pub(super) fn contradict(tests: &Bounds<'_, NumberPredicate>, fuel: &mut StepLimit) -> bool {
    let all = tests.wanted.iter().chain(&tests.refused);
    let mut operands: Vec<f64> = all.flat_map(|test| operands(test)).collect();
    // For every number tried, a list is searched linearly.
    if !fuel.consume(operands.len().saturating_mul(2 * operands.len())) {
        return false;
    }
    operands.sort_unstable_by(f64::total_cmp);
    operands.dedup();
    let gaps = operands
        .windows(2)
        .map(|pair| f64::midpoint(pair[0], pair[1]));
    let mut tried = gaps
        .chain([f64::NEG_INFINITY, f64::INFINITY])
        .chain(operands.iter().copied());
    !tried.any(|number| tests.are_satisfied(|test| number_holds(test, number)))
}

fn operands(test: &NumberPredicate) -> Vec<f64> {
    match test {
        NumberPredicate::Equals(a)
        | NumberPredicate::Less(a)
        | NumberPredicate::AtMost(a)
        | NumberPredicate::Greater(a)
        | NumberPredicate::AtLeast(a) => vec![*a],
        NumberPredicate::Between(a, b) => vec![*a, *b],
        NumberPredicate::In(all) => all.clone(),
    }
}
