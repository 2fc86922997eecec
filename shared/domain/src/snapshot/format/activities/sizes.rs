//! Encodings of the enrolment columns, and how much memory they need once decoded.

use super::super::error::DecodeError;
use crate::snapshot::{Enrolments, Postings};

/// Ids and counts of courses.
pub(super) const TABLE: &str = "courses";
/// One byte an entry.
pub(super) const U8: &str = "u8";
/// 16-bit numbers in byte planes.
pub(super) const U16: &str = "u16";
/// The sets kept as bits of the status: completed, in progress, late, open.
pub(super) const SETS: usize = 4;

/// Refuses what a reader would not unfold; a writer asks before it writes.
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

/// How many rows each set of a course has.
#[derive(Clone, Copy)]
pub(super) struct Sizes {
    pub(super) enrolled: usize,
    pub(super) sets: [usize; SETS],
}

impl Sizes {
    /// How many bytes they take in memory.
    fn bytes(self, rows: u32) -> u64 {
        let [completed, in_progress, late, open] = self.sets;
        let plain = [self.enrolled, in_progress, late].map(|set| Postings::bytes(set, rows));
        // Rows that moments stand beside are lists however many there are: four
        // bytes for the row and four for the moment.
        let dated = [completed, open].map(|set| set as u64 * 8);
        let all = plain.into_iter().chain(dated);
        all.fold(0, u64::saturating_add)
    }
}

/// Refuses courses that would take more than `limit` bytes of memory once they
/// are unfolded.
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
        // A bitmap of all rows, and a list with a moment for each.
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
