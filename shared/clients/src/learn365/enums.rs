//! Parses the platform's enumerations, given by name or by number.

use std::fmt;

use rollcall_domain::snapshot::lms::{FieldKind, Progress};

use super::wire::Choice;

/// Number and name of each member of an enumeration, with our value.
pub(super) type Choices<T> = [(i64, &'static str, T)];

/// The progress of a learner.
pub(super) const PROGRESS: [(i64, &str, Progress); 3] = [
    (0, "Completed", Progress::Completed),
    (1, "NotStarted", Progress::NotStarted),
    (2, "InProgress", Progress::InProgress),
];

/// The type of a custom field.
pub(super) const FIELD_KINDS: [(i64, &str, FieldKind); 4] = [
    (0, "String", FieldKind::Text),
    (1, "Boolean", FieldKind::Boolean),
    (2, "Number", FieldKind::Number),
    (3, "DateTime", FieldKind::Date),
];

/// The principal types of `SharePoint`, which holds the platform's users; `true` is a group.
pub(super) const PRINCIPALS: [(i64, &str, bool); 4] = [
    (1, "User", false),
    (2, "DistributionList", true),
    (4, "SecurityGroup", true),
    (8, "SharePointGroup", true),
];

/// Returns the value of an enumeration member, or a message that lists the valid members.
pub(super) fn choose<T: Copy>(
    field: &str,
    found: Option<&Choice<'_>>,
    choices: &Choices<T>,
) -> Result<T, String> {
    let known = |(number, name, _): &&(i64, &str, T)| match found {
        Some(Choice::Number(n)) => n == number,
        Some(Choice::Name(n)) => same_name(n, name),
        None => false,
    };
    if let Some((_, _, meaning)) = choices.iter().find(known) {
        return Ok(*meaning);
    }
    let names: Vec<_> = choices
        .iter()
        .map(|(number, name, _)| format!("{name} ({number})"))
        .collect();
    let found: &dyn fmt::Display = match found {
        Some(Choice::Number(n)) => n,
        Some(Choice::Name(n)) => n,
        None => &"missing",
    };
    Err(format!(
        "{field} is {found:.40}, which is not one of {}",
        names.join(", ")
    ))
}

/// `NotStarted`, `notStarted` and `Not Started` are equal.
fn same_name(found: &str, name: &str) -> bool {
    let letters = found.chars().filter(|c| !matches!(c, ' ' | '_' | '-'));
    letters
        .map(|c| c.to_ascii_lowercase())
        .eq(name.chars().map(|c| c.to_ascii_lowercase()))
}
