//! Membership changes: plans, limits, holds, previews, enrolment steps and reports.

pub mod enrolment;
pub mod hold;
pub mod plan;
pub mod preview;
pub mod report;
