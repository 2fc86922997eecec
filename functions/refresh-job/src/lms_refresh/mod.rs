//! The refresh of a tenant's LMS data: ingest every set, build a snapshot, publish it.

pub(crate) mod ingest;
pub(crate) mod publish;
pub(crate) mod run;
