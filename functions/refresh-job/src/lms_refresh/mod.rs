//! The refresh of a tenant's LMS data: ingest every set, build a snapshot, publish it.

mod error;
mod ingest;
mod publish;
pub(crate) mod run;
