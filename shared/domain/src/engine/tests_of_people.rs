//! Tests of what people did in a course, as the rows of those who pass.

use std::borrow::Cow;

use crate::rules::ActivityTest;
use crate::rules::evaluate::DAY_MS;
use crate::snapshot::{CourseActivities, Postings};

/// Rows looked at in one go.
const BLOCK: usize = 256;

/// The rows of everyone who passes a test about a course, in one or two parts
/// that may overlap; `now` is the moment of evaluation in milliseconds.
pub(super) fn rows(
    course: &CourseActivities,
    test: ActivityTest,
    now: i64,
) -> Vec<Cow<'_, Postings>> {
    match test {
        ActivityTest::Enrolled => vec![Cow::Borrowed(&course.enrolled)],
        ActivityTest::Completed => vec![Cow::Borrowed(&course.completed)],
        ActivityTest::InProgress => vec![Cow::Borrowed(&course.in_progress)],
        ActivityTest::CompletedInLast(days) => {
            let since = now.saturating_sub(i64::from(days) * DAY_MS);
            let window = Window::of(since, now);
            let rows = dated(&course.completed, &course.completed_at, window);
            vec![Cow::Owned(rows)]
        }
        ActivityTest::Overdue => {
            let window = Window::of(0, now.saturating_sub(1));
            let due = dated(&course.open, &course.due_at, window);
            vec![Cow::Borrowed(&course.late), Cow::Owned(due)]
        }
    }
}

/// Seconds from the first to the last, both included.
#[derive(Debug, Clone, Copy)]
pub(super) struct Window {
    first: u32,
    last: u32,
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

    fn holds(self, moment: u32) -> bool {
        moment.wrapping_sub(self.first) <= self.last - self.first
    }

    /// Calls `each` with the place of every moment inside. Most blocks of a
    /// narrow window hold none, which a few vector instructions tell.
    pub(super) fn places(self, moments: &[u32], mut each: impl FnMut(usize)) {
        for (block, moments) in moments.chunks(16).enumerate() {
            let any = moments
                .iter()
                .fold(false, |any, moment| any | self.holds(*moment));
            if any {
                for (place, moment) in moments.iter().enumerate() {
                    if self.holds(*moment) {
                        each(block * 16 + place);
                    }
                }
            }
        }
    }
}

/// Rows whose moment (whole seconds, 0 is unknown) lies in a window.
fn dated(rows: &Postings, moments: &[u32], window: Option<Window>) -> Postings {
    let (Some(window), Postings::Sparse(rows)) = (window, rows) else {
        return Postings::default();
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
    Postings::Sparse(found)
}

/// The windows of moments for which the answer to a test differs between two
/// times: people whom time alone moves in or out. Empty for tests that do not
/// ask for the time.
pub(super) fn crossing(
    course: &CourseActivities,
    test: ActivityTest,
    before: i64,
    now: i64,
    mut each: impl FnMut(u32),
) {
    let (earlier, later) = (before.min(now), before.max(now));
    let mut rows = |rows: &Postings, moments: &[u32], window: Option<Window>| {
        if let Some(window) = window {
            window.places(moments, |place| {
                if let Some(row) = rows.at(place) {
                    each(row);
                }
            });
        }
    };
    match test {
        ActivityTest::CompletedInLast(days) => {
            let ago = i64::from(days) * DAY_MS;
            let (done, at) = (&course.completed, &course.completed_at);
            rows(done, at, Window::of(earlier - ago, later - ago));
            rows(done, at, Window::of(earlier, later));
        }
        ActivityTest::Overdue => {
            rows(&course.open, &course.due_at, Window::of(earlier, later));
        }
        ActivityTest::Completed | ActivityTest::InProgress | ActivityTest::Enrolled => {}
    }
}
