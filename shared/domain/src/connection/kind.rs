//! The kinds of connections and their properties.

use serde::{Deserialize, Serialize};

/// A kind of connection. The names are part of the API and must not change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = ConnectionKind))]
#[serde(rename_all = "snake_case")]
pub enum ConnectionKind {
    /// The tenant's directory, by admin consent to this service's app (S0).
    Entra,
    /// A catalog's Microsoft 365 account: mail, rooms, meetings (S1).
    Mail,
    /// The directory sync's app registration (S2, S3).
    DirectorySync,
    /// The app registration that manages groups (S4).
    EntraApp,
    /// The learning platform's API key (S4).
    Learn365,
}

/// The authorisation method of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = ConnectionAuth))]
#[serde(rename_all = "snake_case")]
pub enum Auth {
    /// An administrator consents for the whole directory to this service's app.
    AdminConsent,
    /// A user signs in; the service acts for that account (authorisation code).
    DelegatedCode,
    /// The customer's own app with a client secret.
    ClientSecret,
    /// An API key of the learning platform.
    ApiKey,
}

/// The scope of a consent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum ConsentScope {
    /// The whole directory.
    Tenant,
    /// The account that signs in, unless an administrator consents for the organisation (S1-21,
    /// S1-22).
    Account,
    /// No consent: a credential is entered.
    None,
}

/// The way in which a connection can be ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = ConnectionEnding))]
#[serde(rename_all = "snake_case")]
pub enum Ending {
    /// Never, once it is connected (S0-06, C-02).
    Never,
    /// By disconnecting; its data is deleted.
    Disconnect,
    /// By deactivating; its data is kept for activating it again.
    Deactivate,
    /// By entering another credential.
    Replace,
}

/// A capability that a connection provides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Capability {
    /// Read users, groups, departments and managers.
    Directory,
    /// Invite guests.
    Guests,
    /// Manage groups and their members.
    Groups,
    /// Read learners and enrol groups.
    Learning,
    /// Send mail as the account (S1-15).
    Mail,
    /// Read and book rooms (S1-16).
    Rooms,
    /// Create Microsoft Teams meetings (S1-17).
    Meetings,
}

impl ConnectionKind {
    /// All kinds.
    pub const ALL: [Self; 5] = [
        Self::Entra,
        Self::Mail,
        Self::DirectorySync,
        Self::EntraApp,
        Self::Learn365,
    ];

    /// Returns its name in the API.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Entra => "entra",
            Self::Mail => "mail",
            Self::DirectorySync => "directory_sync",
            Self::EntraApp => "entra_app",
            Self::Learn365 => "learn365",
        }
    }

    /// Returns the permission for connecting and ending it: one name for four different roles of
    /// the guides (C-49).
    pub const fn permission(self) -> &'static str {
        match self {
            Self::Entra => "connections.manage:entra",
            Self::Mail => "connections.manage:mail",
            Self::DirectorySync => "connections.manage:directory_sync",
            Self::EntraApp | Self::Learn365 => "settings.write",
        }
    }

    /// Returns how it is authorised.
    pub const fn auth(self) -> Auth {
        match self {
            Self::Entra => Auth::AdminConsent,
            Self::Mail => Auth::DelegatedCode,
            Self::DirectorySync | Self::EntraApp => Auth::ClientSecret,
            Self::Learn365 => Auth::ApiKey,
        }
    }

    /// Returns the scope of its consent.
    pub const fn consent(self) -> ConsentScope {
        match self {
            Self::Entra | Self::DirectorySync | Self::EntraApp => ConsentScope::Tenant,
            Self::Mail => ConsentScope::Account,
            Self::Learn365 => ConsentScope::None,
        }
    }

    /// Returns how it can be ended.
    pub const fn ending(self) -> Ending {
        match self {
            Self::Entra => Ending::Never,
            Self::Mail => Ending::Disconnect,
            Self::DirectorySync => Ending::Deactivate,
            Self::EntraApp | Self::Learn365 => Ending::Replace,
        }
    }

    /// Returns all capabilities that it can provide.
    pub const fn capabilities(self) -> &'static [Capability] {
        use Capability::{Directory, Groups, Guests, Learning, Mail, Meetings, Rooms};
        match self {
            Self::Entra => &[Directory, Guests],
            Self::Mail => &[Mail, Rooms, Meetings],
            Self::DirectorySync => &[Directory],
            Self::EntraApp => &[Groups],
            Self::Learn365 => &[Learning],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Proves X-01, C-02 and C-49: the properties of each kind.
    #[test]
    fn every_kind_has_its_line() {
        let lines = ConnectionKind::ALL.map(|kind| {
            format!(
                "{} | {:?} | {:?} | {:?} | {:?} | {}",
                kind.name(),
                kind.auth(),
                kind.consent(),
                kind.ending(),
                kind.capabilities(),
                kind.permission()
            )
        });
        insta::assert_snapshot!(lines.join("\n"), @"
        entra | AdminConsent | Tenant | Never | [Directory, Guests] | connections.manage:entra
        mail | DelegatedCode | Account | Disconnect | [Mail, Rooms, Meetings] | connections.manage:mail
        directory_sync | ClientSecret | Tenant | Deactivate | [Directory] | connections.manage:directory_sync
        entra_app | ClientSecret | Tenant | Replace | [Groups] | settings.write
        learn365 | ApiKey | None | Replace | [Learning] | settings.write
        ");
    }
}
