//! The HTTP API in process: real tokens against simulated Entra, real state in the emulated table.

mod auth;
mod callback;
mod health;
mod site;
mod tenant;
