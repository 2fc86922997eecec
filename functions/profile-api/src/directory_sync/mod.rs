//! The directory sync: its configuration, its status, its runs, and the decisions about its changes.

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

/// The subject under which the audit knows it.
const SUBJECT: (&str, &str) = ("directory-sync", "Directory sync");
