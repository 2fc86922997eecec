//! The whole service on one machine: emulator, simulated world, sam deploy, demo.

pub mod cast;
pub mod demo;
pub mod deploy;
pub mod describe;
pub mod drafts;
pub mod emulator;
mod emulator_api;
pub mod import;
pub mod landing;
pub mod mails;
pub mod own_app;
mod port;
mod process;
pub mod processes;
pub mod ready_made;
pub mod sample;
pub mod scene;
pub mod stack;
pub mod summary;
pub mod tenant;
pub mod tools;
pub mod visitor;
