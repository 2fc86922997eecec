//! Runs of jobs: how they are requested, locked, carried out within their budget, recorded and continued.

pub mod budget;
pub mod lifecycle;
pub mod request;
