//! Reads enrolments course by course; this is the hot loop of opening a snapshot.

use uuid::Uuid;

use super::super::column_file::ColumnFile;
use super::super::error::DecodeError;
use super::super::limits::MAX_DECODED;
use super::super::names::{COMPLETED_AT, COURSES, DUE_AT, GAPS_8, GAPS_16, STATUS};
use super::super::people::U32;
use super::sizes::{SETS, Sizes, TABLE, U8, U16, fits_memory};
use crate::base::ids::CourseId;
use crate::snapshot::{CourseActivities, Enrolments, Postings};

/// The entry of one course in the table of courses.
struct Course {
    id: CourseId,
    enrolled: usize,
    sets: [usize; SETS],
    steps: usize,
    width: u8,
}

/// Reads the columns.
pub(in crate::snapshot::format) fn read(file: &ColumnFile<'_>) -> Result<Enrolments, DecodeError> {
    let courses = table(file)?;
    let rows = file.rows();
    let sizes = courses.iter().map(|course| Sizes {
        enrolled: course.enrolled,
        sets: course.sets,
    });
    fits_memory(sizes, rows, MAX_DECODED)?;
    let total = |count: fn(&Course) -> usize| courses.iter().map(count).sum::<usize>();
    let gaps8 = file.raw(GAPS_8, U8)?;
    let short = total(|course| if course.width == 2 { course.steps } else { 0 });
    let gaps16 = file.column(GAPS_16, U16, |cursor| cursor.u16s(short))?;
    let status = file.raw(STATUS, U8)?;
    let done = total(|course| course.sets[0]);
    let completed_at = file.column(COMPLETED_AT, U32, |cursor| cursor.u32s(done))?;
    let open = total(|course| course.sets[3]);
    let due_at = file.column(DUE_AT, U32, |cursor| cursor.u32s(open))?;
    if due_at.contains(&0) {
        return Err(DecodeError::content(DUE_AT, "a due date is missing"));
    }
    let mut left = Left {
        gaps8: &gaps8,
        gaps16: &gaps16,
        status: &status,
        completed_at: &completed_at,
        due_at: &due_at,
        rows: Vec::new(),
    };
    let read: Result<Vec<_>, _> = courses
        .iter()
        .map(|course| Ok((course.id, left.course(course, rows)?)))
        .collect();
    let read = read?;
    if !left.gaps8.is_empty() {
        return Err(DecodeError::content(
            GAPS_8,
            "it has more entries than the courses need",
        ));
    }
    if !left.status.is_empty() {
        return Err(DecodeError::content(
            STATUS,
            "it has more entries than the courses need",
        ));
    }
    Enrolments::from_parts(read, file.enrolment_count())
        .ok_or_else(|| DecodeError::content(COURSES, "courses are not ascending by id"))
}

fn table(file: &ColumnFile<'_>) -> Result<Vec<Course>, DecodeError> {
    let count = file.entries(COURSES)?;
    let courses: Vec<Course> = file.column(COURSES, TABLE, |cursor| {
        let ids = cursor.guids(count)?;
        let enrolled = cursor.u32s(count)?;
        let sets: Vec<Vec<u32>> = (0..SETS)
            .map(|_| cursor.u32s(count))
            .collect::<Option<_>>()?;
        let steps = cursor.u32s(count)?;
        let widths = cursor.bytes(count)?;
        let course = |at: usize| Course {
            id: CourseId::new(Uuid::from_bytes(ids[at])),
            enrolled: enrolled[at] as usize,
            sets: std::array::from_fn(|set| sets[set][at] as usize),
            steps: steps[at] as usize,
            width: widths[at],
        };
        Some((0..count).map(course).collect())
    })?;
    let sound = |course: &Course| {
        matches!(course.width, 1 | 2)
            && course.enrolled <= course.steps
            && course.sets.iter().all(|set| *set <= course.enrolled)
    };
    match courses.iter().find(|course| !sound(course)) {
        None => Ok(courses),
        Some(course) => Err(DecodeError::content(
            COURSES,
            format!("the counts of course {} are inconsistent", course.id),
        )),
    }
}

/// The parts of each column that are not yet read.
struct Left<'a> {
    gaps8: &'a [u8],
    gaps16: &'a [u16],
    status: &'a [u8],
    completed_at: &'a [u32],
    due_at: &'a [u32],
    /// The enrolled rows of the current course.
    rows: Vec<u32>,
}

impl Left<'_> {
    fn course(&mut self, course: &Course, rows: u32) -> Result<CourseActivities, DecodeError> {
        let end = if course.width == 1 {
            let gaps = take(&mut self.gaps8, course.steps, GAPS_8)?;
            unfold(gaps, u8::MAX, &mut self.rows)
        } else {
            let gaps = take(&mut self.gaps16, course.steps, GAPS_16)?;
            unfold(gaps, u16::MAX, &mut self.rows)
        };
        if self.rows.len() != course.enrolled || end > u64::from(rows) {
            let gaps = if course.width == 1 { GAPS_8 } else { GAPS_16 };
            let why = format!(
                "the rows of course {} do not match its counts or the rows of the snapshot",
                course.id
            );
            return Err(DecodeError::content(gaps, why));
        }
        let status = take(&mut self.status, course.enrolled, STATUS)?;
        if status.iter().any(|status| *status >> SETS != 0) {
            return Err(DecodeError::content(STATUS, "it has unknown bits"));
        }
        // Rows with parallel times are always stored as lists, whatever their number.
        let list = u32::MAX;
        let set = |bit: u32, count: usize, universe: u32| {
            Postings::marked(&self.rows, status, bit, count, universe).ok_or_else(|| {
                let why = format!("it does not match the counts of course {}", course.id);
                DecodeError::content(STATUS, why)
            })
        };
        let [completed, in_progress, late, open] = course.sets;
        Ok(CourseActivities {
            completed: set(0, completed, list)?,
            in_progress: set(1, in_progress, rows)?,
            late: set(2, late, rows)?,
            open: set(3, open, list)?,
            enrolled: Postings::of(self.rows.clone(), rows),
            completed_at: take(&mut self.completed_at, completed, COMPLETED_AT)?.to_vec(),
            due_at: take(&mut self.due_at, open, DUE_AT)?.to_vec(),
        })
    }
}

fn take<'a, T>(left: &mut &'a [T], count: usize, column: &str) -> Result<&'a [T], DecodeError> {
    let (taken, rest) = left.split_at_checked(count).ok_or_else(|| {
        DecodeError::content(column, "it has fewer entries than the courses need")
    })?;
    *left = rest;
    Ok(taken)
}

/// Decodes gaps into rows and returns the number after the last one.
fn unfold<T: Copy + PartialEq + Into<u64>>(gaps: &[T], skip: T, rows: &mut Vec<u32>) -> u64 {
    rows.clear();
    rows.resize(gaps.len(), 0);
    let (mut next, mut count) = (0u64, 0);
    for gap in gaps {
        next += (*gap).into();
        // The caller rejects rows out of range, and the last row is the highest.
        #[expect(clippy::cast_possible_truncation, reason = "checked by the caller")]
        let row = next as u32;
        rows[count] = row;
        let is_row = usize::from(*gap != skip);
        count += is_row;
        next += is_row as u64;
    }
    rows.truncate(count);
    next
}
