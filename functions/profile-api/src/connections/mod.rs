//! Connections of the tenant and the features that require them.

pub(crate) mod entra;
pub(crate) mod list;
pub(crate) mod model;

/// The path to connect the directory (S0-14, S0-18).
pub(crate) const CONNECT: &str = "/v1/connections/entra/connect";
