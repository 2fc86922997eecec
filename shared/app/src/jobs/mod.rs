//! Runs of jobs: how they are requested, locked, executed within their budget, recorded and
//! continued.

pub mod budget;
pub mod job_run;
pub mod lifecycle;
pub mod request;
