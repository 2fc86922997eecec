//! Columns of learner values: a dictionary and one code per row.

use std::io::{Error, Write};

use super::numbers::{Cursor, put, put_codes, width};
use super::writer::Writer;
use crate::snapshot::{Codes, DateColumn, Dictionary, TextColumn};

/// Distinct texts, then codes.
pub(super) const TEXTS: &str = "texts";
/// Distinct times, then codes.
pub(super) const MOMENTS: &str = "moments";

/// Writes a column of texts.
pub(super) fn write_texts<W: Write>(
    writer: &mut Writer<W>,
    name: &str,
    column: &TextColumn,
) -> std::io::Result<()> {
    let (text, _) = column.dictionary().parts();
    let lengths: Vec<u32> = column
        .dictionary()
        .iter()
        .map(|text| u32::try_from(text.len()).unwrap_or(u32::MAX))
        .collect();
    let longest = lengths.iter().copied().max().unwrap_or(0);
    let lengths = Codes::narrow(lengths, longest);
    let mut raw = Vec::new();
    raw.extend_from_slice(&count(lengths.len())?);
    raw.extend_from_slice(&count(text.len())?);
    raw.extend_from_slice(&[width(&lengths), width(column.codes())]);
    put_codes(&mut raw, &lengths);
    raw.extend_from_slice(text.as_bytes());
    put_codes(&mut raw, column.codes());
    writer.column(name, TEXTS, column.codes().len(), &raw)
}

/// Reads a column of texts.
pub(super) fn read_texts(cursor: &mut Cursor<'_>, rows: usize) -> Option<TextColumn> {
    let (distinct, bytes) = (cursor.u32()? as usize, cursor.u32()? as usize);
    let (length_width, code_width) = (cursor.u8()?, cursor.u8()?);
    let lengths = cursor.codes(distinct, length_width)?;
    let text = str::from_utf8(cursor.bytes(bytes)?).ok()?;
    let codes = cursor.codes(rows, code_width)?;
    let mut ends = Vec::with_capacity(distinct);
    let (mut end, mut fits) = (0u32, true);
    lengths.for_each(|length| {
        fits &= end.checked_add(length).is_some();
        end = end.wrapping_add(length);
        ends.push(end);
    });
    let dictionary = fits.then(|| Dictionary::from_parts(text.to_owned(), ends))??;
    TextColumn::from_parts(dictionary, codes)
}

/// Writes a column of times.
pub(super) fn write_moments<W: Write>(
    writer: &mut Writer<W>,
    name: &str,
    column: &DateColumn,
) -> std::io::Result<()> {
    let mut raw = Vec::new();
    raw.extend_from_slice(&count(column.moments().len())?);
    raw.push(width(column.codes()));
    put(&mut raw, column.moments(), i64::to_le_bytes);
    put_codes(&mut raw, column.codes());
    writer.column(name, MOMENTS, column.codes().len(), &raw)
}

/// Reads a column of times.
pub(super) fn read_moments(cursor: &mut Cursor<'_>, rows: usize) -> Option<DateColumn> {
    let (distinct, code_width) = (cursor.u32()? as usize, cursor.u8()?);
    let moments = cursor.i64s(distinct)?;
    DateColumn::from_parts(moments, cursor.codes(rows, code_width)?)
}

fn count(number: usize) -> std::io::Result<[u8; 4]> {
    u32::try_from(number)
        .map(u32::to_le_bytes)
        .map_err(|_| Error::other("a column has more than four billion bytes of text"))
}
