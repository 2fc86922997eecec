//! All small data of the platform, as one JSON object.

use std::collections::BTreeMap;
use std::io::Write;

use serde::{Deserialize, Serialize};

use super::column_file::ColumnFile;
use super::error::DecodeError;
use super::names::{self, PLATFORM};
use super::writer::Writer;
use crate::base::ids::CourseId;
use crate::snapshot::lms::{CatalogRow, CourseRow, FieldKind, FieldRow, RoleRow};
use crate::snapshot::{LmsGroup, Property, Snapshot, Source};

/// A JSON object.
pub(super) const JSON: &str = "json";

/// The content of the column when read.
#[derive(Deserialize)]
pub(in crate::snapshot) struct Platform {
    pub(in crate::snapshot) fields: Vec<FieldRow>,
    pub(super) entra_properties: BTreeMap<String, FieldKind>,
    pub(in crate::snapshot) courses: Vec<CourseRow>,
    /// Absent in snapshots of earlier releases.
    #[serde(default)]
    pub(super) deleted_courses: Vec<CourseId>,
    pub(super) catalogs: Vec<CatalogRow>,
    pub(super) groups: Vec<LmsGroup>,
    pub(super) group_roles: Vec<RoleRow>,
    /// Absent in snapshots of earlier releases.
    #[serde(default)]
    pub(super) roles: u64,
}

/// The content of the column when written.
#[derive(Serialize)]
struct Borrowed<'a> {
    fields: &'a [FieldRow],
    entra_properties: &'a BTreeMap<String, FieldKind>,
    courses: &'a [CourseRow],
    #[serde(skip_serializing_if = "<[CourseId]>::is_empty")]
    deleted_courses: &'a [CourseId],
    catalogs: &'a [CatalogRow],
    groups: &'a [LmsGroup],
    group_roles: &'a [RoleRow],
    roles: u64,
}

/// Writes the column.
pub(super) fn write<W: Write>(writer: &mut Writer<W>, snapshot: &Snapshot) -> std::io::Result<()> {
    let json = serde_json::to_vec(&Borrowed {
        fields: &snapshot.fields,
        entra_properties: &snapshot.entra_properties,
        courses: &snapshot.courses,
        deleted_courses: &snapshot.deleted_courses,
        catalogs: &snapshot.catalogs,
        groups: &snapshot.groups,
        group_roles: &snapshot.group_roles,
        roles: snapshot.roles,
    })?;
    writer.column(PLATFORM, JSON, 1, &json)
}

/// Returns the columns that must exist because rules can refer to them. If one of them were
/// missing, it would look as if no learner had a value.
pub(super) fn promised(
    fields: &[FieldRow],
    entra: &BTreeMap<String, FieldKind>,
) -> impl Iterator<Item = String> {
    let properties = Property::ALL.map(|property| (Source::Property(property), FieldKind::Text));
    let custom = fields.iter().filter(|field| !field.predefined);
    let custom = custom.map(|field| (Source::Custom(field.id), field.kind));
    let entra = entra
        .iter()
        .map(|(name, kind)| (Source::Entra(name.clone()), *kind));
    let sources = properties.into_iter().chain(custom).chain(entra);
    sources.flat_map(|(source, kind)| {
        let date = (kind == FieldKind::Date).then(|| names::date(&source));
        std::iter::once(names::text(&source)).chain(date)
    })
}

/// Reads the column. Courses must be ascending by id, because lookups use binary search.
pub(super) fn read(file: &ColumnFile<'_>) -> Result<Platform, DecodeError> {
    let json = file.raw(PLATFORM, JSON)?;
    let platform: Platform =
        serde_json::from_slice(&json).map_err(|error| DecodeError::content(PLATFORM, error))?;
    if !platform.courses.is_sorted_by_key(|course| course.id) {
        return Err(DecodeError::content(
            PLATFORM,
            "courses are not ascending by id",
        ));
    }
    for column in promised(&platform.fields, &platform.entra_properties) {
        file.find(&column)?;
    }
    Ok(platform)
}
