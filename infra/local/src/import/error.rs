//! What makes a whole folder unusable.

use std::fmt;
use std::io;
use std::path::PathBuf;

/// Why nothing was imported.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ImportError {
    /// The folder cannot be listed.
    #[error("cannot read the folder {}", folder.display())]
    Folder {
        /// The folder as given.
        folder: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// Files that every import needs are not in the folder.
    #[error(
        "{} lacks {}; where there is nothing to import, a file with only its header line will do",
        folder.display(),
        files.join(" and ")
    )]
    MissingFiles {
        /// The folder as given.
        folder: PathBuf,
        /// The names looked for, all that are missing.
        files: Vec<&'static str>,
    },
    /// Two files hold the same thing, and nothing says which is meant.
    #[error("{} hold the same thing; keep one of them in the folder", files.join(" and "))]
    SeveralFiles {
        /// Their names, sorted.
        files: Vec<String>,
    },
    /// A file is larger than an import takes.
    #[error("{file} has {bytes} bytes; at most {limit} are read")]
    TooLarge {
        /// Its name.
        file: String,
        /// Its size in bytes.
        bytes: u64,
        /// The largest size in bytes.
        limit: u64,
    },
    /// A file cannot be read.
    #[error("cannot read {file}")]
    Read {
        /// Its name.
        file: String,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// Header lines that do not say what the columns are; one entry per file.
    #[error("{}", sentences(.0))]
    Headers(Vec<HeaderProblem>),
    /// `profiles.json` is no list of profile drafts.
    #[error("profiles.json must be a JSON list of profile drafts: {problem}")]
    Profiles {
        /// What it is instead, with line and column where the JSON is broken.
        problem: String,
    },
}

/// A file whose header line cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeaderProblem {
    /// Name of the file.
    pub file: String,
    /// What is wrong.
    pub fault: HeaderFault,
}

/// What is wrong with a header line.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum HeaderFault {
    /// Required columns are missing.
    Missing {
        /// All that are missing.
        columns: Vec<String>,
        /// The columns that are there.
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
                write!(f, "{file} has columns twice: {}", columns.join(", "))
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
