//! Whether one person's enrolments in a course can pass some tests and fail others.

use super::literals::{Fuel, Sides};
use crate::rules::ActivityTest;

/// Whether nobody's can. Several enrolments of one person may be in different
/// states, so no two tests exclude each other; some imply others.
pub(super) fn contradict(tests: &Sides<'_, ActivityTest>, fuel: &mut Fuel) -> bool {
    fuel.take(tests.wanted.len() * tests.len())
        && tests.clash(|first, second| implies(*first, *second))
}

/// Whether everyone who passes the first test passes the second.
fn implies(first: ActivityTest, second: ActivityTest) -> bool {
    use ActivityTest::{Completed, CompletedInLast, Enrolled};
    match (first, second) {
        (_, Enrolled) | (CompletedInLast(_), Completed) => true,
        (CompletedInLast(few), CompletedInLast(many)) => few <= many,
        (first, second) => first == second,
    }
}
