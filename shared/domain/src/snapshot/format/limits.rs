//! The version of the format and the largest file that is read.

/// The version this code writes and the only one it reads.
pub const VERSION: u16 = 2;
/// All columns of a snapshot together may not be larger than this when decoded,
/// nor may its enrolments in memory: a forged file cannot fill the memory.
pub const MAX_DECODED: u64 = 2 << 30;
/// A snapshot may not have more rows than this.
pub const MAX_ROWS: u32 = 1 << 24;
/// The directory may not be longer than this.
pub const MAX_DIRECTORY: u32 = 16 << 20;
