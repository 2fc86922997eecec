//! Tests of what people did in a course, as the rows of those who pass.

use super::posting_reader::PostingPart;
use crate::rules::ActivityPredicate;
use crate::rules::evaluate::DAY_MS;
use crate::snapshot::{CourseActivities, Postings};

/// Rows looked at in one go.
const BLOCK: usize = 256;

/// The rows of everyone who passes a test about a course, in one or two parts
/// that may overlap; `now` is the moment of evaluation in milliseconds.
pub(super) fn rows(
    course: &CourseActivities,
    test: ActivityPredicate,
    now: i64,
) -> [Option<PostingPart<'_>>; 2] {
    let kept = |rows| Some(PostingPart::Kept(rows));
    match test {
        ActivityPredicate::Enrolled => [kept(&course.enrolled), None],
        ActivityPredicate::Completed => [kept(&course.completed), None],
        ActivityPredicate::InProgress => [kept(&course.in_progress), None],
        ActivityPredicate::CompletedInLast(_) => {
            let rows = dated(&course.completed, &course.completed_at, window(test, now));
            [Some(PostingPart::Found(rows)), None]
        }
        ActivityPredicate::Overdue => {
            let due = dated(&course.open, &course.due_at, window(test, now));
            [kept(&course.late), Some(PostingPart::Found(due))]
        }
    }
}

/// The completions or due dates with which a test is passed, if it asks for them.
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

/// Seconds from the first to the last, both included.
#[derive(Debug, Clone, Copy)]
pub(super) struct Window {
    pub(super) first: u32,
    pub(super) last: u32,
}

impl Window {
    /// The whole seconds within milliseconds; none before 1970.
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

/// Rows whose moment (whole seconds, 0 is unknown) lies in a window.
fn dated(rows: &Postings, moments: &[u32], window: Option<Window>) -> Vec<u32> {
    let (Some(window), Postings::Sparse(rows)) = (window, rows) else {
        return Vec::new();
    };
    let mut found = Vec::new();
    // Every row of a block is written, few are kept: no branch to guess wrong.
    for (rows, moments) in rows.chunks(BLOCK).zip(moments.chunks(BLOCK)) {
        let (mut kept, mut count) = ([0; BLOCK], 0);
        for (row, moment) in rows.iter().zip(moments) {
            kept[count] = *row;
            count += usize::from(window.holds(*moment));
        }
        found.extend_from_slice(&kept[..count]);
    }
    found
}
