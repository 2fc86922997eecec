//! Whether one person's enrolments in a course can pass some tests and fail others.

use super::bounds::{Bounds, StepLimit};
use crate::rules::ActivityPredicate;

/// Whether nobody's can. Several enrolments of one person may be in different
/// states, so no two tests exclude each other; some imply others.
pub(super) fn contradict(tests: &Bounds<'_, ActivityPredicate>, fuel: &mut StepLimit) -> bool {
    fuel.consume(tests.wanted.len() * tests.len())
        && tests.contradicts(|first, second| implies(*first, *second))
}

/// Whether everyone who passes the first test passes the second.
fn implies(first: ActivityPredicate, second: ActivityPredicate) -> bool {
    use ActivityPredicate::{Completed, CompletedInLast, Enrolled};
    match (first, second) {
        (_, Enrolled) | (CompletedInLast(_), Completed) => true,
        (CompletedInLast(few), CompletedInLast(many)) => few <= many,
        (first, second) => first == second,
    }
}
