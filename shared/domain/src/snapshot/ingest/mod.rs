//! From pages of rows to a snapshot, without ever holding all rows.
//!
//! Each set is gathered into columns while its pages arrive ([`UserSet`],
//! [`EnrolmentSet`], [`RoleSet`], [`EntraSet`]); they do not know of each other,
//! so they may arrive in any order and at once. When all are whole,
//! [`Sets::into_snapshot`] gives every learner a row, the same as in the snapshot
//! before where there is one, and notes who changed.

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
