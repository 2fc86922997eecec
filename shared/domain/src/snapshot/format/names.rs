//! What the columns are called.

use crate::base::ids::FieldId;
use crate::snapshot::{Property, Source};

/// User ids, one a row.
pub(super) const IDS: &str = "people.ids";
/// Entra objects, one a row.
pub(super) const OBJECT_IDS: &str = "people.object_ids";
/// Rows that hold a learner.
pub(super) const LIVING: &str = "people.living";
/// Steps in which rows changed.
pub(super) const CHANGED_IN: &str = "people.changed_in";
/// The courses somebody is enrolled in.
pub(super) const COURSES: &str = "enrolments.courses";
/// Gaps between enrolled rows, a byte each.
pub(super) const GAPS_8: &str = "enrolments.gaps8";
/// Gaps between enrolled rows, two bytes each.
pub(super) const GAPS_16: &str = "enrolments.gaps16";
/// How far each enrolled person is.
pub(super) const STATUS: &str = "enrolments.status";
/// When those who completed did.
pub(super) const COMPLETED_AT: &str = "enrolments.completed_at";
/// Until when those who did not should.
pub(super) const DUE_AT: &str = "enrolments.due_at";
/// Everything small.
pub(super) const PLATFORM: &str = "platform";

const TEXT: &str = "text:";
const DATE: &str = "date:";

/// The column with a source's texts.
pub(super) fn text(source: &Source) -> String {
    format!("{TEXT}{}", name(source))
}

/// The column with a source's moments.
pub(super) fn date(source: &Source) -> String {
    format!("{DATE}{}", name(source))
}

/// What a column is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum ColumnKind {
    /// Texts about people.
    Text(Source),
    /// Moments about people.
    Date(Source),
    /// One of those that are always there.
    Fixed,
}

/// What a column of this name is, if it is known.
pub(super) fn kind(column: &str) -> Option<ColumnKind> {
    if let Some(name) = column.strip_prefix(TEXT) {
        return source(name).map(ColumnKind::Text);
    }
    if let Some(name) = column.strip_prefix(DATE) {
        return source(name).map(ColumnKind::Date);
    }
    FIXED.contains(&column).then_some(ColumnKind::Fixed)
}

/// The columns that are always there.
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

/// The name rules use for a source.
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
        // Another spelling of an id would be a second column of the same source.
        return (id.to_string() == name["custom:".len()..]).then_some(Source::Custom(id));
    }
    if let Some(name) = name.strip_prefix("entra:") {
        return Some(Source::Entra(name.to_owned()));
    }
    let property = Property::ALL.into_iter().find(|it| it.name() == name)?;
    Some(Source::Property(property))
}
