//! Connections: the tenant's directory, catalogs' accounts, and what they make possible.

pub(crate) mod entra;
pub(crate) mod list;
pub(crate) mod model;

/// Where the directory is connected (S0-14, S0-18).
pub(crate) const CONNECT: &str = "/v1/connections/entra/connect";
