//! Evaluates all audiences of a tenant for all its users at once, with bitmaps.
//!
//! There are three stages. *Compile*: the expressions of all profiles become a pool of distinct
//! predicates and one short postfix program for each profile. *Bind*: every predicate is evaluated
//! once per distinct value of its column, not per user; values that no predicate distinguishes form
//! one class. *Run*: users are processed in tiles of 4,096. Each class becomes a bitmap of the
//! tile, and the programs combine bitmaps. Overrides and the difference from the current members
//! are applied in the same tile, so only changes are collected. Tests compare the results with the
//! plain tree walk of [`crate::rules::evaluate`].

mod activity_predicates;
mod bind;
mod compile;
mod difference;
mod equivalence_classes;
mod evaluate;
mod posting_lists;
mod posting_reader;
mod predicate_index;
mod predicate_pool;
mod run;
mod scatter;
#[cfg(test)]
mod tests;
mod texts;
mod tile;
mod value_predicates;

pub use compile::{AudienceInput, Program};
