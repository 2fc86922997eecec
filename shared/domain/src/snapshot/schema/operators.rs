//! The operators that the editor offers, by kind of field; the first one is the default.

use serde::{Deserialize, Serialize};

/// One operator.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Operator {
    /// The name that rules use.
    pub name: String,
    /// The label shown to users.
    pub label: String,
    /// `none` if it takes no value, `multi` for lists and pairs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub arity: Option<String>,
}

pub(super) const TEXT: &[(&str, &str)] = &[
    ("=", "is equal to"),
    ("!=", "is not equal to"),
    ("contains", "contains"),
    ("doesNotContain", "does not contain"),
    ("beginsWith", "starts with"),
    ("doesNotBeginWith", "does not start with"),
    ("endsWith", "ends with"),
    ("doesNotEndWith", "does not end with"),
    ("in", "is one of"),
    ("notIn", "is none of"),
    ("matches", "matches the pattern"),
    ("null", "is empty"),
    ("notNull", "is not empty"),
];
pub(super) const NUMBER: &[(&str, &str)] = &[
    ("=", "is equal to"),
    ("!=", "is not equal to"),
    ("<", "is less than"),
    ("<=", "is at most"),
    (">", "is greater than"),
    (">=", "is at least"),
    ("between", "is between"),
    ("notBetween", "is not between"),
    ("in", "is one of"),
    ("notIn", "is none of"),
    ("null", "is empty"),
    ("notNull", "is not empty"),
];
pub(super) const BOOLEAN: &[(&str, &str)] = &[
    ("=", "is equal to"),
    ("!=", "is not equal to"),
    ("null", "is empty"),
    ("notNull", "is not empty"),
];
pub(super) const DATE: &[(&str, &str)] = &[
    ("before", "is before the date/time"),
    ("after", "is after the date/time"),
    ("on", "is on the day"),
    ("between", "is between"),
    ("notBetween", "is not between"),
    ("inLast", "is in the last days"),
    ("inNext", "is in the next days"),
    ("moreThanAgo", "is more days ago than"),
    ("null", "is empty"),
    ("notNull", "is not empty"),
];
pub(super) const ACTIVITY: &[(&str, &str)] = &[
    ("completed", "was completed"),
    ("notCompleted", "was not completed"),
    ("completedInLast", "was completed in the last days"),
    ("overdue", "was not completed on time"),
    ("inProgress", "is in progress"),
    ("enrolled", "is enrolled"),
    ("notEnrolled", "is not enrolled"),
];

pub(super) fn operators(table: &[(&str, &str)]) -> Vec<Operator> {
    table
        .iter()
        .map(|(name, label)| Operator {
            name: (*name).to_owned(),
            label: (*label).to_owned(),
            arity: match *name {
                "null" | "notNull" | "completed" | "notCompleted" | "overdue" | "inProgress"
                | "enrolled" | "notEnrolled" => Some("none"),
                "in" | "notIn" | "between" | "notBetween" => Some("multi"),
                _ => None,
            }
            .map(str::to_owned),
        })
        .collect()
}
