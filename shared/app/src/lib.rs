//! Use cases shared by several functions: start and record runs, prove consent, use mail accounts,
//! test connections.

pub mod clients;
pub mod connection_test;
pub mod consent;
mod course_sessions;
pub mod directory_sync;
mod entitlements;
pub mod jobs;
pub mod mail_account;
pub mod notify;
pub mod service_app;
pub mod snapshots;

pub use clients::Services;
