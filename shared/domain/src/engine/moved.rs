//! People whom time alone moves in or out of what a test asks for.

use std::collections::BTreeMap;

use super::asked::Asked;
use super::index::PersonIndex;
use super::tests_of_people::Window;
use super::tests_of_values::range;
use super::timeline::Timeline;
use crate::ids::CourseId;
use crate::rowset::RowSet;
use crate::rules::evaluate::DAY_MS;
use crate::rules::{ActivityTest, DateTest};

/// Adds everyone for whom a test may answer otherwise at the second of two
/// times (milliseconds since 1970 UTC) than at the first.
pub(super) fn moved(
    asked: &Asked<'_>,
    index: &PersonIndex<'_>,
    (before, now): (i64, i64),
    rows: &mut RowSet,
) {
    for (source, tests) in &asked.dates {
        let column = index.snapshot.people.dates.get(*source);
        for (_, test) in tests.iter().filter(|(_, test)| is_relative(test)) {
            if let Some(column) = column {
                let (was, is) = (range(column, test, before), range(column, test, now));
                // What lies between the two beginnings, and between the two ends, crosses.
                for (a, b) in [(was.start, is.start), (was.end, is.end)] {
                    rows.extend(index.dated(source, a.min(b)..a.max(b)).iter().copied());
                }
            }
        }
    }
    let (mut completed, mut due) = (Crossings::default(), Crossings::default());
    for (_, course, test) in &asked.activities {
        match test {
            ActivityTest::CompletedInLast(days) => completed.note(index, *course, &[*days, 0]),
            ActivityTest::Overdue => due.note(index, *course, &[0]),
            ActivityTest::Completed | ActivityTest::InProgress | ActivityTest::Enrolled => {}
        }
    }
    let between = (before.min(now), before.max(now));
    completed.add(&index.completed, between, rows);
    due.add(&index.due, between, rows);
}

/// Whether a test counts days from the time of evaluation.
fn is_relative(test: &DateTest) -> bool {
    match test {
        DateTest::InLast(_) | DateTest::InNext(_) | DateTest::MoreThanAgo(_) => true,
        DateTest::Before(_) | DateTest::After(_) | DateTest::Within(..) => false,
    }
}

/// How many days before the time of evaluation a moment matters to some courses.
#[derive(Default)]
struct Crossings(BTreeMap<u32, RowSet>);

impl Crossings {
    fn note(&mut self, index: &PersonIndex<'_>, course: CourseId, days: &[u32]) {
        let enrolments = &index.snapshot.enrolments;
        let place = enrolments.place(course);
        let Some(place) = place.and_then(|place| u32::try_from(place).ok()) else {
            return;
        };
        let courses = u32::try_from(enrolments.iter().len()).unwrap_or(u32::MAX);
        for days in days {
            let courses = || RowSet::new(courses);
            self.0.entry(*days).or_insert_with(courses).insert(place);
        }
    }

    /// Adds rows with a moment that one of these days passed between two times.
    fn add(&self, timeline: &Timeline, (earlier, later): (i64, i64), rows: &mut RowSet) {
        for (days, courses) in &self.0 {
            let ago = i64::from(*days) * DAY_MS;
            let window = Window::of(earlier.saturating_sub(ago), later.saturating_sub(ago));
            let passed = window.map_or(&[][..], |window| timeline.within(window));
            let asked = passed.iter().filter(|event| courses.contains(event.course));
            rows.extend(asked.map(|event| event.row));
        }
    }
}
