//! Limits of what rules may say.

/// Groups may nest this deep; deeper trees are nobody's intention and cost stack.
pub const MAX_DEPTH: usize = 32;
/// A section may hold this many rules and groups together.
pub const MAX_NODES: usize = 2_000;
/// An `in` list may hold this many values.
pub const MAX_LIST: usize = 200_000;
/// A compared text may be this many characters long; no directory attribute is longer.
pub const MAX_TEXT: usize = 1_024;
/// A pattern may be this many characters long.
pub const MAX_PATTERN: usize = 512;
/// A compiled pattern may take this many bytes: `(a{1000}){1000}` is refused, not run.
pub const MAX_PATTERN_BYTES: usize = 1 << 20;
/// A relative date reaches at most this many days (a hundred years).
pub const MAX_DAYS: u32 = 36_525;
/// Days of `completedInLast` when the rule gives none (S4-087).
pub const DEFAULT_RECENT_DAYS: u32 = 30;
