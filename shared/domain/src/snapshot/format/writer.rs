//! Writes consecutive columns and the directory at the end.

use std::io::{Error, Write};

use super::limits::{MAX_DECODED, MAX_ROWS};
use super::section_table::{Column, SectionTable, checksum, prefix};
use crate::snapshot::{Header, Lineage};

/// Fast; higher levels hardly compress these columns better.
const LEVEL: i32 = 3;

/// A file being written.
pub(super) struct Writer<W> {
    to: W,
    at: u64,
    decoded: u64,
    columns: Vec<Column>,
    zstd: zstd::bulk::Compressor<'static>,
}

impl<W: Write> Writer<W> {
    /// Begins a file.
    pub(super) fn begin(mut to: W) -> std::io::Result<Self> {
        let prefix = prefix();
        to.write_all(&prefix)?;
        Ok(Self {
            to,
            at: prefix.len() as u64,
            decoded: 0,
            columns: Vec::new(),
            zstd: zstd::bulk::Compressor::new(LEVEL)?,
        })
    }

    /// Writes a column.
    pub(super) fn column(
        &mut self,
        name: &str,
        encoding: &str,
        entries: usize,
        raw: &[u8],
    ) -> std::io::Result<()> {
        self.decoded += raw.len() as u64;
        if self.decoded > MAX_DECODED {
            return Err(Error::other(format!(
                "the snapshot is larger than {MAX_DECODED} bytes"
            )));
        }
        let stored = self.zstd.compress(raw)?;
        self.to.write_all(&stored)?;
        self.columns.push(Column {
            name: name.to_owned(),
            encoding: encoding.to_owned(),
            entries: entries as u64,
            offset: self.at,
            stored: stored.len() as u64,
            raw: raw.len() as u64,
            xxh3: checksum(&stored),
            required: true,
        });
        self.at += stored.len() as u64;
        Ok(())
    }

    /// Writes the directory.
    pub(super) fn finish(
        mut self,
        header: &Header,
        lineage: &Lineage,
        rows: u32,
        enrolments: u64,
    ) -> std::io::Result<()> {
        if rows > MAX_ROWS {
            return Err(Error::other(format!(
                "the snapshot has more than {MAX_ROWS} rows"
            )));
        }
        let directory = SectionTable {
            header: header.clone(),
            lineage: lineage.clone(),
            rows,
            enrolments,
            columns: self.columns,
        };
        self.to.write_all(&directory.to_bytes()?)?;
        self.to.flush()
    }
}
