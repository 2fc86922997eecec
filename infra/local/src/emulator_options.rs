//! Options of the emulator.

use std::path::PathBuf;

/// The task named in errors of the emulator.
pub(crate) const TASK: &str = "start the AWS emulator";

/// The options of an emulator.
#[derive(Debug, Clone)]
pub struct EmulatorOptions {
    /// Folder that stores tables, objects, secrets, queues and the stack between runs; `None`
    /// stores nothing. It is written by `Emulator::stop` only, so a killed emulator loses the
    /// changes of its run. A folder is bound to one port, because queues and deployed functions are
    /// stored with their addresses.
    pub state: Option<PathBuf>,
    /// AWS region, for example `eu-west-1`.
    pub region: String,
    /// File for the output of the emulator and the Lambda functions; it is truncated first.
    pub log: PathBuf,
    /// Loopback port; by default the port of `state`, or a free one.
    pub port: Option<u16>,
}
