//! Enrolments by course: who is enrolled, completed, in progress or late, with the related dates.
//!
//! Several enrolments of one learner in one course (a retaken course) are combined into one entry
//! with exactly the facts that rules test, see [`Activity`].

use super::lms::{EnrolmentRow, Progress};
use super::postings::Postings;
use crate::base::ids::CourseId;

/// The time of an enrolment in whole seconds since 1970 UTC, 1970 to 2106; 0 is unknown. Seconds
/// suffice, because rules about activities count in days.
pub type Seconds = u32;

/// The activity of one learner in one course, combined over all enrolments in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Activity {
    /// Completed in any enrolment.
    pub completed: bool,
    /// Started and not completed, in any enrolment.
    pub in_progress: bool,
    /// Completed after the due date, in any enrolment.
    pub late: bool,
    /// The latest completion, in milliseconds since 1970 UTC, if known.
    pub last_completed: Option<i64>,
    /// The earliest due date of an enrolment that is not completed, in
    /// milliseconds since 1970 UTC.
    pub open_due: Option<i64>,
}

/// The activities of all learners in one course, inverted: one set of rows per fact. Sets with
/// parallel times are always lists, because both are iterated together.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CourseActivities {
    /// All enrolled learners.
    pub enrolled: Postings,
    /// Learners who completed the course.
    pub completed: Postings,
    /// The time of their last completion, parallel to `completed`.
    pub completed_at: Vec<Seconds>,
    /// Learners who started and have not completed.
    pub in_progress: Postings,
    /// Learners who completed after the due date.
    pub late: Postings,
    /// Learners with a due date on an enrolment that is not completed.
    pub open: Postings,
    /// The earliest of these due dates, parallel to `open`.
    pub due_at: Vec<Seconds>,
}

impl CourseActivities {
    /// Returns the activity of the learner in this row, if enrolled.
    pub fn activity(&self, row: u32) -> Option<Activity> {
        if !self.enrolled.contains(row) {
            return None;
        }
        let completed = self.completed.place(row);
        let open = self.open.place(row);
        Some(Activity {
            completed: completed.is_some(),
            in_progress: self.in_progress.contains(row),
            late: self.late.contains(row),
            last_completed: completed.and_then(|place| millis(*self.completed_at.get(place)?)),
            open_due: open.and_then(|place| millis(*self.due_at.get(place)?)),
        })
    }

    /// Returns all enrolled learners, ascending by row: the entries that [`CourseActivities::of`]
    /// received.
    pub(crate) fn entries(&self) -> Vec<(u32, Entry)> {
        let mut entries = Vec::with_capacity(self.enrolled.len());
        self.enrolled
            .for_each(|row| entries.push((row, Entry::default())));
        each(&mut entries, &self.completed, |entry, place| {
            entry.completed = true;
            entry.completed_at = self.completed_at.get(place).copied().unwrap_or(0);
        });
        each(&mut entries, &self.in_progress, |entry, _| {
            entry.in_progress = true;
        });
        each(&mut entries, &self.late, |entry, _| entry.late = true);
        each(&mut entries, &self.open, |entry, place| {
            entry.due_at = self.due_at.get(place).copied().unwrap_or(0);
        });
        entries
    }

    /// Builds the activities of one course from entries that are ascending by row and below
    /// `universe`.
    pub(crate) fn of(entries: &[(u32, Entry)], universe: u32) -> Self {
        let list = |wanted: fn(&Entry) -> bool| -> Vec<u32> {
            let found = entries.iter().filter(|(_, entry)| wanted(entry));
            found.map(|(row, _)| *row).collect()
        };
        let rows = |wanted: fn(&Entry) -> bool| Postings::of(list(wanted), universe);
        let moments = |wanted: fn(&Entry) -> bool, moment: fn(&Entry) -> Seconds| {
            let found = entries.iter().filter(|(_, entry)| wanted(entry));
            found.map(|(_, entry)| moment(entry)).collect()
        };
        Self {
            enrolled: rows(|_| true),
            completed: Postings::Sparse(list(|entry| entry.completed)),
            completed_at: moments(|entry| entry.completed, |entry| entry.completed_at),
            in_progress: rows(|entry| entry.in_progress),
            late: rows(|entry| entry.late),
            open: Postings::Sparse(list(|entry| entry.due_at != 0)),
            due_at: moments(|entry| entry.due_at != 0, |entry| entry.due_at),
        }
    }
}

/// Calls `note` with the entry of each row and the row's index in `rows`; every row has an entry.
fn each(entries: &mut [(u32, Entry)], rows: &Postings, mut note: impl FnMut(&mut Entry, usize)) {
    let (mut at, mut place) = (0, 0);
    rows.for_each(|row| {
        while entries.get(at).is_some_and(|(known, _)| *known < row) {
            at += 1;
        }
        if let Some((_, entry)) = entries.get_mut(at) {
            note(entry, place);
        }
        place += 1;
    });
}

/// One learner's enrolments in one course while a snapshot is built.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Entry {
    pub(crate) completed: bool,
    pub(crate) in_progress: bool,
    pub(crate) late: bool,
    pub(crate) completed_at: Seconds,
    pub(crate) due_at: Seconds,
}

impl Entry {
    /// Returns the entry of one enrolment.
    pub(crate) fn of(row: &EnrolmentRow) -> Self {
        let completed = row.progress == Progress::Completed;
        let late = match (row.completed_at, row.due_at) {
            (Some(done), Some(due)) => completed && done > due,
            _ => false,
        };
        let moment = |wanted: bool, at: Option<chrono::DateTime<chrono::Utc>>| {
            at.filter(|_| wanted)
                .map_or(0, |at| seconds(at.timestamp()))
        };
        Self {
            completed,
            in_progress: row.progress == Progress::InProgress,
            late,
            completed_at: moment(completed, row.completed_at),
            due_at: moment(!completed, row.due_at),
        }
    }

    /// Merges another enrolment of the same learner in the same course.
    pub(crate) fn merge(&mut self, other: Self) {
        self.completed |= other.completed;
        self.in_progress |= other.in_progress;
        self.late |= other.late;
        self.completed_at = self.completed_at.max(other.completed_at);
        self.due_at = match (self.due_at, other.due_at) {
            (0, due) | (due, 0) => due,
            (one, two) => one.min(two),
        };
    }
}

/// Converts seconds since 1970 to the stored form; values out of range are clamped (a due date in
/// the year 9999 becomes the latest one that can be stored).
fn seconds(since_1970: i64) -> Seconds {
    u32::try_from(since_1970.max(1)).unwrap_or(u32::MAX)
}

fn millis(seconds: Seconds) -> Option<i64> {
    (seconds != 0).then(|| i64::from(seconds) * 1_000)
}

/// Enrolments of learners, course by course.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Enrolments {
    courses: Vec<CourseId>,
    each: Vec<CourseActivities>,
    rows: u64,
}

impl Enrolments {
    /// Returns the enrolments of courses that are ascending by id, otherwise `None`. `rows` is the
    /// number of learner enrolments that the platform listed.
    pub fn from_parts(courses: Vec<(CourseId, CourseActivities)>, rows: u64) -> Option<Self> {
        let (courses, each): (Vec<_>, Vec<_>) = courses.into_iter().unzip();
        courses
            .windows(2)
            .all(|pair| pair[0] < pair[1])
            .then_some(Self {
                courses,
                each,
                rows,
            })
    }

    /// Returns the activities in a course; `None` if no learner is enrolled.
    pub fn course(&self, course: CourseId) -> Option<&CourseActivities> {
        self.each.get(self.place(course)?)
    }

    /// Returns the index of a course among those with enrolled learners.
    pub(crate) fn place(&self, course: CourseId) -> Option<usize> {
        self.courses.binary_search(&course).ok()
    }

    /// Returns the activity of one learner in a course, if enrolled.
    pub fn activity(&self, course: CourseId, row: u32) -> Option<Activity> {
        self.course(course)?.activity(row)
    }

    /// Returns all courses with enrolled learners, ascending by id.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (CourseId, &CourseActivities)> {
        self.courses.iter().copied().zip(&self.each)
    }

    /// Returns the number of learner enrolments that the platform listed.
    pub fn len(&self) -> u64 {
        self.rows
    }

    /// Returns true if there are no enrolments.
    pub fn is_empty(&self) -> bool {
        self.rows == 0
    }
}
