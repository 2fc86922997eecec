//! A checked rule tree: only what can be evaluated, negation made explicit.

use std::collections::BTreeSet;

use regex::Regex;

use crate::base::ids::CourseId;
use crate::snapshot::Source;

/// An expression over one person.
#[derive(Debug, Clone)]
pub enum Expr {
    /// Every part holds.
    All(Vec<Expr>),
    /// At least one part holds.
    Any(Vec<Expr>),
    /// The part does not hold: the exact complement.
    Not(Box<Expr>),
    /// A test of one value.
    Leaf(Leaf),
}

/// A positive test; negative operators are [`Expr::Not`] around one.
#[derive(Debug, Clone)]
pub enum Leaf {
    /// The value is missing or blank.
    Missing(Source),
    /// A test of a text.
    Text(Source, TextPredicate),
    /// A test of a number.
    Number(Source, NumberPredicate),
    /// The value is this truth.
    Boolean(Source, bool),
    /// A test of a moment.
    Date(Source, DatePredicate),
    /// A test of the person's enrolments in a course.
    Activity(CourseId, ActivityPredicate),
}

/// Tests of texts; operands are folded (see [`crate::base::text::fold`]).
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

/// Tests of numbers.
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

/// Tests of moments, in milliseconds since 1970 UTC; relative ones count from
/// the run's slot.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum DatePredicate {
    /// Strictly before the instant.
    Before(i64),
    /// Strictly after the instant.
    After(i64),
    /// Within `[from, until)`.
    Within(i64, i64),
    /// Within the last so many days, now included.
    InLast(u32),
    /// Within the next so many days, now included.
    InNext(u32),
    /// Longer ago than so many days.
    MoreThanAgo(u32),
}

/// Tests of the enrolments of one person in one course.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ActivityPredicate {
    /// Completed in any enrolment.
    Completed,
    /// The latest completion lies within so many days.
    CompletedInLast(u32),
    /// A due date passed without completion, or completed after it; no due
    /// date is never late.
    Overdue,
    /// Begun and not completed, in any enrolment.
    InProgress,
    /// Any enrolment at all.
    Enrolled,
}

impl Expr {
    /// Wraps in a negation when asked.
    #[must_use]
    pub fn negated(self, not: bool) -> Self {
        if not { Self::Not(Box::new(self)) } else { self }
    }

    /// Every leaf, in the order written.
    pub fn leaves(&self) -> Vec<&Leaf> {
        match self {
            Self::All(parts) | Self::Any(parts) => parts.iter().flat_map(Self::leaves).collect(),
            Self::Not(part) => part.leaves(),
            Self::Leaf(leaf) => vec![leaf],
        }
    }
}
