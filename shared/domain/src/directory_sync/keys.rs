//! Keys of what changes refer to: fields, teams and their members.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::base::ids::ObjectId;

/// A synced field of a user. The names are part of the API and must not change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = SyncField))]
#[serde(rename_all = "camelCase")]
pub enum Field {
    /// The e-mail address, which is also the sign-in name.
    Email,
    /// The first name.
    FirstName,
    /// The last name.
    LastName,
    /// The display name.
    DisplayName,
    /// The job title.
    JobTitle,
    /// The department.
    Department,
    /// The manager, by Entra object id.
    Manager,
}

impl Field {
    /// All fields.
    pub const ALL: [Self; 7] = [
        Self::Email,
        Self::FirstName,
        Self::LastName,
        Self::DisplayName,
        Self::JobTitle,
        Self::Department,
        Self::Manager,
    ];

    /// Returns the name of the field in keys and in the API.
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

    /// Returns the name of the field in texts for administrators.
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

/// The key of a synced team: a group of the directory, or the team of a manager.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum TeamKey {
    /// A group, by its object id.
    Group(ObjectId),
    /// A manager's team, by the manager's object id.
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
        let id = |id: &str| {
            id.parse()
                .map_err(|_| format!("{text:?} is not a team key"))
        };
        match text.split_once(':') {
            Some(("group", rest)) => id(rest).map(Self::Group),
            Some(("manager", rest)) => id(rest).map(Self::Manager),
            _ => Err(format!("{text:?} is not a team key")),
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

/// The user or team that a change refers to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum ChangeSubject {
    /// A directory user, by Entra object id.
    User(ObjectId),
    /// A team.
    Team(TeamKey),
}

/// A member of a team: a directory user or an account that is not linked to one.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Member {
    /// A directory user, by Entra object id.
    Person(ObjectId),
    /// An account without a directory user, by the platform's id.
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
