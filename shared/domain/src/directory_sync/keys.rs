//! Whom and what changes are about: fields, people in teams, teams.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::base::ids::ObjectId;

/// What is kept of a person. The names are part of the API: they stay.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = SyncField))]
#[serde(rename_all = "camelCase")]
pub enum Field {
    /// The address, which is also the name to sign in with.
    Email,
    /// The first name.
    FirstName,
    /// The last name.
    LastName,
    /// The name people read.
    DisplayName,
    /// The job title.
    JobTitle,
    /// The department.
    Department,
    /// The manager, by Entra object id.
    Manager,
}

impl Field {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Email,
        Self::FirstName,
        Self::LastName,
        Self::DisplayName,
        Self::JobTitle,
        Self::Department,
        Self::Manager,
    ];

    /// Its name in keys and in the API.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Email => "email",
            Self::FirstName => "firstName",
            Self::LastName => "lastName",
            Self::DisplayName => "displayName",
            Self::JobTitle => "jobTitle",
            Self::Department => "department",
            Self::Manager => "manager",
        }
    }

    /// What people call it.
    pub const fn title(self) -> &'static str {
        match self {
            Self::Email => "address",
            Self::FirstName => "first name",
            Self::LastName => "last name",
            Self::DisplayName => "name",
            Self::JobTitle => "job title",
            Self::Department => "department",
            Self::Manager => "manager",
        }
    }
}

/// Which team: of a group of the directory, or of a manager.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum TeamKey {
    /// A group, by its object id.
    Group(ObjectId),
    /// A manager's reports, by the manager's object id.
    Manager(ObjectId),
}

impl fmt::Display for TeamKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Group(id) => write!(f, "group:{id}"),
            Self::Manager(id) => write!(f, "manager:{id}"),
        }
    }
}

impl FromStr for TeamKey {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let id = |id: &str| id.parse().map_err(|_| format!("{text:?} names no team"));
        match text.split_once(':') {
            Some(("group", rest)) => id(rest).map(Self::Group),
            Some(("manager", rest)) => id(rest).map(Self::Manager),
            _ => Err(format!("{text:?} names no team")),
        }
    }
}

impl TryFrom<String> for TeamKey {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<TeamKey> for String {
    fn from(key: TeamKey) -> Self {
        key.to_string()
    }
}

/// Whom or what a change is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum ChangeSubject {
    /// A person, by Entra object id.
    User(ObjectId),
    /// A team.
    Team(TeamKey),
}

/// Somebody in a team: known to the directory, or only to the platform.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Member {
    /// By Entra object id.
    Person(ObjectId),
    /// By the platform's own id: nobody the directory knows.
    Local(String),
}

impl fmt::Display for Member {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Person(id) => id.fmt(f),
            Self::Local(key) => write!(f, "local:{key}"),
        }
    }
}
