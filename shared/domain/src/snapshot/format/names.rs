//! The names of the columns.

use crate::base::ids::FieldId;
use crate::snapshot::{Property, Source};

/// User ids, one per row.
pub(super) const IDS: &str = "people.ids";
/// Entra object ids, one per row.
pub(super) const OBJECT_IDS: &str = "people.object_ids";
/// Rows that contain a learner.
pub(super) const LIVING: &str = "people.living";
/// Steps in which rows changed.
pub(super) const CHANGED_IN: &str = "people.changed_in";
/// The courses with enrolled learners.
pub(super) const COURSES: &str = "enrolments.courses";
/// Gaps between enrolled rows, one byte each.
pub(super) const GAPS_8: &str = "enrolments.gaps8";
/// Gaps between enrolled rows, two bytes each.
pub(super) const GAPS_16: &str = "enrolments.gaps16";
/// The progress of each enrolled learner.
pub(super) const STATUS: &str = "enrolments.status";
/// The completion times of learners who completed.
pub(super) const COMPLETED_AT: &str = "enrolments.completed_at";
/// The due dates of learners who have not completed.
pub(super) const DUE_AT: &str = "enrolments.due_at";
/// All small data of the platform.
pub(super) const PLATFORM: &str = "platform";

const TEXT: &str = "text:";
const DATE: &str = "date:";

/// Returns the name of the column with a source's texts.
pub(super) fn text(source: &Source) -> String {
    format!("{TEXT}{}", name(source))
}

/// Returns the name of the column with a source's times.
pub(super) fn date(source: &Source) -> String {
    format!("{DATE}{}", name(source))
}

/// The kind of a column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum ColumnKind {
    /// Texts of learners.
    Text(Source),
    /// Times of learners.
    Date(Source),
    /// A column that every snapshot contains.
    Fixed,
}

/// Returns the kind of a column by its name, if it is known.
pub(super) fn kind(column: &str) -> Option<ColumnKind> {
    if let Some(name) = column.strip_prefix(TEXT) {
        return source(name).map(ColumnKind::Text);
    }
    if let Some(name) = column.strip_prefix(DATE) {
        return source(name).map(ColumnKind::Date);
    }
    FIXED.contains(&column).then_some(ColumnKind::Fixed)
}

/// The columns that every snapshot contains.
pub(super) const FIXED: [&str; 11] = [
    IDS,
    OBJECT_IDS,
    LIVING,
    CHANGED_IN,
    COURSES,
    GAPS_8,
    GAPS_16,
    STATUS,
    COMPLETED_AT,
    DUE_AT,
    PLATFORM,
];

/// Returns the name that rules use for a source.
fn name(source: &Source) -> String {
    match source {
        Source::Property(property) => property.name().to_owned(),
        Source::Custom(id) => format!("custom:{id}"),
        Source::Entra(name) => format!("entra:{name}"),
    }
}

fn source(name: &str) -> Option<Source> {
    if let Some(id) = name.strip_prefix("custom:") {
        let id: FieldId = id.parse().ok()?;
        // A different spelling of an id would be a second column of the same source.
        return (id.to_string() == name["custom:".len()..]).then_some(Source::Custom(id));
    }
    if let Some(name) = name.strip_prefix("entra:") {
        return Some(Source::Entra(name.to_owned()));
    }
    let property = Property::ALL.into_iter().find(|it| it.name() == name)?;
    Some(Source::Property(property))
}
