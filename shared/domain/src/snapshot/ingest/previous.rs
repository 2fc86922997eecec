//! The snapshot before this one, as far as a refresh compares with it.

use crate::snapshot::format::{DecodeError, Identity, SnapshotReader};
use crate::snapshot::{Enrolments, Source, TextColumn};

/// A snapshot that is read piece by piece, so that old and new data need not be
/// in memory as a whole at once.
pub trait Previous {
    /// Why a piece could not be read.
    type Error;

    /// Who had which row.
    ///
    /// # Errors
    /// When it cannot be read; then rows are numbered anew.
    fn identity(&self) -> Result<Identity, Self::Error>;

    /// The sources of text values it has.
    fn sources(&self) -> Vec<Source>;

    /// The texts of one source; `None` when it has none.
    ///
    /// # Errors
    /// When they cannot be read; then every row counts as changed.
    fn text(&self, source: &Source) -> Result<Option<TextColumn>, Self::Error>;

    /// All enrolments.
    ///
    /// # Errors
    /// When they cannot be read; then every row counts as changed.
    fn enrolments(&self) -> Result<Enrolments, Self::Error>;
}

/// The file of the snapshot before, from which only what is asked for is unpacked.
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
