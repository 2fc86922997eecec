//! Checked rules as an expression with explicit negation.

use std::collections::BTreeSet;

use regex::Regex;

use crate::base::ids::CourseId;
use crate::snapshot::Source;

/// An expression about one user.
#[derive(Debug, Clone)]
pub enum Expr {
    /// Every part holds.
    All(Vec<Expr>),
    /// At least one part holds.
    Any(Vec<Expr>),
    /// The part does not hold (exact complement).
    Not(Box<Expr>),
    /// A predicate on one value.
    Leaf(Leaf),
}

/// A positive predicate; a negative operator is [`Expr::Not`] of one.
#[derive(Debug, Clone)]
pub enum Leaf {
    /// The value is missing or blank.
    Missing(Source),
    /// A predicate on a text.
    Text(Source, TextPredicate),
    /// A predicate on a number.
    Number(Source, NumberPredicate),
    /// The value equals this boolean.
    Boolean(Source, bool),
    /// A predicate on a date.
    Date(Source, DatePredicate),
    /// A predicate on the user's enrolments in a course.
    Activity(CourseId, ActivityPredicate),
}

/// Predicates on texts; operands are folded (see [`crate::base::text::fold`]).
#[derive(Debug, Clone)]
pub enum TextPredicate {
    /// Equal.
    Equals(String),
    /// Contains.
    Contains(String),
    /// Begins with.
    BeginsWith(String),
    /// Ends with.
    EndsWith(String),
    /// Equal to one of these.
    In(BTreeSet<String>),
    /// Matches the pattern anywhere, regardless of case.
    Matches(Regex),
}

/// Predicates on numbers.
#[derive(Debug, Clone, PartialEq)]
pub enum NumberPredicate {
    /// Equal.
    Equals(f64),
    /// Less.
    Less(f64),
    /// Less or equal.
    AtMost(f64),
    /// Greater.
    Greater(f64),
    /// Greater or equal.
    AtLeast(f64),
    /// From the first to the second, both included.
    Between(f64, f64),
    /// Equal to one of these.
    In(Vec<f64>),
}

/// Predicates on dates, in milliseconds since 1970 UTC; relative ones count from the run's slot.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum DatePredicate {
    /// Strictly before the instant.
    Before(i64),
    /// Strictly after the instant.
    After(i64),
    /// Within `[from, until)`.
    Within(i64, i64),
    /// Within the last given number of days, including now.
    InLast(u32),
    /// Within the next given number of days, including now.
    InNext(u32),
    /// Longer ago than the given number of days.
    MoreThanAgo(u32),
}

/// Predicates on one user's enrolments in one course.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ActivityPredicate {
    /// Completed in any enrolment.
    Completed,
    /// The latest completion is within the given number of days.
    CompletedInLast(u32),
    /// A due date passed without completion, or the course was completed after it. An enrolment
    /// without a due date is never overdue.
    Overdue,
    /// Started and not completed, in any enrolment.
    InProgress,
    /// Has any enrolment.
    Enrolled,
}

impl Expr {
    /// Negates the expression if `not` is true.
    #[must_use]
    pub fn negated(self, not: bool) -> Self {
        if not { Self::Not(Box::new(self)) } else { self }
    }

    /// Returns all leaves in the order written.
    pub fn leaves(&self) -> Vec<&Leaf> {
        match self {
            Self::All(parts) | Self::Any(parts) => parts.iter().flat_map(Self::leaves).collect(),
            Self::Not(part) => part.leaves(),
            Self::Leaf(leaf) => vec![leaf],
        }
    }
}
