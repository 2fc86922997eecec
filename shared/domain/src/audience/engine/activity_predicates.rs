//! Evaluates activity predicates: determines the rows that pass.

use super::posting_reader::PostingPart;
use crate::rules::ActivityPredicate;
use crate::rules::evaluate::DAY_MS;
use crate::snapshot::{CourseActivities, Postings};

/// Rows processed per block.
const BLOCK: usize = 256;

/// Returns the rows that pass a predicate about a course, in one or two parts that may overlap.
/// `now` is the time of evaluation in milliseconds since 1970 UTC.
pub(super) fn rows(
    course: &CourseActivities,
    test: ActivityPredicate,
    now: i64,
) -> [Option<PostingPart<'_>>; 2] {
    let stored = |rows| Some(PostingPart::Stored(rows));
    match test {
        ActivityPredicate::Enrolled => [stored(&course.enrolled), None],
        ActivityPredicate::Completed => [stored(&course.completed), None],
        ActivityPredicate::InProgress => [stored(&course.in_progress), None],
        ActivityPredicate::CompletedInLast(_) => {
            let rows = dated(&course.completed, &course.completed_at, window(test, now));
            [Some(PostingPart::Found(rows)), None]
        }
        ActivityPredicate::Overdue => {
            let due = dated(&course.open, &course.due_at, window(test, now));
            [stored(&course.late), Some(PostingPart::Found(due))]
        }
    }
}

/// Returns the completion times or due dates that pass; `None` if there are none or any time
/// passes.
pub(super) fn window(test: ActivityPredicate, now: i64) -> Option<Window> {
    match test {
        ActivityPredicate::CompletedInLast(days) => {
            Window::of(now.saturating_sub(i64::from(days) * DAY_MS), now)
        }
        ActivityPredicate::Overdue => Window::of(0, now.saturating_sub(1)),
        ActivityPredicate::Enrolled
        | ActivityPredicate::Completed
        | ActivityPredicate::InProgress => None,
    }
}

/// A range of seconds since 1970 UTC, both ends included.
#[derive(Debug, Clone, Copy)]
pub(super) struct Window {
    pub(super) first: u32,
    pub(super) last: u32,
}

impl Window {
    /// Returns the whole seconds between two times in milliseconds; `None` if none is after 1970.
    pub(super) fn of(since: i64, until: i64) -> Option<Self> {
        let first = u64::try_from(since).unwrap_or(0).div_ceil(1_000).max(1);
        let first = u32::try_from(first).ok()?;
        let last = u64::try_from(until).ok()? / 1_000;
        let last = u32::try_from(last).unwrap_or(u32::MAX);
        (first <= last).then_some(Self { first, last })
    }

    pub(super) fn holds(self, moment: u32) -> bool {
        moment.wrapping_sub(self.first) <= self.last - self.first
    }
}

/// Returns the rows whose time (in whole seconds, 0 if unknown) is in the window.
fn dated(rows: &Postings, moments: &[u32], window: Option<Window>) -> Vec<u32> {
    let (Some(window), Postings::Sparse(rows)) = (window, rows) else {
        return Vec::new();
    };
    let mut found = Vec::new();
    // Every row is written, but `count` advances only for matches: no branch to mispredict.
    for (rows, moments) in rows.chunks(BLOCK).zip(moments.chunks(BLOCK)) {
        let (mut stored, mut count) = ([0; BLOCK], 0);
        for (row, moment) in rows.iter().zip(moments) {
            stored[count] = *row;
            count += usize::from(window.holds(*moment));
        }
        found.extend_from_slice(&stored[..count]);
    }
    found
}
