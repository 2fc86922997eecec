//! Reads single columns of a file, each checked before it is used.

use std::collections::BTreeMap;

use super::activities;
use super::error::DecodeError;
use super::names::{self, ColumnKind, FIXED, OBJECT_IDS};
use super::numbers::Cursor;
use super::people::{self, Identity};
use super::platform::{self, Platform};
use super::section_table::{Column, SectionTable, checksum};
use super::values::{MOMENTS, TEXTS, read_moments, read_texts};
use crate::snapshot::codes::MISSING;
use crate::snapshot::{DateColumn, Enrolments, Header, Lineage, Source, TextColumn};

/// A snapshot file of which only the directory has been read. Columns are read
/// when asked for, so that a refresh can compare with the snapshot before it
/// without holding all of that one in memory.
#[derive(Debug)]
pub struct SnapshotReader<'a> {
    file: &'a [u8],
    directory: SectionTable,
    columns: BTreeMap<String, usize>,
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
        for column in &reader.directory.columns {
            if column.required && names::kind(&column.name).is_none() {
                return Err(DecodeError::UnknownColumn {
                    column: column.name.clone(),
                });
            }
        }
        for name in FIXED {
            reader.find(name)?;
        }
        Ok(reader)
    }

    /// Reads the directory whether or not the columns are known and complete.
    pub(in crate::snapshot) fn open_leniently(file: &'a [u8]) -> Result<Self, DecodeError> {
        let directory = SectionTable::read(file)?;
        let names = directory.columns.iter().map(|column| column.name.clone());
        Ok(Self {
            columns: names.zip(0..).collect(),
            file,
            directory,
        })
    }

    /// What the snapshot is.
    pub fn header(&self) -> &Header {
        &self.directory.header
    }

    /// What the row numbers mean.
    pub fn lineage(&self) -> &Lineage {
        &self.directory.lineage
    }

    /// How many rows there are, empty ones included.
    pub fn rows(&self) -> u32 {
        self.directory.rows
    }

    /// Who the rows are.
    ///
    /// # Errors
    /// When one of the columns is damaged or does not fit the others.
    pub fn identity(&self) -> Result<Identity, DecodeError> {
        people::read(self)
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
        let columns = self.directory.columns.iter();
        columns.filter_map(|column| names::kind(&column.name))
    }

    /// The texts of a source; `None` when the snapshot has no such column.
    ///
    /// # Errors
    /// When the column is damaged or does not fit the rows.
    pub fn text(&self, source: &Source) -> Result<Option<TextColumn>, DecodeError> {
        let rows = self.rows() as usize;
        self.optional(&names::text(source), TEXTS, |cursor| {
            read_texts(cursor, rows)
        })
    }

    /// The moments of a source; `None` when the snapshot has no such column.
    ///
    /// # Errors
    /// When the column is damaged or does not fit the rows.
    pub fn dates(&self, source: &Source) -> Result<Option<DateColumn>, DecodeError> {
        let rows = self.rows() as usize;
        self.optional(&names::date(source), MOMENTS, |cursor| {
            read_moments(cursor, rows)
        })
    }

    /// The enrolments.
    ///
    /// # Errors
    /// When one of the columns is damaged or does not fit the others.
    pub fn enrolments(&self) -> Result<Enrolments, DecodeError> {
        activities::read(self)
    }

    /// How many enrolments of people the platform listed.
    pub fn enrolment_count(&self) -> u64 {
        self.directory.enrolments
    }

    /// What the directory says about the columns.
    pub(in crate::snapshot) fn columns(&self) -> &[Column] {
        &self.directory.columns
    }

    /// Everything small about the platform.
    pub(in crate::snapshot) fn platform(&self) -> Result<Platform, DecodeError> {
        platform::read(self)
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
                let objects = people::object_ids(self)?;
                let missing = objects.iter().filter(|object| object.is_none()).count();
                Ok((None, u32::try_from(missing).ok()))
            }
            None | Some(ColumnKind::Fixed) => self.stored(column).map(|_| (None, None)),
        }
    }

    /// Reads a column that must be there, whole.
    pub(super) fn column<T>(
        &self,
        name: &str,
        encoding: &'static str,
        read: impl FnOnce(&mut Cursor<'_>) -> Option<T>,
    ) -> Result<T, DecodeError> {
        let raw = self.raw(name, encoding)?;
        let mut cursor = Cursor::new(&raw);
        read(&mut cursor)
            .filter(|_| cursor.is_at_end())
            .ok_or_else(|| {
                let why = format!("it does not hold what {encoding:?} of this many rows means");
                DecodeError::content(name, why)
            })
    }

    /// How many entries a column declares.
    pub(super) fn entries(&self, name: &str) -> Result<usize, DecodeError> {
        let entries = self.find(name)?.entries;
        usize::try_from(entries).map_err(|_| DecodeError::content(name, "it has too many entries"))
    }

    fn optional<T>(
        &self,
        name: &str,
        encoding: &'static str,
        read: impl FnOnce(&mut Cursor<'_>) -> Option<T>,
    ) -> Result<Option<T>, DecodeError> {
        if !self.columns.contains_key(name) {
            return Ok(None);
        }
        self.column(name, encoding, read).map(Some)
    }

    /// A column's bytes, decompressed.
    pub(super) fn raw(&self, name: &str, encoding: &'static str) -> Result<Vec<u8>, DecodeError> {
        let column = self.find(name)?;
        if column.encoding != encoding {
            return Err(DecodeError::UnknownEncoding {
                column: name.to_owned(),
                found: column.encoding.clone(),
                known: encoding,
            });
        }
        let stored = self.stored(column)?;
        let raw = usize::try_from(column.raw).unwrap_or(usize::MAX);
        let found =
            zstd::bulk::decompress(stored, raw).map_err(|source| DecodeError::Compression {
                column: name.to_owned(),
                source,
            })?;
        if found.len() != raw {
            let why = format!("it has {} bytes decoded and declares {raw}", found.len());
            return Err(DecodeError::content(name, why));
        }
        Ok(found)
    }

    /// A column's bytes as they stand in the file, if they are undamaged.
    pub(super) fn stored(&self, column: &Column) -> Result<&'a [u8], DecodeError> {
        let damaged = || DecodeError::Damaged {
            column: column.name.clone(),
        };
        let from = usize::try_from(column.offset).map_err(|_| damaged())?;
        let length = usize::try_from(column.stored).map_err(|_| damaged())?;
        let stored = self.file.get(from..).and_then(|rest| rest.get(..length));
        let stored = stored.ok_or_else(damaged)?;
        if checksum(stored) != column.xxh3 {
            return Err(damaged());
        }
        Ok(stored)
    }

    /// What the directory says about a column that must be there.
    pub(super) fn find(&self, name: &str) -> Result<&Column, DecodeError> {
        let place = self.columns.get(name);
        place
            .and_then(|place| self.directory.columns.get(*place))
            .ok_or_else(|| DecodeError::Missing {
                column: name.to_owned(),
            })
    }
}
