//! Data that the API caches in memory between requests.

pub(crate) mod admin_activity;
pub(crate) mod entitlements;
pub(crate) mod snapshots;
