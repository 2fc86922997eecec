//! Enrolments by course: who is enrolled, done, under way, late, and since or until when.
//!
//! Several enrolments of one person in one course (a course taken again) are
//! one entry here that keeps exactly what rules ask: see [`Activity`].

use super::lms::{EnrolmentRow, Progress};
use super::postings::Postings;
use crate::base::ids::CourseId;

/// A moment of an enrolment in whole seconds since 1970 UTC, 1970 to 2106; 0 is
/// unknown. Rules about activities count in days.
pub type Seconds = u32;

/// What one person did in one course, over all their enrolments in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Activity {
    /// Completed in any enrolment.
    pub completed: bool,
    /// Begun and not completed, in any enrolment.
    pub in_progress: bool,
    /// Completed after the due date, in any enrolment.
    pub late: bool,
    /// The latest completion, in milliseconds since 1970 UTC, where it is known.
    pub last_completed: Option<i64>,
    /// The earliest due date of an enrolment that is not completed, in
    /// milliseconds since 1970 UTC.
    pub open_due: Option<i64>,
}

/// What people did in one course, inverted: for each question the rows for
/// which the answer is yes. Rows that moments stand beside are always lists:
/// both are read through together.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CourseActivities {
    /// Everyone enrolled.
    pub enrolled: Postings,
    /// Those who completed it.
    pub completed: Postings,
    /// When they last did, parallel to `completed`.
    pub completed_at: Vec<Seconds>,
    /// Those who have begun and not completed.
    pub in_progress: Postings,
    /// Those who completed after the due date.
    pub late: Postings,
    /// Those with a due date on an enrolment that is not completed.
    pub open: Postings,
    /// The earliest such date, parallel to `open`.
    pub due_at: Vec<Seconds>,
}

impl CourseActivities {
    /// What the person in this row did, if enrolled.
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

    /// Everyone enrolled, ascending by row: what [`CourseActivities::of`] was given.
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

    /// Puts the entries of one course together; they are ascending by row and
    /// below `universe`.
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

/// Calls `note` for the entry of each row and the row's place among the rows,
/// all of which have an entry.
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

/// One person's enrolments in one course while a snapshot is built.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Entry {
    pub(crate) completed: bool,
    pub(crate) in_progress: bool,
    pub(crate) late: bool,
    pub(crate) completed_at: Seconds,
    pub(crate) due_at: Seconds,
}

impl Entry {
    /// The entry of one enrolment.
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

    /// Takes in another enrolment of the same person in the same course.
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

/// Seconds since 1970 as they are kept; what lies outside moves to the nearest
/// second that fits (a due date in the year 9999 stays far away).
fn seconds(since_1970: i64) -> Seconds {
    u32::try_from(since_1970.max(1)).unwrap_or(u32::MAX)
}

fn millis(seconds: Seconds) -> Option<i64> {
    (seconds != 0).then(|| i64::from(seconds) * 1_000)
}

/// Enrolments of people, course by course.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Enrolments {
    courses: Vec<CourseId>,
    each: Vec<CourseActivities>,
    rows: u64,
}

impl Enrolments {
    /// Puts courses together, ascending by id; `rows` is how many enrolments
    /// the platform listed for people.
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

    /// What people did in a course; `None` when nobody is enrolled.
    pub fn course(&self, course: CourseId) -> Option<&CourseActivities> {
        self.each.get(self.place(course)?)
    }

    /// The place of a course among those somebody is enrolled in.
    pub(crate) fn place(&self, course: CourseId) -> Option<usize> {
        self.courses.binary_search(&course).ok()
    }

    /// What one person did in a course, if enrolled.
    pub fn activity(&self, course: CourseId, row: u32) -> Option<Activity> {
        self.course(course)?.activity(row)
    }

    /// All courses somebody is enrolled in, ascending by id.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (CourseId, &CourseActivities)> {
        self.courses.iter().copied().zip(&self.each)
    }

    /// How many enrolments of people the platform listed.
    pub fn len(&self) -> u64 {
        self.rows
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.rows == 0
    }
}
