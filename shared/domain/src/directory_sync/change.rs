//! One change of a plan: its subject, kind, key and text.

use std::collections::BTreeSet;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::keys::{ChangeSubject, Field, Member};
use super::skip_reason::DepartureReason;
use super::target::Facts;
use crate::base::ids::ObjectId;

/// The kind of a change, with its values.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(
    rename_all = "camelCase",
    rename_all_fields = "camelCase",
    tag = "kind"
)]
pub enum ChangeKind {
    /// Creates a user.
    CreateUser {
        /// All known fields of the user.
        facts: Facts,
    },
    /// Links an existing account with the same address to the directory user.
    LinkUser {
        /// The platform's id of the account.
        user: String,
    },
    /// Changes one field of a user.
    SetField {
        /// The field.
        field: Field,
        /// The platform's value; `None` if it is empty.
        old: Option<String>,
        /// The directory's value; `None` if it is empty.
        new: Option<String>,
    },
    /// Reactivates a deactivated user.
    ReactivateUser,
    /// Deactivates a user; users are never deleted (S2-06).
    DeactivateUser {
        /// The reason.
        reason: DepartureReason,
    },
    /// Creates a team.
    CreateTeam {
        /// Name of the team.
        name: String,
        /// Members, supervisors included.
        members: BTreeSet<ObjectId>,
        /// Supervisors.
        supervisors: BTreeSet<ObjectId>,
    },
    /// Renames a team.
    RenameTeam {
        /// The platform's name.
        old: String,
        /// The directory's name.
        new: String,
    },
    /// Adds a member to a team.
    AddMember {
        /// The new member.
        member: Member,
    },
    /// Removes a member from a team.
    RemoveMember {
        /// The former member.
        member: Member,
    },
    /// Adds a supervisor to a team.
    AddSupervisor {
        /// The new supervisor.
        member: Member,
    },
    /// Removes a supervisor from a team.
    RemoveSupervisor {
        /// The former supervisor.
        member: Member,
    },
    /// Empties and archives a team; teams are never deleted (S2-29).
    ArchiveTeam {
        /// Current number of members.
        members: usize,
    },
    /// Restores an archived team.
    RestoreTeam,
}

/// One proposed change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PlannedChange {
    /// The user or team that changes.
    pub subject: ChangeSubject,
    /// Display name of the subject.
    pub name: String,
    /// The kind of the change.
    pub what: ChangeKind,
    /// Display name of the member, for changes of a team; of the new manager, for a change of the
    /// manager.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub member_name: String,
    /// Display name of the previous manager, for a change of the manager.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub old_name: String,
    /// True if the change undoes a manual change on the platform (S3-05, X-14).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub overwrites_manual: bool,
}

impl PlannedChange {
    /// Creates a change that does not undo a manual change.
    pub fn new(subject: ChangeSubject, name: &str, what: ChangeKind) -> Self {
        Self {
            subject,
            name: name.to_owned(),
            what,
            member_name: String::new(),
            old_name: String::new(),
            overwrites_manual: false,
        }
    }

    /// Returns the change with the flag that it undoes a manual change.
    #[must_use]
    pub fn overwriting(mut self, by_hand: bool) -> Self {
        self.overwrites_manual = by_hand;
        self
    }

    /// Returns the change with the member's name.
    #[must_use]
    pub fn about(mut self, member: &str) -> Self {
        member.clone_into(&mut self.member_name);
        self
    }

    /// Returns the change with the previous manager's name.
    #[must_use]
    pub fn instead_of(mut self, before: &str) -> Self {
        before.clone_into(&mut self.old_name);
        self
    }

    /// Returns the key of the aspect that changes, unique within the tenant. Pins refer to it.
    pub fn key(&self) -> String {
        let aspect = match &self.what {
            ChangeKind::CreateUser { .. }
            | ChangeKind::LinkUser { .. }
            | ChangeKind::CreateTeam { .. } => "exists".to_owned(),
            ChangeKind::SetField { field, .. } => field.name().to_owned(),
            ChangeKind::ReactivateUser => "back".to_owned(),
            // A pin for one reason does not cover another: a user who may stay although outside the
            // filters is still deactivated once the account is disabled.
            ChangeKind::DeactivateUser { reason } => format!("leaves/{}", reason.name()),
            ChangeKind::RenameTeam { .. } => "name".to_owned(),
            ChangeKind::AddMember { member } | ChangeKind::RemoveMember { member } => {
                format!("member/{member}")
            }
            ChangeKind::AddSupervisor { member } | ChangeKind::RemoveSupervisor { member } => {
                format!("supervisor/{member}")
            }
            ChangeKind::ArchiveTeam { .. } | ChangeKind::RestoreTeam => "archived".to_owned(),
        };
        match self.subject {
            ChangeSubject::User(id) => format!("user/{id}/{aspect}"),
            ChangeSubject::Team(key) => format!("team/{key}/{aspect}"),
        }
    }

    /// Returns the sort key of the change within a plan: by subject, creation and linking first.
    pub(super) fn place(&self) -> (ChangeSubject, bool, String) {
        let key = self.key();
        (self.subject, !key.ends_with("/exists"), key)
    }

    /// Returns true if an approval of `self` also covers `now`, which was planned later: the same
    /// change, or a subset of it.
    pub fn covers(&self, now: &Self) -> bool {
        if self.subject != now.subject {
            return false;
        }
        match (&self.what, &now.what) {
            (
                ChangeKind::CreateTeam {
                    name,
                    members,
                    supervisors,
                },
                ChangeKind::CreateTeam {
                    name: name_now,
                    members: members_now,
                    supervisors: supervisors_now,
                },
            ) => {
                name == name_now
                    && members.is_superset(members_now)
                    && supervisors.is_superset(supervisors_now)
            }
            // Members who joined since the approval are removed as well.
            (ChangeKind::ArchiveTeam { .. }, ChangeKind::ArchiveTeam { .. }) => true,
            (approved, now) => approved == now,
        }
    }
}

impl fmt::Display for PlannedChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (name, member) = (&self.name, &self.member_name);
        match &self.what {
            ChangeKind::CreateUser { facts } => {
                let email = facts.get(&Field::Email).map_or("", String::as_str);
                write!(f, "create {name} ({email})")?;
            }
            ChangeKind::LinkUser { .. } => write!(f, "link the existing account of {name}")?,
            ChangeKind::SetField { field, old, new } => {
                // Show the manager's name instead of the object id.
                let shown = |value: &Option<String>, called: &str| match value {
                    None => "nothing".to_owned(),
                    Some(_) if !called.is_empty() => called.to_owned(),
                    Some(value) => format!("{value:?}"),
                };
                write!(
                    f,
                    "{name}: {} from {} to {}",
                    field.title(),
                    shown(old, &self.old_name),
                    shown(new, member)
                )?;
            }
            ChangeKind::ReactivateUser => write!(f, "reactivate {name}")?,
            ChangeKind::DeactivateUser { reason } => write!(f, "deactivate {name}: {reason}")?,
            ChangeKind::CreateTeam { members, .. } => {
                write!(f, "create the team {name:?} with {} members", members.len())?;
            }
            ChangeKind::RenameTeam { old, new } => write!(f, "rename the team {old:?} to {new:?}")?,
            ChangeKind::AddMember { .. } => write!(f, "{member} joins {name:?}")?,
            ChangeKind::RemoveMember { .. } => write!(f, "{member} leaves {name:?}")?,
            ChangeKind::AddSupervisor { .. } => write!(f, "{member} supervises {name:?}")?,
            ChangeKind::RemoveSupervisor { .. } => {
                write!(f, "{member} no longer supervises {name:?}")?;
            }
            ChangeKind::ArchiveTeam { members } => {
                write!(f, "archive the team {name:?} with {members} members")?;
            }
            ChangeKind::RestoreTeam => write!(f, "restore the team {name:?}")?,
        }
        if self.overwrites_manual {
            f.write_str(" (undoes a manual change)")?;
        }
        Ok(())
    }
}
