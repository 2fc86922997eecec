//! Problems with a rule.

use crate::base::problem::Problem;

/// The kind of a problem; it determines who has to act.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RuleProblemKind {
    /// The rule is invalid.
    Invalid,
    /// The field no longer exists; an administrator must review the profile (S4-119).
    FieldMissing,
    /// The course no longer exists; an administrator must review the profile (S4-124).
    CourseMissing,
}

/// A problem with a rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleProblem {
    /// The kind.
    pub kind: RuleProblemKind,
    /// The position, the cause and the remedy.
    pub problem: Problem,
    /// The field or course as named in the rule.
    pub subject: String,
}

pub(super) type Mistake = (RuleProblemKind, &'static str, String);

pub(super) fn invalid(place: &'static str, detail: impl Into<String>) -> Mistake {
    (RuleProblemKind::Invalid, place, detail.into())
}
