//! How an emulator runs.

use std::path::PathBuf;

/// The task that errors of the emulator name.
pub(crate) const TASK: &str = "start the AWS emulator";

/// How an emulator runs.
#[derive(Debug, Clone)]
pub struct EmulatorOptions {
    /// Folder that keeps tables, objects, secrets, queues and the stack from one
    /// run to the next; `None` forgets them. Written at `Emulator::stop`, not
    /// before: a killed emulator forgets what this run did. The folder belongs to
    /// one port, which it remembers, since queues and the deployed functions are
    /// known by address.
    pub state: Option<PathBuf>,
    /// AWS region, for example `eu-west-1`.
    pub region: String,
    /// Receives what the emulator and the Lambda functions print; emptied first.
    pub log: PathBuf,
    /// Loopback port; `None` takes the one of `state`, or a free one.
    pub port: Option<u16>,
}
