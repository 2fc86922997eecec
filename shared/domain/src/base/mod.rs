//! Types shared by all contexts: identifiers, problems, text comparison, schedules, runs, row sets.

pub mod audit;
pub mod ids;
pub mod outcome;
pub mod problem;
pub mod rowset;
pub mod run;
pub mod schedule;
pub mod text;
pub mod throttle;
