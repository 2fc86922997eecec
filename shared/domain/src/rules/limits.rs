//! Limits of rules.

/// Maximum depth of groups; deeper trees are never intended and need stack space.
pub const MAX_DEPTH: usize = 32;
/// Maximum number of rules and groups of a section.
pub const MAX_NODES: usize = 2_000;
/// Maximum number of values in an `in` list.
pub const MAX_LIST: usize = 200_000;
/// Maximum length of a compared text in characters; no directory attribute is longer.
pub const MAX_TEXT: usize = 1_024;
/// Maximum length of a pattern in characters.
pub const MAX_PATTERN: usize = 512;
/// Maximum size of a compiled pattern in bytes: `(a{1000}){1000}` is rejected, not run.
pub const MAX_PATTERN_BYTES: usize = 1 << 20;
/// Maximum number of days in a relative date (a hundred years).
pub const MAX_DAYS: u32 = 36_525;
/// Default number of days of `completedInLast` (S4-087).
pub const DEFAULT_RECENT_DAYS: u32 = 30;
