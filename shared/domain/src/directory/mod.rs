//! The directory sync: people and teams of a learning platform kept equal to an Entra directory.
//!
//! [`entra`] is what was read of the directory, [`platform`] what was read of the
//! platform, [`scope`] who belongs, [`wanted`] what that comes to, [`plan`] what has
//! to change, [`writes`] in which order. Nobody is ever told apart by an address:
//! Entra's object id is the key, on both sides (S2-23).

pub mod change;
mod claims;
pub mod config;
pub mod decide;
pub mod entra;
pub mod filters;
pub mod mirror;
mod names;
pub mod pins;
pub mod plan;
pub mod platform;
pub mod report;
pub mod scope;
pub mod skip;
mod sorter;
pub mod state;
pub mod stored;
pub mod subject;
mod teams;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
pub mod timing;
mod users;
pub mod wanted;
pub mod writes;

pub use change::{Change, What};
pub use config::{ApplyMode, SyncConfig, TeamSwitches};
pub use decide::{Approved, Course, decide};
pub use entra::{
    Directory, DirectoryGroup, DirectoryPerson, Gone, GroupChange, PersonChange, Told,
};
pub use mirror::Mirror;
pub use pins::{Pin, Pins};
pub use plan::{Input, SyncCounts, SyncPlan, plan};
pub use platform::{Facts, Features, Platform, PlatformTeam, PlatformUser};
pub use report::{Outcome, OutcomeStatus, SyncReport};
pub use skip::{Leaving, Skip, SkipReason};
pub use state::{Pause, Pending, Phase, Source, SyncState, TestMark};
pub use stored::Stored;
pub use subject::{Field, Member, Subject, TeamKey};
pub use timing::{Rhythm, Strategy, TimeOfDay};
pub use writes::{Deed, Phases, TeamChanges, Write, phases};

#[cfg(test)]
mod tests;
