//! The whole service on one machine: emulator, simulated world, sam deploy, demo.

pub mod deploy;
pub mod emulator;
mod emulator_api;
mod port;
mod process;
pub mod tools;
