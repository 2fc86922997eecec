//! The steps of a maintenance run: discrepancies, groups, memberships, enrolments.

pub(crate) mod discrepancies;
pub(crate) mod enrolments;
pub(crate) mod groups;
pub mod memberships;
