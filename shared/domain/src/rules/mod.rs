//! The rule language: parses react-querybuilder JSON into checked expressions.
//!
//! A negative operator is the exact complement of its positive one. A missing value makes every
//! positive predicate on a text, number or date false.

pub mod check;
pub mod evaluate;
pub mod expr;
pub mod field;
pub mod filter;
mod limits;
mod operators;
pub mod parse;
mod problem;
mod value;

pub use check::{Fields, Section};
pub use expr::{ActivityPredicate, DatePredicate, Expr, Leaf, NumberPredicate, TextPredicate};
pub use field::FieldRef;
pub use filter::{Filter, FilterDocument, MatchMode};
pub use limits::{
    DEFAULT_RECENT_DAYS, MAX_DAYS, MAX_DEPTH, MAX_LIST, MAX_NODES, MAX_PATTERN, MAX_PATTERN_BYTES,
    MAX_TEXT,
};
pub use problem::{RuleProblem, RuleProblemKind};
pub(crate) use value::{list, parse_boolean, parse_number, span, written};
