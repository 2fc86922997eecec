//! The directory sync: its configuration, status, runs and the decisions on its changes.

pub(crate) mod changes;
pub(crate) mod connect;
mod edit;
mod guards;
mod input;
pub(crate) mod lifecycle;
mod model;
pub(crate) mod operator_schedule;
mod persist;
pub(crate) mod pins;
pub(crate) mod review;
mod run_view;
pub(crate) mod runs;
pub(crate) mod save;
pub(crate) mod show;

/// The id and name of the sync in the audit log.
const SUBJECT: (&str, &str) = ("directory-sync", "Directory sync");
