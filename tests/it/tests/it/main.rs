//! The integration tests: jobs and API in process, against the emulated AWS
//! services and the simulated outside world, every test its own tenant.

// The futures of the SDK nest deeper than the compiler expects.
#![recursion_limit = "256"]

mod admin;
mod api;
mod browser;
mod connections;
mod deployed;
mod directory_sync;
mod harness;
mod maintenance;
mod node;
mod notifier;
mod oidc;
mod published;
mod refresh;
mod scim_foreign;
