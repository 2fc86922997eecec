//! Detects contradictions between predicates on one learner's enrolments in a course.

use super::bounds::{Bounds, StepLimit};
use crate::rules::ActivityPredicate;

/// Returns true if no learner can satisfy the predicates. A learner may have several enrolments in
/// different states, so predicates never exclude each other, but some imply others.
pub(super) fn contradict(tests: &Bounds<'_, ActivityPredicate>, fuel: &mut StepLimit) -> bool {
    fuel.consume(tests.wanted.len() * tests.len())
        && tests.contradicts(|first, second| implies(*first, *second))
}

/// Returns true if every learner who passes the first predicate passes the second.
fn implies(first: ActivityPredicate, second: ActivityPredicate) -> bool {
    use ActivityPredicate::{Completed, CompletedInLast, Enrolled};
    match (first, second) {
        (_, Enrolled) | (CompletedInLast(_), Completed) => true,
        (CompletedInLast(few), CompletedInLast(many)) => few <= many,
        (first, second) => first == second,
    }
}
