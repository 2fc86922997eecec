//! Enrolments as their pages arrive: eight bytes each, course by course.

use super::limits::{MAX_ENROLMENTS, TooLarge};
use super::numbers::Numbers;
use crate::base::ids::{CourseId, UserId};
use crate::snapshot::enrolments::{Entry, Seconds};
use crate::snapshot::lms::EnrolmentRow;
use crate::snapshot::{CourseActivities, Enrolments};

/// The maximum number of enrolled users, including deleted ones; the bits above the user number
/// store the state.
const MAX_ENROLLED: u32 = 1 << 29;
const COMPLETED: u32 = 1 << 29;
const IN_PROGRESS: u32 = 1 << 30;
const LATE: u32 = 1 << 31;

/// Enrolments of users, whether or not they are in the user list.
#[derive(Debug, Clone, Default)]
pub struct EnrolmentSet {
    users: Numbers<UserId>,
    courses: Numbers<CourseId>,
    each: Vec<Vec<Enrolled>>,
    len: u64,
}

/// One enrolment. It needs only one time: the completion or, if not completed, the due date.
#[derive(Debug, Clone, Copy)]
struct Enrolled {
    user_and_state: u32,
    at: Seconds,
}

impl Enrolled {
    fn of(user: u32, entry: Entry) -> Self {
        let flag = |set: bool, bit: u32| if set { bit } else { 0 };
        Self {
            user_and_state: user
                | flag(entry.completed, COMPLETED)
                | flag(entry.in_progress, IN_PROGRESS)
                | flag(entry.late, LATE),
            at: if entry.completed {
                entry.completed_at
            } else {
                entry.due_at
            },
        }
    }

    fn user(self) -> usize {
        (self.user_and_state & (MAX_ENROLLED - 1)) as usize
    }

    fn entry(self) -> Entry {
        let completed = self.user_and_state & COMPLETED != 0;
        Entry {
            completed,
            in_progress: self.user_and_state & IN_PROGRESS != 0,
            late: self.user_and_state & LATE != 0,
            completed_at: if completed { self.at } else { 0 },
            due_at: if completed { 0 } else { self.at },
        }
    }
}

impl EnrolmentSet {
    /// Adds one enrolment.
    ///
    /// # Errors
    /// Returns an error beyond [`MAX_ENROLMENTS`] rows or half a billion users.
    pub fn push(&mut self, row: &EnrolmentRow) -> Result<(), TooLarge> {
        if self.len == MAX_ENROLMENTS {
            return Err(TooLarge::Enrolments);
        }
        self.len += 1;
        let user = self.users.number(row.user, MAX_ENROLLED);
        let course = self.courses.number(row.course, u32::MAX);
        let (Some(user), Some(course)) = (user, course) else {
            return Err(TooLarge::Enrolments);
        };
        let course = course as usize;
        if course == self.each.len() {
            self.each.push(Vec::new());
        }
        self.each[course].push(Enrolled::of(user, Entry::of(row)));
        Ok(())
    }

    /// Returns the enrolments of users that have a row. Others are omitted, because deleted users
    /// leave enrolments behind.
    pub(super) fn into_enrolments(
        self,
        universe: u32,
        row_of: impl Fn(UserId) -> Option<u32>,
    ) -> Enrolments {
        let rows: Vec<Option<u32>> = self.users.into_ids().into_iter().map(row_of).collect();
        let mut courses: Vec<(CourseId, Vec<Enrolled>)> =
            self.courses.into_ids().into_iter().zip(self.each).collect();
        courses.sort_unstable_by_key(|(course, _)| *course);
        let mut count = 0;
        let courses = courses.into_iter().filter_map(|(course, enrolled)| {
            let mut entries: Vec<(u32, Entry)> = enrolled
                .iter()
                .filter_map(|enrolled| Some((rows[enrolled.user()]?, enrolled.entry())))
                .collect();
            count += entries.len() as u64;
            entries.sort_unstable_by_key(|(row, _)| *row);
            entries.dedup_by(|(row, entry), (kept_row, kept)| {
                let same = row == kept_row;
                if same {
                    kept.merge(*entry);
                }
                same
            });
            (!entries.is_empty()).then(|| (course, CourseActivities::of(&entries, universe)))
        });
        let courses = courses.collect();
        // Cannot fail: the courses are sorted and distinct by construction.
        Enrolments::from_parts(courses, count).unwrap_or_default()
    }
}
