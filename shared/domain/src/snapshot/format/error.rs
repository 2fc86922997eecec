//! Why bytes are not a snapshot this program can use.

use super::limits::{MAX_DECODED, MAX_DIRECTORY, MAX_ROWS, VERSION};

/// Why bytes are no snapshot.
#[derive(Debug, thiserror::Error)]
pub enum DecodeError {
    /// Not one of our files.
    #[error("this is not a snapshot: it does not begin with RCSNAP")]
    NotASnapshot,
    /// Written by another version.
    #[error("the snapshot has format version {found}, this program reads version {VERSION}")]
    Version {
        /// The version found.
        found: u16,
    },
    /// The end is missing.
    #[error("the snapshot is cut short: it does not end with RCSNAP")]
    Cut,
    /// The directory's bytes changed since they were written.
    #[error("the snapshot is damaged: the checksum of its directory does not match")]
    DirectoryChecksum,
    /// The directory is whole but says something impossible.
    #[error("the snapshot's directory is wrong: {0}")]
    Directory(String),
    /// A column's bytes changed since they were written.
    #[error("the snapshot is damaged: the checksum of column {column} does not match")]
    Damaged {
        /// The damaged column.
        column: String,
    },
    /// A column this program must understand and does not know.
    #[error("the snapshot needs a newer program: it does not know column {column}")]
    UnknownColumn {
        /// The name nobody here knows.
        column: String,
    },
    /// A known column written in a way this program does not know.
    #[error(
        "the snapshot needs a newer program: column {column} is encoded as {found:?}, known is {known:?}"
    )]
    UnknownEncoding {
        /// The column.
        column: String,
        /// How it is written.
        found: String,
        /// What can be read.
        known: &'static str,
    },
    /// A column every snapshot has is not there.
    #[error("the snapshot is incomplete: column {column} is missing")]
    Missing {
        /// The column.
        column: String,
    },
    /// A column does not decompress to the length it declares.
    #[error("column {column} of the snapshot cannot be decompressed")]
    Compression {
        /// The column.
        column: String,
        /// What zstd says.
        #[source]
        source: std::io::Error,
    },
    /// A column's content contradicts itself or the other columns.
    #[error("column {column} of the snapshot is wrong: {why}")]
    Content {
        /// The column.
        column: String,
        /// What does not fit.
        why: String,
    },
    /// Larger than any real one: see [`MAX_DECODED`], [`MAX_ROWS`], [`MAX_DIRECTORY`].
    #[error(
        "the snapshot is too large: {what} (limits: {MAX_ROWS} rows, {MAX_DECODED} bytes decoded, {MAX_DIRECTORY} bytes of directory)"
    )]
    TooLarge {
        /// What is.
        what: String,
    },
}

impl DecodeError {
    /// The column at fault, where it is one.
    pub fn column(&self) -> Option<&str> {
        match self {
            Self::Damaged { column }
            | Self::UnknownColumn { column }
            | Self::UnknownEncoding { column, .. }
            | Self::Missing { column }
            | Self::Compression { column, .. }
            | Self::Content { column, .. } => Some(column),
            _ => None,
        }
    }

    /// A column whose content does not fit.
    pub(super) fn content(column: &str, why: impl ToString) -> Self {
        Self::Content {
            column: column.to_owned(),
            why: why.to_string(),
        }
    }
}
