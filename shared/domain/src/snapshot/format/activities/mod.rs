//! Enrolments as columns: gaps between enrolled rows, a status byte for each row, and times.

mod read;
mod sizes;
mod write;

pub(super) use read::read;
pub(super) use sizes::readable;
pub(super) use write::write;
