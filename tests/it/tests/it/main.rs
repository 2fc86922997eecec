//! The integration tests: jobs and API in process, against the emulated AWS services and the
//! simulated world, with a separate tenant for each test.

// The SDK's futures exceed the compiler's default nesting limit.
#![recursion_limit = "256"]

mod admin;
mod api;
mod browser;
mod connections;
mod deployed;
mod directory_sync;
mod frozen;
mod harness;
mod lifecycle;
mod maintenance;
mod node;
mod notifier;
mod oidc;
mod published;
mod refresh;
mod scim_foreign;
