//! Translates: between Lambda's events, the environment, HTTP and the code that works.
//! It also wires the clients, once per process, from the settings.

pub mod auth;
pub mod deadline;
pub mod events;
pub mod logging;
pub mod problem;
pub mod services;
pub mod settings;

pub use deadline::Deadline;
pub use events::{Batch, Event, Failure};
pub use problem::ProblemDetails;
pub use services::Services;
pub use settings::{Cloud, Settings};
