//! Why somebody leaves, and why somebody is left as they are.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::keys::Field;
use crate::base::ids::ObjectId;

/// Why somebody leaves (C-35).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum DepartureReason {
    /// The account is switched off in the directory.
    Disabled,
    /// The account was deleted.
    Deleted,
    /// It is no longer in the directory, and not among the deleted ones either.
    Vanished,
    /// It is a guest, and guests are not synced.
    Guest,
    /// The Graph filter leaves it out.
    GraphFilter,
    /// The address has none of the wanted texts.
    EmailNotIncluded,
    /// The address has an unwanted text.
    EmailExcluded,
    /// It is in none of the chosen groups.
    NotInGroups,
}

impl DepartureReason {
    /// Its name in keys and in the API.
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

    /// Whether the account itself has ended, whatever the filters say (C-35).
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
            Self::GraphFilter => "the Graph filter leaves this account out",
            Self::EmailNotIncluded => "the address has none of the wanted texts",
            Self::EmailExcluded => "the address has an unwanted text",
            Self::NotInGroups => "the account is in none of the chosen groups",
        })
    }
}

/// Somebody who cannot be kept, or not whole, and why. The others go on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Skip {
    /// Who.
    pub person: ObjectId,
    /// What people call them.
    pub name: String,
    /// Why.
    pub reason: SkipReason,
}

/// Why somebody is skipped.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(
    rename_all = "camelCase",
    rename_all_fields = "camelCase",
    tag = "kind"
)]
pub enum SkipReason {
    /// Required fields are empty in the directory (S2-23).
    Lacking {
        /// Which.
        fields: Vec<Field>,
    },
    /// Several people of the directory have this address.
    SharedAddress {
        /// The address.
        email: String,
    },
    /// Somebody else on the platform has this address.
    AddressTaken {
        /// The address.
        email: String,
        /// Who has it.
        by: String,
    },
    /// An account of the platform is linked to nobody whom the directory knows.
    Unknown,
    /// Several accounts of the platform are linked to this person.
    LinkedTwice {
        /// The platform's ids.
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
                "is linked to an account that Microsoft Entra ID does not know; deactivate it by hand, or remove its external id",
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
