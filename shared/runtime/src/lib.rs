//! The interface to the environment: Lambda events, settings, caller tokens and problem details.

pub mod auth;
pub mod deadline;
pub mod events;
pub mod logging;
pub mod problem;
pub mod settings;

pub use deadline::Deadline;
pub use events::{Batch, Event, Failure, describe};
pub use problem::ProblemDetails;
pub use settings::{Cloud, Settings};
