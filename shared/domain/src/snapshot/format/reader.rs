//! Reads single columns of a file, each checked before it is used.

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

/// A snapshot file of which only the directory has been read. Columns are read
/// when asked for, so that a refresh can compare with the snapshot before it
/// without holding all of that one in memory.
#[derive(Debug)]
pub struct SnapshotReader<'a> {
    file: ColumnFile<'a>,
}

impl<'a> SnapshotReader<'a> {
    /// Reads the directory.
    ///
    /// # Errors
    /// When the bytes are no snapshot, are cut, are of another version, or hold
    /// a column that must be understood and is not known. Damage within columns
    /// shows when they are read.
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

    /// Reads the directory whether or not the columns are known and complete.
    pub(in crate::snapshot) fn open_leniently(file: &'a [u8]) -> Result<Self, DecodeError> {
        let file = ColumnFile::open(file)?;
        Ok(Self { file })
    }

    /// What the snapshot is.
    pub fn header(&self) -> &Header {
        self.file.header()
    }

    /// What the row numbers mean.
    pub fn lineage(&self) -> &Lineage {
        self.file.lineage()
    }

    /// How many rows there are, empty ones included.
    pub fn rows(&self) -> u32 {
        self.file.rows()
    }

    /// How many enrolments of people the platform listed.
    pub fn enrolment_count(&self) -> u64 {
        self.file.enrolment_count()
    }

    /// What the directory says about the columns.
    pub(in crate::snapshot) fn columns(&self) -> &[Column] {
        self.file.columns()
    }

    /// Who the rows are.
    ///
    /// # Errors
    /// When one of the columns is damaged or does not fit the others.
    pub fn identity(&self) -> Result<Identity, DecodeError> {
        people::read(&self.file)
    }

    /// The sources there are texts of.
    pub fn sources(&self) -> impl Iterator<Item = Source> {
        self.kinds().filter_map(|kind| match kind {
            ColumnKind::Text(source) => Some(source),
            ColumnKind::Date(_) | ColumnKind::Fixed => None,
        })
    }

    /// The sources there are moments of.
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

    /// The texts of a source; `None` when the snapshot has no such column.
    ///
    /// # Errors
    /// When the column is damaged or does not fit the rows.
    pub fn text(&self, source: &Source) -> Result<Option<TextColumn>, DecodeError> {
        let rows = self.rows() as usize;
        self.file.optional(&names::text(source), TEXTS, |cursor| {
            read_texts(cursor, rows)
        })
    }

    /// The moments of a source; `None` when the snapshot has no such column.
    ///
    /// # Errors
    /// When the column is damaged or does not fit the rows.
    pub fn dates(&self, source: &Source) -> Result<Option<DateColumn>, DecodeError> {
        let rows = self.rows() as usize;
        self.file.optional(&names::date(source), MOMENTS, |cursor| {
            read_moments(cursor, rows)
        })
    }

    /// The enrolments.
    ///
    /// # Errors
    /// When one of the columns is damaged or does not fit the others.
    pub fn enrolments(&self) -> Result<Enrolments, DecodeError> {
        activities::read(&self.file)
    }

    /// Everything small about the platform.
    pub(in crate::snapshot) fn platform(&self) -> Result<Platform, DecodeError> {
        platform::read(&self.file)
    }

    /// Checks one column by itself and answers how many distinct values it has
    /// and how many rows have none, where that is known.
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
