//! What one person did in one course, in as few bytes as can be: few people's are read from far apart.

use crate::snapshot::enrolments::Entry;

/// What one person did in one course, or a part of it: who took it again may
/// have a completion and a due date, and has two of these.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Deed {
    /// The place of the course among the snapshot's, and the marks below it: 28
    /// bits are more courses than fit into any memory.
    head: u32,
    /// A completion or a due date, 0 where there is none.
    pub(super) moment: u32,
}

/// Completed.
pub(super) const COMPLETED: u8 = 1;
/// Begun and not completed.
pub(super) const IN_PROGRESS: u8 = 2;
/// Completed after the due date.
pub(super) const LATE: u8 = 4;
/// The moment is a due date.
pub(super) const DUE: u8 = 8;
/// Bits of marks.
const MARKS: u32 = 4;

impl Deed {
    /// What an entry of a course says.
    pub(super) fn of(course: u32, entry: &Entry) -> impl Iterator<Item = Self> {
        let mark = |mark: u8, is: bool| if is { mark } else { 0 };
        let marks = mark(COMPLETED, entry.completed)
            | mark(IN_PROGRESS, entry.in_progress)
            | mark(LATE, entry.late);
        let one = |marks: u8, moment: u32| Self {
            head: course << MARKS | u32::from(marks),
            moment,
        };
        let (done, due) = (entry.completed_at, entry.due_at);
        let first = if done == 0 && due != 0 {
            one(marks | DUE, due)
        } else {
            one(marks, done)
        };
        let second = (done != 0 && due != 0).then(|| one(marks | DUE, due));
        std::iter::once(first).chain(second)
    }

    /// The place of the course.
    pub(super) fn course(self) -> usize {
        (self.head >> MARKS) as usize
    }

    /// All marks.
    pub(super) fn marks(self) -> u8 {
        (self.head & ((1 << MARKS) - 1)) as u8
    }
}
