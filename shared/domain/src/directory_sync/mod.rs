//! The directory sync: makes users and teams of a learning platform equal to an Entra directory.
//!
//! [`source`] is the directory as read and [`target`] the platform as read. [`eligibility`] decides
//! which users belong on the platform, [`desired_state`] computes the desired users and teams,
//! [`plan`] the changes, and [`write_plan`] their order. Entra's object id is the key on both
//! sides; an address never identifies a user (S2-23).

mod address_allocation;
mod address_claims;
pub mod approval;
pub mod change;
pub mod checkpoint;
pub mod comparison;
pub mod config;
pub mod counts;
pub mod desired_state;
pub mod eligibility;
pub mod filters;
pub mod keys;
mod managers;
pub mod pins;
pub mod plan;
pub mod report;
pub mod schedule;
pub mod skip_reason;
pub mod source;
pub mod state;
pub mod target;
pub mod target_replica;
mod teams;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
mod users;
pub mod write_plan;

pub use address_allocation::TEMPORARY_DOMAIN;
pub use approval::{Approved, Decision, decide};
pub use change::{ChangeKind, PlannedChange};
pub use checkpoint::Checkpoint;
pub use comparison::PlanInput;
pub use config::{ApplyMode, SyncConfig, TeamSwitches};
pub use counts::SyncCounts;
pub use keys::{ChangeSubject, Field, Member, TeamKey};
pub use pins::{Pin, Pins};
pub use plan::{SyncPlan, plan};
pub use report::{ChangeOutcome, SyncReport};
pub use schedule::{Schedule, Strategy, TimeOfDay};
pub use skip_reason::{DepartureReason, Skip, SkipReason};
pub use source::{
    DirectoryGroup, DirectoryPerson, Gone, GroupChange, PersonChange, Reported, SourceDirectory,
};
pub use state::{Pause, Pending, SourceConnection, SyncPhase, SyncState, TestMark};
pub use target::{Facts, Features, Platform, PlatformTeam, PlatformUser};
pub use target_replica::TargetReplica;
pub use write_plan::{Operation, Phases, TeamChanges, Write, WritePhase, phases};

#[cfg(test)]
mod tests;
