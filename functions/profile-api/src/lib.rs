//! The HTTP API administrators use.
