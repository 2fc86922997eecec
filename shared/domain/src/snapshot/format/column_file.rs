//! A snapshot file whose columns are read one by one, each checked before use.

use std::collections::BTreeMap;

use super::error::DecodeError;
use super::numbers::Cursor;
use super::section_table::{Column, SectionTable, checksum};
use crate::snapshot::{Header, Lineage};

/// The bytes of a file and the directory of its columns.
#[derive(Debug)]
pub(super) struct ColumnFile<'a> {
    file: &'a [u8],
    directory: SectionTable,
    columns: BTreeMap<String, usize>,
}

impl<'a> ColumnFile<'a> {
    /// Reads the directory, even if columns are unknown or missing.
    pub(super) fn open(file: &'a [u8]) -> Result<Self, DecodeError> {
        let directory = SectionTable::read(file)?;
        let names = directory.columns.iter().map(|column| column.name.clone());
        Ok(Self {
            columns: names.zip(0..).collect(),
            file,
            directory,
        })
    }

    /// Returns identity and time of the snapshot.
    pub(super) fn header(&self) -> &Header {
        &self.directory.header
    }

    /// Returns the lineage that defines the row numbers.
    pub(super) fn lineage(&self) -> &Lineage {
        &self.directory.lineage
    }

    /// Returns the number of rows, including empty ones.
    pub(super) fn rows(&self) -> u32 {
        self.directory.rows
    }

    /// Returns the number of learner enrolments that the platform listed.
    pub(super) fn enrolment_count(&self) -> u64 {
        self.directory.enrolments
    }

    /// Returns the columns' entries in the directory.
    pub(super) fn columns(&self) -> &[Column] {
        &self.directory.columns
    }

    /// Reads a required column completely.
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
                let why = format!(
                    "its content does not match the encoding {encoding:?} and the number of rows"
                );
                DecodeError::content(name, why)
            })
    }

    /// Returns the number of entries that a column declares.
    pub(super) fn entries(&self, name: &str) -> Result<usize, DecodeError> {
        let entries = self.find(name)?.entries;
        usize::try_from(entries).map_err(|_| DecodeError::content(name, "it has too many entries"))
    }

    /// Reads an optional column completely.
    pub(super) fn optional<T>(
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

    /// Returns the decompressed bytes of a column.
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
            let why = format!(
                "it has {} bytes after decoding but declares {raw}",
                found.len()
            );
            return Err(DecodeError::content(name, why));
        }
        Ok(found)
    }

    /// Returns the bytes of a column as stored in the file, if they are undamaged.
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

    /// Returns the entry of a required column in the directory.
    pub(super) fn find(&self, name: &str) -> Result<&Column, DecodeError> {
        let place = self.columns.get(name);
        place
            .and_then(|place| self.directory.columns.get(*place))
            .ok_or_else(|| DecodeError::Missing {
                column: name.to_owned(),
            })
    }
}
