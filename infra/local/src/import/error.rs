//! Errors that prevent the import of a folder.

use std::fmt;
use std::io;
use std::path::PathBuf;

/// The reason why nothing was imported.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ImportError {
    /// The folder cannot be listed.
    #[error("cannot read the folder {}", folder.display())]
    Folder {
        /// The folder as specified.
        folder: PathBuf,
        /// The operating system's error.
        #[source]
        source: io::Error,
    },
    /// Required files are missing in the folder.
    #[error(
        "{} lacks {}; if there is nothing to import, add a file with only the header line",
        folder.display(),
        files.join(" and ")
    )]
    MissingFiles {
        /// The folder as specified.
        folder: PathBuf,
        /// The names of all missing files.
        files: Vec<&'static str>,
    },
    /// Several files have the same purpose, and it is unclear which one to use.
    #[error("{} have the same purpose; keep only one of them in the folder", files.join(" and "))]
    SeveralFiles {
        /// The names, sorted.
        files: Vec<String>,
    },
    /// A file exceeds the size limit.
    #[error("{file} has {bytes} bytes; the maximum is {limit}")]
    TooLarge {
        /// The name of the file.
        file: String,
        /// The size in bytes.
        bytes: u64,
        /// The limit in bytes.
        limit: u64,
    },
    /// A file cannot be read.
    #[error("cannot read {file}")]
    Read {
        /// The name of the file.
        file: String,
        /// The operating system's error.
        #[source]
        source: io::Error,
    },
    /// Invalid header lines, one entry per file.
    #[error("{}", sentences(.0))]
    Headers(Vec<HeaderProblem>),
    /// `profiles.json` is not a list of profile drafts.
    #[error("profiles.json must be a JSON list of profile drafts: {problem}")]
    Profiles {
        /// The reason, with line and column if the JSON is invalid.
        problem: String,
    },
}

/// A file with an invalid header line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeaderProblem {
    /// The name of the file.
    pub file: String,
    /// The fault.
    pub fault: HeaderFault,
}

/// A fault of a header line.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum HeaderFault {
    /// Required columns are missing.
    Missing {
        /// All missing columns.
        columns: Vec<String>,
        /// The existing columns.
        found: Vec<String>,
    },
    /// Columns occur more than once.
    Repeated(Vec<String>),
    /// The text is not UTF-8.
    NotUtf8,
    /// A quote in the header is not closed.
    Quotes,
}

impl fmt::Display for HeaderProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let file = &self.file;
        match &self.fault {
            HeaderFault::Missing { columns, found } => {
                let (columns, found) = (columns.join(", "), found.join(", "));
                write!(f, "{file} lacks the columns {columns}; ")?;
                if found.is_empty() {
                    write!(f, "the file is empty")
                } else {
                    write!(f, "its header line has: {found}")
                }
            }
            HeaderFault::Repeated(columns) => {
                write!(f, "{file} has duplicate columns: {}", columns.join(", "))
            }
            HeaderFault::NotUtf8 => {
                write!(
                    f,
                    "{file} is not UTF-8 text; save it as \"CSV UTF-8 (comma delimited)\""
                )
            }
            HeaderFault::Quotes => write!(f, "{file} has a header line with misplaced quotes"),
        }
    }
}

fn sentences(problems: &[HeaderProblem]) -> String {
    let sentences: Vec<String> = problems.iter().map(HeaderProblem::to_string).collect();
    sentences.join("\n")
}
