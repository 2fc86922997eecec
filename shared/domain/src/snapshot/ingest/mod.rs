//! Builds a snapshot from pages of rows, without holding all rows in memory.
//!
//! Each set is collected into columns while its pages arrive ([`UserSet`], [`EnrolmentSet`],
//! [`RoleSet`], [`EntraSet`]). The sets are independent, so pages may arrive in any order and
//! concurrently. When all are complete, [`Sets::into_snapshot`] assigns a row to every learner, the
//! same as in the previous snapshot if there is one, and records which learners changed.

mod cells;
mod changes;
mod columns;
mod enrolments;
mod entra;
#[cfg(any(test, feature = "testing"))]
mod from_rows;
mod limits;
mod moment;
mod numbers;
mod previous;
mod roles;
mod rows;
mod sets;
#[cfg(test)]
mod tests;
mod users;

pub use enrolments::EnrolmentSet;
pub use entra::EntraSet;
#[cfg(any(test, feature = "testing"))]
pub use from_rows::{EntraProperties, build};
pub use limits::{MAX_ENROLMENTS, MAX_USERS, TooLarge};
pub use moment::moment;
pub use previous::Previous;
pub use roles::RoleSet;
pub use sets::{Built, Sets};
pub use users::UserSet;
