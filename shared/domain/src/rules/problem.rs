//! What can be wrong with a rule.

use crate::base::problem::Problem;

/// What kind of mistake a rule makes: it decides who has to act.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RuleProblemKind {
    /// The rule never made sense.
    Invalid,
    /// The field existed once: somebody must review the profile (S4-119).
    FieldMissing,
    /// The course existed once: the same (S4-124).
    CourseMissing,
}

/// A mistake in a rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleProblem {
    /// What kind.
    pub kind: RuleProblemKind,
    /// Where, what, and how to mend it.
    pub problem: Problem,
    /// The field or course as the rule names it, for missing ones.
    pub subject: String,
}

pub(super) type Mistake = (RuleProblemKind, &'static str, String);

pub(super) fn invalid(place: &'static str, detail: impl Into<String>) -> Mistake {
    (RuleProblemKind::Invalid, place, detail.into())
}
