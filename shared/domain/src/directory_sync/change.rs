//! One change of a plan: about whom, what, why; its name and its words.

use std::collections::BTreeSet;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::keys::{ChangeSubject, Field, Member};
use super::skip_reason::DepartureReason;
use super::target::Facts;
use crate::base::ids::ObjectId;

/// What happens.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(
    rename_all = "camelCase",
    rename_all_fields = "camelCase",
    tag = "kind"
)]
pub enum ChangeKind {
    /// A person is created.
    CreateUser {
        /// Everything that is known.
        facts: Facts,
    },
    /// Somebody the platform knows by the same address is linked to the person.
    LinkUser {
        /// The platform's own id.
        user: String,
    },
    /// One field of a person changes.
    SetField {
        /// Which.
        field: Field,
        /// What the platform has; nothing if it is empty there.
        old: Option<String>,
        /// What the directory has; nothing if it is empty there.
        new: Option<String>,
    },
    /// A person who left comes back.
    ReactivateUser,
    /// A person is deactivated, never deleted (S2-06).
    DeactivateUser {
        /// Why.
        reason: DepartureReason,
    },
    /// A team is created.
    CreateTeam {
        /// Its name.
        name: String,
        /// Who is in it, supervisors included.
        members: BTreeSet<ObjectId>,
        /// Who supervises it.
        supervisors: BTreeSet<ObjectId>,
    },
    /// A team gets another name.
    RenameTeam {
        /// The platform's.
        old: String,
        /// The directory's.
        new: String,
    },
    /// Somebody joins a team.
    AddMember {
        /// Who.
        member: Member,
    },
    /// Somebody leaves a team.
    RemoveMember {
        /// Who.
        member: Member,
    },
    /// Somebody supervises a team.
    AddSupervisor {
        /// Who.
        member: Member,
    },
    /// Somebody no longer does.
    RemoveSupervisor {
        /// Who.
        member: Member,
    },
    /// A team is emptied and archived, never deleted (S2-29).
    ArchiveTeam {
        /// How many are in it.
        members: usize,
    },
    /// An archived team is needed again.
    RestoreTeam,
}

/// One proposed change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PlannedChange {
    /// About whom.
    pub subject: ChangeSubject,
    /// What people call them.
    pub name: String,
    /// What happens.
    pub what: ChangeKind,
    /// What people call the member, of changes in a team; of a change of the manager
    /// the new one.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub member_name: String,
    /// Of a change of the manager, what people call the one before.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub old_name: String,
    /// Whether it undoes what somebody did by hand on the platform (S3-05, X-14).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub overwrites_manual: bool,
}

impl PlannedChange {
    /// A change that undoes nothing anybody did by hand.
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

    /// The same, undoing what somebody did by hand.
    #[must_use]
    pub fn overwriting(mut self, by_hand: bool) -> Self {
        self.overwrites_manual = by_hand;
        self
    }

    /// The same with the member's name.
    #[must_use]
    pub fn about(mut self, member: &str) -> Self {
        member.clone_into(&mut self.member_name);
        self
    }

    /// The same with the name of who was there before.
    #[must_use]
    pub fn instead_of(mut self, before: &str) -> Self {
        before.clone_into(&mut self.old_name);
        self
    }

    /// What it is about within the tenant: one thing that can be one way or another.
    /// Decisions of people are kept by it.
    pub fn key(&self) -> String {
        let aspect = match &self.what {
            ChangeKind::CreateUser { .. }
            | ChangeKind::LinkUser { .. }
            | ChangeKind::CreateTeam { .. } => "exists".to_owned(),
            ChangeKind::SetField { field, .. } => field.name().to_owned(),
            ChangeKind::ReactivateUser => "back".to_owned(),
            // A decision about one reason says nothing about another: who may stay
            // outside the filters leaves all the same once the account is disabled.
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

    /// Its place in a plan: by subject, and whether one exists at all comes before
    /// everything else about it.
    pub(super) fn place(&self) -> (ChangeSubject, bool, String) {
        let key = self.key();
        (self.subject, !key.ends_with("/exists"), key)
    }

    /// Whether an approval of `self` also covers `now`, which was planned later:
    /// the same thing, or no more of it.
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
            // Whoever is in it by then leaves it too.
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
                // A manager's id says nothing to people.
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
                write!(f, "create the team {name:?} with {} people", members.len())?;
            }
            ChangeKind::RenameTeam { old, new } => write!(f, "rename the team {old:?} to {new:?}")?,
            ChangeKind::AddMember { .. } => write!(f, "{member} joins {name:?}")?,
            ChangeKind::RemoveMember { .. } => write!(f, "{member} leaves {name:?}")?,
            ChangeKind::AddSupervisor { .. } => write!(f, "{member} supervises {name:?}")?,
            ChangeKind::RemoveSupervisor { .. } => {
                write!(f, "{member} no longer supervises {name:?}")?;
            }
            ChangeKind::ArchiveTeam { members } => {
                write!(f, "archive the team {name:?} of {members} people")?;
            }
            ChangeKind::RestoreTeam => write!(f, "bring the team {name:?} back")?,
        }
        if self.overwrites_manual {
            f.write_str(" (undoes a change made by hand)")?;
        }
        Ok(())
    }
}
