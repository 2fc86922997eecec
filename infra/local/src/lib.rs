//! The complete service on one machine: emulator, simulated world, deployment, demo.

pub mod demo;
pub mod demo_options;
pub mod demo_world;
pub mod deploy;
pub mod describe;
pub mod drafts;
pub mod emulator;
mod emulator_api;
pub mod emulator_options;
pub mod error;
pub mod import;
pub mod landing;
pub mod mails;
pub mod personas;
pub mod playground;
mod port;
mod process;
pub mod processes;
pub mod sample;
pub mod sample_profiles;
pub mod service_app;
pub mod stack;
pub mod summary;
pub mod tenant;
pub mod tools;
