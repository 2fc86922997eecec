//! Evaluates all audiences of a tenant over all its people at once, as bitmaps.
//!
//! Three stages. *Compile*: the expressions of all profiles become one pool of
//! distinct tests and a short postfix program each. *Bind*: every test is
//! decided once per distinct value of its column, never per person, and values
//! that no test tells apart fall into one class. *Run*: people pass in tiles of
//! 4,096; each class becomes a bitmap of the tile, programs combine bitmaps,
//! overrides and the difference from the current members follow in the same
//! tile, and only changes leave it. Whoever keeps a snapshot loaded can ask, by
//! [`PersonIndex`] and [`Rolls`], only for the few whom data or time changed since
//! an earlier evaluation: the same program over those people. The walk of [`crate::rules::evaluate`]
//! stays beside it as the yardstick of the tests.

mod asked;
mod bind;
mod classes;
mod compile;
mod deed;
mod deeds;
mod difference;
mod evaluate;
mod index;
mod lists;
mod moved;
mod pool;
mod rolls;
mod rows;
mod run;
mod scatter;
mod select;
mod since;
#[cfg(test)]
mod tests;
mod tests_of_people;
mod tests_of_values;
mod texts;
mod tile;
mod timeline;

pub use compile::{Member, Program};
pub use index::PersonIndex;
pub use rolls::Rolls;
pub use since::{Shift, Since};
