//! Evaluates all audiences of a tenant over all its people at once, as bitmaps.
//!
//! Three stages. *Compile*: the expressions of all profiles become one pool of
//! distinct tests and a short postfix program each. *Bind*: every test is
//! decided once per distinct value of its column, never per person, and values
//! that no test tells apart fall into one class. *Run*: people pass in tiles of
//! 4,096; each class becomes a bitmap of the tile, programs combine bitmaps,
//! overrides and the difference from the current members follow in the same
//! tile, and only changes leave it. The walk of [`crate::rules::evaluate`]
//! stays beside it as the yardstick of the tests.

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
