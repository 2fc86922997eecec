//! The kinds of connections and what is true of each.

use serde::{Deserialize, Serialize};

/// A kind of connection. The names are part of the API: they stay.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = ConnectionKind))]
#[serde(rename_all = "snake_case")]
pub enum ConnectionKind {
    /// The tenant's directory, by admin consent to this service's own app (S0).
    Entra,
    /// A catalog's Microsoft 365 account: mail, rooms, meetings (S1).
    Mail,
    /// The directory sync's app registration (S2, S3).
    DirectorySync,
    /// The app registration that keeps groups (S4).
    EntraApp,
    /// The learning platform's API key (S4).
    Learn365,
}

/// How a connection is authorised.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = ConnectionAuth))]
#[serde(rename_all = "snake_case")]
pub enum Auth {
    /// An administrator consents for the whole directory to this service's app.
    AdminConsent,
    /// Somebody signs in; the service acts for that account (authorisation code).
    DelegatedCode,
    /// The customer's own app with a client secret.
    ClientSecret,
    /// A key of the learning platform.
    ApiKey,
}

/// For whom a consent counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum ConsentScope {
    /// The whole directory.
    Tenant,
    /// The account that signs in, unless an administrator ticks the box for the
    /// organisation (S1-21, S1-22).
    Account,
    /// There is none to give: a credential is entered.
    None,
}

/// How a connection can be ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = ConnectionEnding))]
#[serde(rename_all = "snake_case")]
pub enum Ending {
    /// Not at all, once it is made (S0-06, C-02).
    Never,
    /// By disconnecting it; what it held is forgotten.
    Disconnect,
    /// By switching it off; what it held stays for switching it on again.
    Deactivate,
    /// By entering another credential.
    Replace,
}

/// What a connection lets the service do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Capability {
    /// Read people, groups, departments and managers.
    Directory,
    /// Invite guests.
    Guests,
    /// Keep groups and their members.
    Groups,
    /// Read learners and enrol groups.
    Learning,
    /// Send mail as the account (S1-15).
    Mail,
    /// See and book rooms (S1-16).
    Rooms,
    /// Make Microsoft Teams meetings (S1-17).
    Meetings,
}

impl ConnectionKind {
    /// Every kind.
    pub const ALL: [Self; 5] = [
        Self::Entra,
        Self::Mail,
        Self::DirectorySync,
        Self::EntraApp,
        Self::Learn365,
    ];

    /// Its name as in the API.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Entra => "entra",
            Self::Mail => "mail",
            Self::DirectorySync => "directory_sync",
            Self::EntraApp => "entra_app",
            Self::Learn365 => "learn365",
        }
    }

    /// The permission that making and ending it takes: one name for what the
    /// guides call by four different roles (C-49).
    pub const fn permission(self) -> &'static str {
        match self {
            Self::Entra => "connections.manage:entra",
            Self::Mail => "connections.manage:mail",
            Self::DirectorySync => "connections.manage:directory_sync",
            Self::EntraApp | Self::Learn365 => "settings.write",
        }
    }

    /// How it is authorised.
    pub const fn auth(self) -> Auth {
        match self {
            Self::Entra => Auth::AdminConsent,
            Self::Mail => Auth::DelegatedCode,
            Self::DirectorySync | Self::EntraApp => Auth::ClientSecret,
            Self::Learn365 => Auth::ApiKey,
        }
    }

    /// For whom its consent counts.
    pub const fn consent(self) -> ConsentScope {
        match self {
            Self::Entra | Self::DirectorySync | Self::EntraApp => ConsentScope::Tenant,
            Self::Mail => ConsentScope::Account,
            Self::Learn365 => ConsentScope::None,
        }
    }

    /// How it can be ended.
    pub const fn ending(self) -> Ending {
        match self {
            Self::Entra => Ending::Never,
            Self::Mail => Ending::Disconnect,
            Self::DirectorySync => Ending::Deactivate,
            Self::EntraApp | Self::Learn365 => Ending::Replace,
        }
    }

    /// What it can do at best.
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

    /// Proves X-01, C-02 and C-49: what each kind is, as one table.
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
