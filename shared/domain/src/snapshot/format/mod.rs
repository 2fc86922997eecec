//! The binary format of snapshots: consecutive columns, each compressed and with its own checksum,
//! and a directory at the end.
//!
//! A reader rejects required columns it does not know. A damaged file is an error that names the
//! column, never a snapshot with fewer rows. `docs/snapshot-format.md` describes the format byte by
//! byte.

mod activities;
mod column_file;
mod error;
mod limits;
mod names;
mod numbers;
mod people;
mod platform;
mod reader;
mod section_table;
mod values;
mod writer;

use std::collections::BTreeSet;
use std::io::{Error, Write};

use super::{People, Snapshot};

pub use error::DecodeError;
pub use limits::{MAX_DECODED, MAX_DIRECTORY, MAX_ROWS, VERSION};
pub use people::Identity;
pub use reader::SnapshotReader;

/// Encodes the snapshot.
///
/// # Errors
/// Returns an error if its columns are inconsistent or it is larger than a reader accepts.
pub fn encode(snapshot: &Snapshot) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    encode_into(snapshot, &mut bytes)?;
    Ok(bytes)
}

/// Encodes the snapshot into a writer. In addition to the snapshot, only one encoded column at a
/// time is held in memory; those of the enrolments are held together.
///
/// # Errors
/// Returns an error if its columns are inconsistent, it is larger than a reader accepts, or the
/// writer fails.
pub fn encode_into(snapshot: &Snapshot, to: impl Write) -> std::io::Result<()> {
    encode_within(snapshot, to, MAX_DECODED)
}

/// Encodes the snapshot with the given limit on the memory size of its enrolments.
fn encode_within(snapshot: &Snapshot, to: impl Write, limit: u64) -> std::io::Result<()> {
    let people = &snapshot.people;
    parallel(people)?;
    complete(snapshot)?;
    activities::readable(&snapshot.enrolments, people.rows(), limit).map_err(Error::other)?;
    let mut writer = writer::Writer::begin(to)?;
    people::write(&mut writer, people)?;
    for (source, column) in &people.texts {
        values::write_texts(&mut writer, &names::text(source), column)?;
    }
    for (source, column) in &people.dates {
        values::write_moments(&mut writer, &names::date(source), column)?;
    }
    activities::write(&mut writer, &snapshot.enrolments, people.rows())?;
    platform::write(&mut writer, snapshot)?;
    writer.finish(
        &snapshot.header,
        &people.lineage,
        people.rows(),
        snapshot.enrolments.len(),
    )
}

/// Checks that all columns have the same length, because a reader would reject others.
fn parallel(people: &People) -> std::io::Result<()> {
    let rows = people.ids.len();
    let texts = people.texts.values().map(|column| column.codes().len());
    let dates = people.dates.values().map(|column| column.codes().len());
    let mut lengths = texts.chain(dates).chain([
        people.object_ids.len(),
        people.changed_in.len(),
        people.living.universe() as usize,
    ]);
    if lengths.any(|length| length != rows) {
        return Err(Error::other("the columns of the snapshot are not parallel"));
    }
    Ok(())
}

/// Checks that there is a column for every field, because a reader would report a missing one.
fn complete(snapshot: &Snapshot) -> std::io::Result<()> {
    let people = &snapshot.people;
    let texts = people.texts.keys().map(names::text);
    let columns: BTreeSet<_> = texts.chain(people.dates.keys().map(names::date)).collect();
    let mut promised = platform::promised(&snapshot.fields, &snapshot.entra_properties);
    match promised.find(|column| !columns.contains(column)) {
        None => Ok(()),
        Some(column) => Err(Error::other(DecodeError::Missing { column })),
    }
}

/// Decodes a snapshot and checks that its parts are consistent.
///
/// # Errors
/// Returns an error if the bytes are not a valid snapshot, see [`DecodeError`].
pub fn decode(bytes: &[u8]) -> Result<Snapshot, DecodeError> {
    let reader = SnapshotReader::open(bytes)?;
    let identity = reader.identity()?;
    let by_id = identity.by_id()?;
    let mut people = identity.people(by_id);
    for source in reader.sources() {
        if let Some(column) = reader.text(&source)? {
            people.texts.insert(source, column);
        }
    }
    for source in reader.date_sources() {
        if let Some(column) = reader.dates(&source)? {
            people.dates.insert(source, column);
        }
    }
    let platform = reader.platform()?;
    Ok(Snapshot {
        header: reader.header().clone(),
        people,
        fields: platform.fields,
        entra_properties: platform.entra_properties,
        courses: platform.courses,
        deleted_courses: platform.deleted_courses,
        catalogs: platform.catalogs,
        enrolments: reader.enrolments()?,
        groups: platform.groups,
        group_roles: platform.group_roles,
        roles: platform.roles,
    })
}

#[cfg(test)]
mod tests;
