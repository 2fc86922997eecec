//! Errors of the local stack.

use std::io;
use std::path::PathBuf;

/// The first failure, as a message.
pub type Error = Box<dyn std::error::Error + Send + Sync>;

/// An error of a part of the local stack.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LocalError {
    /// A file, folder or process could not be created or read.
    #[error("cannot {task}: {what}")]
    Io {
        /// The task, for example `deploy`.
        task: &'static str,
        /// The attempted action.
        what: String,
        /// The operating system's error.
        #[source]
        source: io::Error,
    },
    /// A program failed.
    #[error("{what}; the whole log is {}:\n{tail}", log.display())]
    Program {
        /// The failure.
        what: String,
        /// The file with the program's complete output.
        log: PathBuf,
        /// The last lines of the file.
        tail: String,
    },
    /// Another program uses the port, usually a running local stack.
    #[error(
        "cannot start the AWS emulator: port {port} is in use; is the local stack already running?"
    )]
    PortInUse {
        /// The requested port, or the port stored in the state folder.
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
    /// Returns an I/O error of a task; `what` is the attempted action.
    pub(crate) fn io(task: &'static str, what: impl Into<String>, source: io::Error) -> Self {
        let what = what.into();
        Self::Io { task, what, source }
    }
}
