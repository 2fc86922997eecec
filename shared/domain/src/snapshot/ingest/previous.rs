//! The previous snapshot, as far as a refresh compares with it.

use crate::snapshot::format::{DecodeError, Identity, SnapshotReader};
use crate::snapshot::{Enrolments, Source, TextColumn};

/// A snapshot that is read in parts, so that the old and the new data need not be in memory
/// completely at the same time.
pub trait Previous {
    /// The error with which a part could not be read.
    type Error;

    /// Returns the identity of its rows.
    ///
    /// # Errors
    /// Returns an error if it cannot be read; rows are then renumbered.
    fn identity(&self) -> Result<Identity, Self::Error>;

    /// Returns the sources that have text values.
    fn sources(&self) -> Vec<Source>;

    /// Returns the texts of one source; `None` if it has none.
    ///
    /// # Errors
    /// Returns an error if they cannot be read; every row is then treated as changed.
    fn text(&self, source: &Source) -> Result<Option<TextColumn>, Self::Error>;

    /// Returns all enrolments.
    ///
    /// # Errors
    /// Returns an error if they cannot be read; every row is then treated as changed.
    fn enrolments(&self) -> Result<Enrolments, Self::Error>;
}

/// The file of the previous snapshot; only the requested parts are decompressed.
impl Previous for SnapshotReader<'_> {
    type Error = DecodeError;

    fn identity(&self) -> Result<Identity, DecodeError> {
        SnapshotReader::identity(self)
    }

    fn sources(&self) -> Vec<Source> {
        SnapshotReader::sources(self).collect()
    }

    fn text(&self, source: &Source) -> Result<Option<TextColumn>, DecodeError> {
        SnapshotReader::text(self, source)
    }

    fn enrolments(&self) -> Result<Enrolments, DecodeError> {
        SnapshotReader::enrolments(self)
    }
}
