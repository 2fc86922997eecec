//! Whether one number can pass some tests and fail others.

use super::bounds::{Bounds, StepLimit};
use crate::rules::NumberPredicate;
use crate::rules::evaluate::number_holds;

/// Whether no number can. Between two neighbouring operands every test answers
/// the same, so one number of each gap stands for all.
pub(super) fn contradict(tests: &Bounds<'_, NumberPredicate>, fuel: &mut StepLimit) -> bool {
    let all = tests.wanted.iter().chain(&tests.refused);
    let mut operands: Vec<f64> = all.flat_map(|test| operands(test)).collect();
    // A list is looked through for every number tried.
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
