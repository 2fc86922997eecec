//! The writes that apply changes, and the phases in which they are sent.

use std::collections::{BTreeMap, BTreeSet};

use super::super::keys::{ChangeSubject, Field, Member};
use super::super::target::Facts;
use crate::base::ids::ObjectId;

/// One request to the platform.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Write {
    /// The user or team to write.
    pub subject: ChangeSubject,
    /// The operation.
    pub operation: Operation,
    /// Indexes of the changes that this write makes, in the list that was sorted.
    pub changes: Vec<usize>,
}

/// A write to one resource of the platform.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Operation {
    /// Creates a user.
    CreateUser {
        /// All fields except the manager.
        facts: Facts,
    },
    /// Changes a user.
    SetUser {
        /// The platform's id of the user.
        user: String,
        /// New values by field; `None` clears a field. A manager is an Entra object id.
        facts: BTreeMap<Field, Option<String>>,
        /// The new active flag; `None` leaves it unchanged.
        active: Option<bool>,
        /// True if the account is linked to the directory user.
        link: bool,
    },
    /// Sets the manager of a user who is created in the same run.
    SetManager {
        /// Entra object id of the manager.
        manager: ObjectId,
    },
    /// Creates a team.
    CreateTeam {
        /// Name of the team.
        name: String,
        /// Members by Entra object id.
        members: BTreeSet<ObjectId>,
        /// Supervisors by Entra object id.
        supervisors: BTreeSet<ObjectId>,
    },
    /// Changes a team.
    SetTeam {
        /// The platform's id of the team.
        team: String,
        /// The changes.
        set: TeamChanges,
    },
}

/// Changes of a team.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TeamChanges {
    /// The new name.
    pub name: Option<String>,
    /// Members to add.
    pub add: BTreeSet<Member>,
    /// Members to remove.
    pub remove: BTreeSet<Member>,
    /// Supervisors to add.
    pub add_supervisors: BTreeSet<Member>,
    /// Supervisors to remove.
    pub remove_supervisors: BTreeSet<Member>,
    /// The new archived flag; `None` leaves it unchanged.
    pub archived: Option<bool>,
}

/// A group of writes that are sent in parallel or one after the other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WritePhase {
    /// Name of the phase in the run record.
    pub name: &'static str,
    /// True if the writes must be sent one after the other.
    pub in_order: bool,
    /// The writes of the phase.
    pub writes: Vec<Write>,
}
