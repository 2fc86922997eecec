//! Runs of jobs: how they are requested, postponed and carried out.

pub mod request;
