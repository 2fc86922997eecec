//! What can go wrong with the local stack.

use std::io;
use std::path::PathBuf;

/// The first thing that did not work, in words.
pub type Error = Box<dyn std::error::Error + Send + Sync>;

/// Why a part of the local stack does not work.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LocalError {
    /// A file, folder or process could not be created or read.
    #[error("cannot {task}: {what}")]
    Io {
        /// The task, for example `deploy`.
        task: &'static str,
        /// What was tried.
        what: String,
        /// What the system returned.
        #[source]
        source: io::Error,
    },
    /// A program failed.
    #[error("{what}; the whole log is {}:\n{tail}", log.display())]
    Program {
        /// What happened.
        what: String,
        /// Everything it printed.
        log: PathBuf,
        /// The last lines of the log.
        tail: String,
    },
    /// Another program has the port. Mostly it is the local stack, still running.
    #[error(
        "cannot start the AWS emulator: port {port} is in use; does the local stack already run?"
    )]
    PortInUse {
        /// The requested port, or the one that the state folder remembers.
        port: u16,
    },
    /// The emulator did not answer, or rejected a request.
    #[error("cannot deploy: the emulator fails to {what}")]
    Emulator {
        /// The request.
        what: &'static str,
        /// The HTTP error.
        #[source]
        source: reqwest::Error,
    },
    /// The template declares no such output.
    #[error("the deployed stack has no output {0}; does template.yaml still declare it?")]
    NoOutput(&'static str),
}

impl LocalError {
    /// An I/O error during a task, with what was tried.
    pub(crate) fn io(task: &'static str, what: impl Into<String>, source: io::Error) -> Self {
        let what = what.into();
        Self::Io { task, what, source }
    }
}
