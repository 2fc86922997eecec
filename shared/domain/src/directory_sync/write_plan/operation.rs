//! The requests that carry changes out, and the phases they are sent in.

use std::collections::{BTreeMap, BTreeSet};

use super::super::keys::{ChangeSubject, Field, Member};
use super::super::target::Facts;
use crate::base::ids::ObjectId;

/// One request to the platform; it names the changes it carries out by their place
/// in the list they came in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Write {
    /// Whom or what it is about.
    pub subject: ChangeSubject,
    /// What is done.
    pub deed: Operation,
    /// Which changes are made by it.
    pub changes: Vec<usize>,
}

/// What is done to one resource of the platform.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Operation {
    /// A user is created.
    CreateUser {
        /// Everything but the manager.
        facts: Facts,
    },
    /// A user is changed.
    SetUser {
        /// The platform's id.
        user: String,
        /// Fields to set, or to empty. A manager is an Entra object id.
        facts: BTreeMap<Field, Option<String>>,
        /// Whether it may be used from now on.
        active: Option<bool>,
        /// Whether the link to the person is set.
        link: bool,
    },
    /// A user who is created in the same run gets a manager.
    SetManager {
        /// The manager.
        manager: ObjectId,
    },
    /// A team is created.
    CreateTeam {
        /// Its name.
        name: String,
        /// Who is in it.
        members: BTreeSet<ObjectId>,
        /// Who supervises it.
        supervisors: BTreeSet<ObjectId>,
    },
    /// A team is changed.
    SetTeam {
        /// The platform's id.
        team: String,
        /// What is different.
        set: TeamChanges,
    },
}

/// What is different in a team.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TeamChanges {
    /// Its new name.
    pub name: Option<String>,
    /// Who joins.
    pub add: BTreeSet<Member>,
    /// Who leaves.
    pub remove: BTreeSet<Member>,
    /// Who supervises it from now on.
    pub add_supervisors: BTreeSet<Member>,
    /// Who no longer does.
    pub remove_supervisors: BTreeSet<Member>,
    /// Whether it is archived.
    pub archived: Option<bool>,
}

/// Writes that may be made at the same time, or one after the other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WritePhase {
    /// Its name in a run's record.
    pub name: &'static str,
    /// Whether each needs the one before it.
    pub in_order: bool,
    /// The writes.
    pub writes: Vec<Write>,
}
