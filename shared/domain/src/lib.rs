//! The pure core of Rollcall: determines members and enrolments and plans the changes.
//!
//! Nothing here does I/O, reads a clock or draws randomness: time, identifiers and data
//! come in as arguments; plans and reports are returned as values. The nine contexts
//! import upstream only, in this order: `base`, `snapshot`, `rules`, `audience`,
//! `membership`, then `connection`, `directory_sync` and `course_session`, then `notices`.

pub mod audience;
pub mod base;
pub mod connection;
pub mod course_session;
pub mod directory_sync;
pub mod membership;
pub mod notices;
pub mod rules;
pub mod snapshot;

#[cfg(any(test, feature = "testing"))]
pub mod testing;
