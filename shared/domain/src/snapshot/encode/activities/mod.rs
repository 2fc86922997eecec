//! Enrolments as columns: gaps between enrolled rows, a status byte for each, and moments.

mod read;
mod write;

use super::error::DecodeError;
use crate::snapshot::{Enrolments, Postings};

pub(super) use read::read;
pub(super) use write::write;

/// Ids and counts of courses.
const TABLE: &str = "courses";
/// One byte an entry.
const U8: &str = "u8";
/// 16-bit numbers in byte planes.
const U16: &str = "u16";
/// The sets kept as bits of the status: completed, in progress, late, open.
const SETS: usize = 4;

/// Refuses what a reader would not unfold; a writer asks before it writes.
pub(super) fn readable(enrolments: &Enrolments, rows: u32, limit: u64) -> Result<(), DecodeError> {
    let sets = enrolments.iter().flat_map(|(_, course)| {
        [
            &course.enrolled,
            &course.completed,
            &course.in_progress,
            &course.late,
            &course.open,
        ]
    });
    fits_memory(sets.map(Postings::len), rows, limit)
}

/// Refuses sets of so many rows each that would take more than `limit` bytes of
/// memory once they are unfolded.
fn fits_memory(
    mut sets: impl Iterator<Item = usize>,
    rows: u32,
    limit: u64,
) -> Result<(), DecodeError> {
    let add = |sum: u64, set| sum.checked_add(Postings::bytes(set, rows));
    let bytes = sets.try_fold(0, add).unwrap_or(u64::MAX);
    if bytes > limit {
        let what = format!("its enrolments take {bytes} bytes");
        return Err(DecodeError::TooLarge { what });
    }
    Ok(())
}
