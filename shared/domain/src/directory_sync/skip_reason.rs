//! Reasons for departures and for skipped users.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::keys::Field;
use crate::base::ids::ObjectId;

/// Why a user is deactivated (C-35).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum DepartureReason {
    /// The account is disabled in the directory.
    Disabled,
    /// The account was deleted in the directory.
    Deleted,
    /// The account is neither in the directory nor among its deleted accounts.
    Vanished,
    /// The account is a guest, and guests are not synced.
    Guest,
    /// The account does not match the Graph filter.
    GraphFilter,
    /// The address contains none of the texts to include.
    EmailNotIncluded,
    /// The address contains a text to exclude.
    EmailExcluded,
    /// The account is in none of the chosen groups.
    NotInGroups,
}

impl DepartureReason {
    /// Returns the name of the reason in keys and in the API.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Disabled => "disabled",
            Self::Deleted => "deleted",
            Self::Vanished => "vanished",
            Self::Guest => "guest",
            Self::GraphFilter => "graph_filter",
            Self::EmailNotIncluded => "email_not_included",
            Self::EmailExcluded => "email_excluded",
            Self::NotInGroups => "not_in_groups",
        }
    }

    /// Returns true if the account itself has ended, regardless of the filters (C-35).
    pub const fn is_departure(self) -> bool {
        matches!(self, Self::Disabled | Self::Deleted)
    }
}

impl fmt::Display for DepartureReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Disabled => "the account is disabled in Microsoft Entra ID",
            Self::Deleted => "the account was deleted in Microsoft Entra ID",
            Self::Vanished => "the account is no longer in Microsoft Entra ID",
            Self::Guest => "guests are not synced",
            Self::GraphFilter => "the account does not match the Graph filter",
            Self::EmailNotIncluded => "the address contains none of the texts to include",
            Self::EmailExcluded => "the address contains a text to exclude",
            Self::NotInGroups => "the account is in none of the chosen groups",
        })
    }
}

/// A user who is not synced, or not completely, with the reason. Other users are not affected.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Skip {
    /// Entra object id of the user.
    pub person: ObjectId,
    /// Display name of the user.
    pub name: String,
    /// The reason.
    pub reason: SkipReason,
}

/// Why a user is skipped.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(
    rename_all = "camelCase",
    rename_all_fields = "camelCase",
    tag = "kind"
)]
pub enum SkipReason {
    /// Required fields are empty in the directory (S2-23).
    Lacking {
        /// The empty fields.
        fields: Vec<Field>,
    },
    /// Several directory users have this address.
    SharedAddress {
        /// The address.
        email: String,
    },
    /// Another account on the platform has this address.
    AddressTaken {
        /// The address.
        email: String,
        /// Name of the account that has it.
        by: String,
    },
    /// The account is linked to an object id that is not in the directory.
    Unknown,
    /// Several accounts of the platform are linked to this directory user.
    LinkedTwice {
        /// The platform's ids of the accounts.
        users: Vec<String>,
    },
}

impl fmt::Display for SkipReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Lacking { fields } => {
                let titles: Vec<_> = fields.iter().map(|field| field.title()).collect();
                write!(
                    f,
                    "has no {} in Microsoft Entra ID; enter it there",
                    titles.join(", no ")
                )
            }
            Self::SharedAddress { email } => write!(
                f,
                "shares the address {email} with another account of Microsoft Entra ID; give each its own"
            ),
            Self::AddressTaken { email, by } => write!(
                f,
                "cannot have the address {email}: {by} has it on the learning platform"
            ),
            Self::Unknown => f.write_str(
                "is linked to an account that does not exist in Microsoft Entra ID; deactivate the user manually, or remove the external id",
            ),
            Self::LinkedTwice { users } => write!(
                f,
                "has {} accounts on the learning platform; remove the external id from all but one",
                users.len()
            ),
        }
    }
}

impl fmt::Display for Skip {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.name, self.reason)
    }
}
