//! The target: the synced users and teams of the learning platform, as read.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::keys::{Field, Member, TeamKey};
use crate::base::ids::ObjectId;

/// The known values of a user by field; empty values are omitted. A manager is an Entra object id
/// in data of the directory, and the platform's id of a user in data of the platform.
pub type Facts = BTreeMap<Field, String>;

/// The optional features that the platform supports, according to its service description.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Features {
    /// Job titles are stored.
    pub job_title: bool,
    /// Departments are stored.
    pub department: bool,
    /// Managers are stored.
    pub manager: bool,
    /// Teams have supervisors and can be archived.
    pub supervisors: bool,
}

impl Features {
    /// A platform that supports everything.
    pub const ALL: Self = Self {
        job_title: true,
        department: true,
        manager: true,
        supervisors: true,
    };

    /// Returns true if the platform stores this field.
    pub const fn keeps(self, field: Field) -> bool {
        match field {
            Field::JobTitle => self.job_title,
            Field::Department => self.department,
            Field::Manager => self.manager,
            _ => true,
        }
    }
}

/// A user of the platform.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PlatformUser {
    /// Entra object id of the linked directory user.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub person: Option<ObjectId>,
    /// True if another system manages the account under an external id.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub foreign: bool,
    /// Sign-in name; compared case-insensitively (RFC 7643, 4.1.1).
    pub user_name: String,
    /// True if the account is active.
    pub active: bool,
    /// The platform's values. The manager is the platform's id of a user.
    #[serde(default)]
    pub facts: Facts,
}

impl PlatformUser {
    /// Returns the name for lists: the display name or the sign-in name.
    pub(super) fn label(&self) -> &str {
        self.facts
            .get(&Field::DisplayName)
            .unwrap_or(&self.user_name)
    }
}

/// A team of the platform.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PlatformTeam {
    /// Key of the synced team; `None` for other teams, which are not changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub team: Option<TeamKey>,
    /// Name of the team.
    pub name: String,
    /// The platform's ids of the members.
    #[serde(default)]
    pub members: BTreeSet<String>,
    /// The platform's ids of the supervisors.
    #[serde(default)]
    pub supervisors: BTreeSet<String>,
    /// True if the team is archived.
    #[serde(default)]
    pub archived: bool,
}

/// The platform as read, by its own ids. It is always complete; a partial read is an error.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Platform {
    /// Users by the platform's id.
    pub users: BTreeMap<String, PlatformUser>,
    /// Teams by the platform's id; empty if teams are not synced.
    pub teams: BTreeMap<String, PlatformTeam>,
}

/// The platform, indexed by the directory's ids.
#[derive(Debug)]
pub(super) struct Linked<'p> {
    pub(super) platform: &'p Platform,
    /// The only account linked to each directory user.
    pub(super) users: BTreeMap<ObjectId, &'p str>,
    /// Directory users who are linked to several accounts.
    pub(super) ambiguous: BTreeMap<ObjectId, Vec<&'p str>>,
    /// Synced teams; of several for the same key, the first by the platform's id.
    pub(super) teams: BTreeMap<TeamKey, &'p str>,
}

impl<'p> Linked<'p> {
    pub(super) fn of(platform: &'p Platform) -> Self {
        let mut all: BTreeMap<ObjectId, Vec<&str>> = BTreeMap::new();
        for (key, user) in &platform.users {
            if let Some(person) = user.person {
                all.entry(person).or_default().push(key);
            }
        }
        let mut users = BTreeMap::new();
        let mut ambiguous = BTreeMap::new();
        for (person, keys) in all {
            match keys[..] {
                [one] => {
                    users.insert(person, one);
                }
                _ => {
                    ambiguous.insert(person, keys);
                }
            }
        }
        let mut teams = BTreeMap::new();
        for (key, team) in platform.teams.iter().rev() {
            if let Some(team) = team.team {
                teams.insert(team, key.as_str());
            }
        }
        Self {
            platform,
            users,
            ambiguous,
            teams,
        }
    }

    /// Returns the account linked to a directory user.
    pub(super) fn user(&self, person: ObjectId) -> Option<(&'p str, &'p PlatformUser)> {
        let key = *self.users.get(&person)?;
        self.platform.users.get(key).map(|user| (key, user))
    }

    /// Returns the member for an account of the platform.
    pub(super) fn member(&self, key: &str) -> Member {
        let person = self.platform.users.get(key).and_then(|user| user.person);
        // If several accounts are linked to one user, none is used until an administrator resolves
        // it.
        match person.filter(|person| self.users.get(person) == Some(&key)) {
            Some(person) => Member::Person(person),
            None => Member::Local(key.to_owned()),
        }
    }

    /// Returns the number of linked and active users, the base of the percentage limit.
    pub(super) fn active(&self) -> usize {
        let linked = self.users.values();
        let active = linked.filter(|key| self.platform.users[**key].active);
        active.count()
    }
}
