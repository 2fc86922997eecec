//! What was read of the learning platform: its users and teams, as far as the sync is concerned.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::keys::{Field, Member, TeamKey};
use crate::base::ids::ObjectId;

/// What is known of a person, by field; empty values are left out. A manager is
/// an Entra object id on the directory's side, and the platform's id on its own.
pub type Facts = BTreeMap<Field, String>;

/// What the platform can keep, as its own description says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Features {
    /// Job titles.
    pub job_title: bool,
    /// Departments.
    pub department: bool,
    /// Managers.
    pub manager: bool,
    /// Supervisors of teams, and teams that are archived.
    pub supervisors: bool,
}

impl Features {
    /// A platform that keeps everything.
    pub const ALL: Self = Self {
        job_title: true,
        department: true,
        manager: true,
        supervisors: true,
    };

    /// Whether it keeps this field.
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
    /// The person it is linked to, by Entra object id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub person: Option<ObjectId>,
    /// Whether something else than this sync knows it by an id of its own.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub foreign: bool,
    /// The name to sign in with; compared without regard to case (RFC 7643, 4.1.1).
    pub user_name: String,
    /// Whether it may be used.
    pub active: bool,
    /// What the platform has. The manager is the platform's id of a user.
    #[serde(default)]
    pub facts: Facts,
}

impl PlatformUser {
    /// The name shown in lists: display name or user name.
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
    /// Which team of ours it is; others are left alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub team: Option<TeamKey>,
    /// Its name.
    pub name: String,
    /// The platform's ids of those in it.
    #[serde(default)]
    pub members: BTreeSet<String>,
    /// The platform's ids of those who supervise it.
    #[serde(default)]
    pub supervisors: BTreeSet<String>,
    /// Whether it is archived.
    #[serde(default)]
    pub archived: bool,
}

/// Everything that was read, by the platform's ids. Complete, or it was an error.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Platform {
    /// Users.
    pub users: BTreeMap<String, PlatformUser>,
    /// Teams; none where teams are not synced.
    pub teams: BTreeMap<String, PlatformTeam>,
}

/// The platform looked up by the directory's ids.
#[derive(Debug)]
pub(super) struct Linked<'p> {
    pub(super) platform: &'p Platform,
    /// The one user linked to a person.
    pub(super) users: BTreeMap<ObjectId, &'p str>,
    /// People to whom several are linked.
    pub(super) twice: BTreeMap<ObjectId, Vec<&'p str>>,
    /// Teams of ours; the first of several by the platform's id.
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
        let mut twice = BTreeMap::new();
        for (person, keys) in all {
            match keys[..] {
                [one] => {
                    users.insert(person, one);
                }
                _ => {
                    twice.insert(person, keys);
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
            twice,
            teams,
        }
    }

    /// The user linked to a person.
    pub(super) fn user(&self, person: ObjectId) -> Option<(&'p str, &'p PlatformUser)> {
        let key = *self.users.get(&person)?;
        self.platform.users.get(key).map(|user| (key, user))
    }

    /// Whose a user of the platform is.
    pub(super) fn member(&self, key: &str) -> Member {
        let person = self.platform.users.get(key).and_then(|user| user.person);
        // One of several is nobody's until somebody has sorted it out.
        match person.filter(|person| self.users.get(person) == Some(&key)) {
            Some(person) => Member::Person(person),
            None => Member::Local(key.to_owned()),
        }
    }

    /// How many people are linked and active: what the guard compares with.
    pub(super) fn active(&self) -> usize {
        let linked = self.users.values();
        let active = linked.filter(|key| self.platform.users[**key].active);
        active.count()
    }
}
