//! Enrolments as columns: gaps between enrolled rows, a status byte for each, and moments.

mod read;
mod write;

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
