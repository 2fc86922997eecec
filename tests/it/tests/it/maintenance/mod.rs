//! The maintenance job, step by step.

mod discrepancies;
mod enrolments;
mod gate;
mod holds;
mod kept;
mod lifecycle;
mod lock;
mod memberships;
mod progress;
mod resumption;
