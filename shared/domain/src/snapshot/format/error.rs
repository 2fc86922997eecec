//! The reasons why bytes cannot be read as a snapshot.

use super::limits::{MAX_DECODED, MAX_DIRECTORY, MAX_ROWS, VERSION};

/// The reason why bytes cannot be read as a snapshot.
#[derive(Debug, thiserror::Error)]
pub enum DecodeError {
    /// The file is not a snapshot.
    #[error("this is not a snapshot: it does not begin with RCSNAP")]
    NotASnapshot,
    /// Written with another format version.
    #[error("the snapshot has format version {found}, this program reads version {VERSION}")]
    Version {
        /// The version found.
        found: u16,
    },
    /// The file is truncated.
    #[error("the snapshot is truncated: it does not end with RCSNAP")]
    Cut,
    /// The checksum of the directory does not match.
    #[error("the snapshot is damaged: the checksum of its directory does not match")]
    DirectoryChecksum,
    /// The directory is undamaged but invalid.
    #[error("the snapshot's directory is invalid: {0}")]
    Directory(String),
    /// The checksum of a column does not match.
    #[error("the snapshot is damaged: the checksum of column {column} does not match")]
    Damaged {
        /// The damaged column.
        column: String,
    },
    /// A required column that this program does not know.
    #[error("the snapshot needs a newer program: column {column} is unknown")]
    UnknownColumn {
        /// The unknown name.
        column: String,
    },
    /// A known column in an encoding that this program does not know.
    #[error(
        "the snapshot needs a newer program: column {column} is encoded as {found:?}, this program reads {known:?}"
    )]
    UnknownEncoding {
        /// The column.
        column: String,
        /// The encoding found.
        found: String,
        /// The encoding that can be read.
        known: &'static str,
    },
    /// A column that every snapshot must have is missing.
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
        /// The error of zstd.
        #[source]
        source: std::io::Error,
    },
    /// A column's content is invalid or contradicts the other columns.
    #[error("column {column} of the snapshot is invalid: {why}")]
    Content {
        /// The column.
        column: String,
        /// The contradiction.
        why: String,
    },
    /// The snapshot exceeds a limit: see [`MAX_DECODED`], [`MAX_ROWS`], [`MAX_DIRECTORY`].
    #[error(
        "the snapshot is too large: {what} (limits: {MAX_ROWS} rows, {MAX_DECODED} bytes decoded, {MAX_DIRECTORY} bytes of directory)"
    )]
    TooLarge {
        /// The value that exceeds a limit.
        what: String,
    },
}

impl DecodeError {
    /// Returns the column that caused the error, if it was a single one.
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

    /// Returns an error about the content of a column.
    pub(super) fn content(column: &str, why: impl ToString) -> Self {
        Self::Content {
            column: column.to_owned(),
            why: why.to_string(),
        }
    }
}
