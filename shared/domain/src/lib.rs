//! Decides: who belongs in which group and course, what to change, and why.
//!
//! Nothing here does I/O, reads a clock or draws randomness: time, ids and data
//! come in as arguments, plans and reports go out as values. Modules import
//! upstream only: ids ← snapshot ← rules ← desired ← plan ← report ← notices.

pub mod audit;
mod change;
pub mod closure;
pub mod connection;
pub mod credentials;
pub mod delivery;
pub mod desired;
pub mod directory;
pub mod discrepancies;
pub mod engine;
pub mod enrolment;
pub mod entitlement;
pub mod explain;
pub mod fingerprint;
pub mod hold;
pub mod ids;
pub mod installation;
pub mod lifecycle;
pub mod lint;
pub mod lms;
pub mod notices;
pub mod overrides;
pub mod plan;
pub mod preview;
pub mod problem;
pub mod profile;
pub mod report;
pub mod roster;
pub mod rowset;
pub mod rules;
pub mod run;
pub mod schedule;
pub mod schema;
pub mod search;
pub mod session;
pub mod settings;
pub mod snapshot;
pub mod text;

#[cfg(any(test, feature = "testing"))]
pub mod testing;
