//! Reads single columns of a file, each checked before use.

use super::activities;
use super::column_file::ColumnFile;
use super::error::DecodeError;
use super::names::{self, ColumnKind, FIXED, OBJECT_IDS};
use super::people::{self, Identity};
use super::platform::{self, Platform};
use super::section_table::Column;
use super::values::{MOMENTS, TEXTS, read_moments, read_texts};
use crate::snapshot::codes::MISSING;
use crate::snapshot::{DateColumn, Enrolments, Header, Lineage, Source, TextColumn};

/// A snapshot file of which only the directory was read. Columns are read on request, so that a
/// refresh can compare with the previous snapshot without holding all of it in memory.
#[derive(Debug)]
pub struct SnapshotReader<'a> {
    file: ColumnFile<'a>,
}

impl<'a> SnapshotReader<'a> {
    /// Reads the directory.
    ///
    /// # Errors
    /// Returns an error if the bytes are not a snapshot, are truncated or of another version, or if
    /// a required column is missing or unknown. Damage within columns is detected when they are
    /// read.
    pub fn open(file: &'a [u8]) -> Result<Self, DecodeError> {
        let reader = Self::open_leniently(file)?;
        for column in reader.columns() {
            if column.required && names::kind(&column.name).is_none() {
                return Err(DecodeError::UnknownColumn {
                    column: column.name.clone(),
                });
            }
        }
        for name in FIXED {
            reader.file.find(name)?;
        }
        Ok(reader)
    }

    /// Reads the directory, even if columns are unknown or missing.
    pub(in crate::snapshot) fn open_leniently(file: &'a [u8]) -> Result<Self, DecodeError> {
        let file = ColumnFile::open(file)?;
        Ok(Self { file })
    }

    /// Returns identity and time of the snapshot.
    pub fn header(&self) -> &Header {
        self.file.header()
    }

    /// Returns the lineage that defines the row numbers.
    pub fn lineage(&self) -> &Lineage {
        self.file.lineage()
    }

    /// Returns the number of rows, including empty ones.
    pub fn rows(&self) -> u32 {
        self.file.rows()
    }

    /// Returns the number of learner enrolments that the platform listed.
    pub fn enrolment_count(&self) -> u64 {
        self.file.enrolment_count()
    }

    /// Returns the columns' entries in the directory.
    pub(in crate::snapshot) fn columns(&self) -> &[Column] {
        self.file.columns()
    }

    /// Reads the identity of the rows.
    ///
    /// # Errors
    /// Returns an error if one of the columns is damaged or contradicts the others.
    pub fn identity(&self) -> Result<Identity, DecodeError> {
        people::read(&self.file)
    }

    /// Returns the sources with a text column.
    pub fn sources(&self) -> impl Iterator<Item = Source> {
        self.kinds().filter_map(|kind| match kind {
            ColumnKind::Text(source) => Some(source),
            ColumnKind::Date(_) | ColumnKind::Fixed => None,
        })
    }

    /// Returns the sources with a date column.
    pub fn date_sources(&self) -> impl Iterator<Item = Source> {
        self.kinds().filter_map(|kind| match kind {
            ColumnKind::Date(source) => Some(source),
            ColumnKind::Text(_) | ColumnKind::Fixed => None,
        })
    }

    fn kinds(&self) -> impl Iterator<Item = ColumnKind> {
        let columns = self.columns().iter();
        columns.filter_map(|column| names::kind(&column.name))
    }

    /// Reads the texts of a source; `None` if the snapshot does not have the column.
    ///
    /// # Errors
    /// Returns an error if the column is damaged or does not match the rows.
    pub fn text(&self, source: &Source) -> Result<Option<TextColumn>, DecodeError> {
        let rows = self.rows() as usize;
        self.file.optional(&names::text(source), TEXTS, |cursor| {
            read_texts(cursor, rows)
        })
    }

    /// Reads the times of a source; `None` if the snapshot does not have the column.
    ///
    /// # Errors
    /// Returns an error if the column is damaged or does not match the rows.
    pub fn dates(&self, source: &Source) -> Result<Option<DateColumn>, DecodeError> {
        let rows = self.rows() as usize;
        self.file.optional(&names::date(source), MOMENTS, |cursor| {
            read_moments(cursor, rows)
        })
    }

    /// Reads the enrolments.
    ///
    /// # Errors
    /// Returns an error if one of the columns is damaged or contradicts the others.
    pub fn enrolments(&self) -> Result<Enrolments, DecodeError> {
        activities::read(&self.file)
    }

    /// Reads the small data of the platform.
    pub(in crate::snapshot) fn platform(&self) -> Result<Platform, DecodeError> {
        platform::read(&self.file)
    }

    /// Checks a single column and returns the number of its distinct values and of rows without a
    /// value, if known.
    pub(in crate::snapshot) fn check(
        &self,
        column: &Column,
    ) -> Result<(Option<u32>, Option<u32>), DecodeError> {
        match names::kind(&column.name) {
            None if column.required => Err(DecodeError::UnknownColumn {
                column: column.name.clone(),
            }),
            Some(ColumnKind::Text(source)) => {
                Ok(self.text(&source)?.map_or((None, None), |texts| {
                    let missing = texts.codes().count(MISSING);
                    (Some(texts.dictionary().len()), Some(missing))
                }))
            }
            Some(ColumnKind::Date(source)) => {
                Ok(self.dates(&source)?.map_or((None, None), |dates| {
                    let distinct = u32::try_from(dates.moments().len()).ok();
                    (distinct, Some(dates.codes().count(MISSING)))
                }))
            }
            Some(ColumnKind::Fixed) if column.name == OBJECT_IDS => {
                let objects = people::object_ids(&self.file)?;
                let missing = objects.iter().filter(|object| object.is_none()).count();
                Ok((None, u32::try_from(missing).ok()))
            }
            None | Some(ColumnKind::Fixed) => self.file.stored(column).map(|_| (None, None)),
        }
    }
}
