//! The identity of the rows: user ids, Entra objects, non-empty rows and the step of the last
//! change.

use std::io::Write;

use uuid::Uuid;

use super::column_file::ColumnFile;
use super::error::DecodeError;
use super::names::{CHANGED_IN, IDS, LIVING, OBJECT_IDS};
use super::numbers::{Cursor, put_rows, put_u32s};
use super::writer::Writer;
use crate::base::ids::{ObjectId, UserId};
use crate::base::rowset::RowSet;
use crate::snapshot::{Lineage, People};

/// GUIDs of 16 bytes.
pub(super) const GUIDS: &str = "guids";
/// One bit per row, set if it has a GUID, then those GUIDs.
pub(super) const OPTIONAL_GUIDS: &str = "optional-guids";
/// One bit per row.
pub(super) const BITS: &str = "bits";
/// 32-bit numbers in byte planes.
pub(super) const U32: &str = "u32";

/// The identity of a snapshot's rows, without values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// The lineage that defines the row numbers.
    pub lineage: Lineage,
    /// User ids, one per row.
    pub ids: Vec<UserId>,
    /// The Entra object of each row.
    pub object_ids: Vec<Option<ObjectId>>,
    /// Rows that contain a learner.
    pub living: RowSet,
    /// The step of the lineage in which each row last changed.
    pub changed_in: Vec<u32>,
}

impl Identity {
    /// Returns the rows in ascending order of their user ids, or an error if two learners have the
    /// same id.
    pub(in crate::snapshot) fn by_id(&self) -> Result<Vec<u32>, DecodeError> {
        let rows = u32::try_from(self.ids.len()).unwrap_or(u32::MAX);
        let mut by_id: Vec<u32> = (0..rows).collect();
        let id = |row: &u32| self.ids[*row as usize];
        // Rows are ascending except for those appended by later refreshes; the stable sort is fast
        // on such data.
        by_id.sort_by_key(id);
        let mut living = None;
        for row in by_id.iter().filter(|row| self.living.contains(**row)) {
            if living.replace(id(row)) == Some(id(row)) {
                return Err(DecodeError::content(
                    IDS,
                    format!("two learners have the id {}", id(row)),
                ));
            }
        }
        Ok(by_id)
    }

    /// Returns the learners of these rows without values; `by_id` is the result of [`Self::by_id`].
    pub(in crate::snapshot) fn people(self, by_id: Vec<u32>) -> People {
        People {
            lineage: self.lineage,
            ids: self.ids,
            object_ids: self.object_ids,
            living: self.living,
            changed_in: self.changed_in,
            by_id,
            texts: [].into(),
            dates: [].into(),
        }
    }
}

/// Writes the columns.
pub(super) fn write<W: Write>(writer: &mut Writer<W>, people: &People) -> std::io::Result<()> {
    let rows = people.ids.len();
    let ids: Vec<u8> = people
        .ids
        .iter()
        .flat_map(|id| id.uuid().into_bytes())
        .collect();
    writer.column(IDS, GUIDS, rows, &ids)?;
    drop(ids);
    let mut known = RowSet::new(people.rows());
    let objects = (0u32..).zip(&people.object_ids);
    known.extend(objects.filter_map(|(row, object)| object.is_some().then_some(row)));
    let mut objects = Vec::new();
    put_rows(&mut objects, &known);
    let guids = people.object_ids.iter().flatten();
    objects.extend(guids.flat_map(|object| object.uuid().into_bytes()));
    writer.column(OBJECT_IDS, OPTIONAL_GUIDS, rows, &objects)?;
    drop(objects);
    let mut living = Vec::new();
    put_rows(&mut living, &people.living);
    writer.column(LIVING, BITS, rows, &living)?;
    let mut changed = Vec::new();
    put_u32s(&mut changed, &people.changed_in);
    writer.column(CHANGED_IN, U32, rows, &changed)
}

/// Reads the columns.
pub(super) fn read(file: &ColumnFile<'_>) -> Result<Identity, DecodeError> {
    let rows = file.rows();
    let changed_in = file.column(CHANGED_IN, U32, |cursor| cursor.u32s(rows as usize))?;
    Ok(Identity {
        lineage: file.lineage().clone(),
        ids: file.column(IDS, GUIDS, |cursor| {
            let ids = cursor.guids(rows as usize)?.iter();
            Some(ids.map(|id| UserId::new(Uuid::from_bytes(*id))).collect())
        })?,
        object_ids: object_ids(file)?,
        living: file.column(LIVING, BITS, |cursor| cursor.rows(rows))?,
        changed_in,
    })
}

/// Reads the Entra object of each row.
pub(super) fn object_ids(file: &ColumnFile<'_>) -> Result<Vec<Option<ObjectId>>, DecodeError> {
    let rows = file.rows();
    file.column(OBJECT_IDS, OPTIONAL_GUIDS, |cursor| objects(cursor, rows))
}

fn objects(cursor: &mut Cursor<'_>, rows: u32) -> Option<Vec<Option<ObjectId>>> {
    let known = cursor.rows(rows)?;
    let guids = cursor.guids(known.len())?;
    let mut objects = vec![None; rows as usize];
    for (row, guid) in known.iter().zip(guids) {
        objects[row as usize] = Some(ObjectId::new(Uuid::from_bytes(*guid)));
    }
    Some(objects)
}
