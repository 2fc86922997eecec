//! The version of the format and the limits on a file that is read.

/// The version that this code writes, and the only one it reads.
pub const VERSION: u16 = 2;
/// The maximum size in bytes of all decoded columns together, and of the enrolments in memory. It
/// prevents a forged file from exhausting the memory.
pub const MAX_DECODED: u64 = 2 << 30;
/// The maximum number of rows.
pub const MAX_ROWS: u32 = 1 << 24;
/// The maximum size of the directory in bytes.
pub const MAX_DIRECTORY: u32 = 16 << 20;
