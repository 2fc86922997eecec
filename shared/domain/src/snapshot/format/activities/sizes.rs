//! Encodings of the enrolment columns, and their decoded size in memory.

use super::super::error::DecodeError;
use crate::snapshot::{Enrolments, Postings};

/// Ids and counts of courses.
pub(super) const TABLE: &str = "courses";
/// One byte per entry.
pub(super) const U8: &str = "u8";
/// 16-bit numbers in byte planes.
pub(super) const U16: &str = "u16";
/// The number of sets stored as bits of the status: completed, in progress, late, open.
pub(super) const SETS: usize = 4;

/// Returns an error if a reader would reject the enrolments for their size; called before writing.
pub(in crate::snapshot::format) fn readable(
    enrolments: &Enrolments,
    rows: u32,
    limit: u64,
) -> Result<(), DecodeError> {
    let courses = enrolments.iter().map(|(_, course)| Sizes {
        enrolled: course.enrolled.len(),
        sets: [
            &course.completed,
            &course.in_progress,
            &course.late,
            &course.open,
        ]
        .map(Postings::len),
    });
    fits_memory(courses, rows, limit)
}

/// The number of rows in each set of a course.
#[derive(Clone, Copy)]
pub(super) struct Sizes {
    pub(super) enrolled: usize,
    pub(super) sets: [usize; SETS],
}

impl Sizes {
    /// Returns the memory size of the sets in bytes.
    fn bytes(self, rows: u32) -> u64 {
        let [completed, in_progress, late, open] = self.sets;
        let plain = [self.enrolled, in_progress, late].map(|set| Postings::bytes(set, rows));
        // Rows with parallel times are always lists: four bytes for the row and four for the time.
        let dated = [completed, open].map(|set| set as u64 * 8);
        let all = plain.into_iter().chain(dated);
        all.fold(0, u64::saturating_add)
    }
}

/// Returns an error if the decoded courses would take more than `limit` bytes of memory.
pub(super) fn fits_memory(
    mut courses: impl Iterator<Item = Sizes>,
    rows: u32,
    limit: u64,
) -> Result<(), DecodeError> {
    let add = |sum: u64, sizes: Sizes| sum.checked_add(sizes.bytes(rows));
    let bytes = courses.try_fold(0, add).unwrap_or(u64::MAX);
    if bytes > limit {
        let what = format!("its enrolments take {bytes} bytes");
        return Err(DecodeError::TooLarge { what });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_and_their_rows_count_however_many_there_are() {
        let rows = 1 << 20;
        // A bitmap of all rows, and a list with a time for each.
        let completed = Sizes {
            enrolled: rows as usize,
            sets: [rows as usize, 0, 0, 0],
        };
        let bitmap = Postings::bytes(rows as usize, rows);
        assert_eq!(completed.bytes(rows), bitmap + 8 * u64::from(rows));
        let fits = |limit| fits_memory([completed; 3].into_iter(), rows, limit).is_ok();
        let limit = 3 * completed.bytes(rows);
        assert!(fits(limit) && !fits(limit - 1));
    }
}
