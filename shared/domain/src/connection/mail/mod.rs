//! A catalog's connection to a Microsoft 365 account (S1).

use std::collections::BTreeSet;

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use super::cause::Cause;
use super::kind::{Capability, ConnectionKind};
use super::refusal::Fault;
use super::state::{ConnectionStatus, Effect, Event, Transition, step};
use crate::base::audit::Actor;
use crate::base::ids::ObjectId;

/// Delegated permissions of the account, by purpose (S1-15…S1-20): send mail, read rooms, write
/// events, create meetings, detect shared mailboxes, and read name and address.
pub const DELEGATED_SCOPES: [&str; 6] = [
    "Mail.Send",
    "Place.Read.All",
    "Calendars.ReadWrite",
    "OnlineMeetings.ReadWrite",
    "MailboxSettings.Read",
    "User.Read",
];

/// Maximum days between two uses of a grant, which expires after 90 days without use.
const KEEP_ALIVE_DAYS: i64 = 6;

/// The connected account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = ConnectedAccount))]
#[serde(rename_all = "camelCase")]
pub struct Account {
    /// Object id in the directory; it does not change when the account is renamed.
    pub object: ObjectId,
    /// E-mail address, shown so that other users can identify the account (S1-18).
    pub address: String,
    /// Display name.
    pub name: String,
}

/// A capability that the account lacks, with the reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = MissingCapability))]
#[serde(rename_all = "camelCase")]
pub struct Unable {
    /// The capability.
    pub capability: Capability,
    /// The reason and the remedy.
    pub reason: String,
}

/// The capabilities of an account according to its licences (S1-10, S1-11).
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AccountCapabilities {
    /// Available capabilities.
    pub able: BTreeSet<Capability>,
    /// Missing capabilities.
    pub unable: Vec<Unable>,
}

impl AccountCapabilities {
    /// Derives the capabilities from the licences: Exchange Online Plan 1 or better, and Teams.
    pub fn new(exchange: bool, teams: bool) -> Self {
        let mut it = Self::default();
        for capability in [Capability::Mail, Capability::Rooms] {
            it.put(
                capability,
                exchange,
                "The account needs a licence for Exchange Online, Plan 1 at least.",
            );
        }
        let meetings = if exchange {
            "The account needs a licence for Microsoft Teams; everything else works without it."
        } else {
            "Meetings are created in the account's calendar, which needs a licence for Exchange Online, Plan 1 at least."
        };
        it.put(Capability::Meetings, exchange && teams, meetings);
        it
    }

    fn put(&mut self, capability: Capability, can: bool, reason: &str) {
        if can {
            self.able.insert(capability);
        } else {
            let reason = reason.to_owned();
            self.unable.push(Unable { capability, reason });
        }
    }

    /// Returns true if no capability is missing.
    pub fn is_complete(&self) -> bool {
        self.unable.is_empty()
    }
}

/// The options that a catalog admin sets.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct MailOptions {
    /// True if the catalog sends mail, books rooms and creates meetings (S1-05).
    #[serde(default)]
    pub enabled: bool,
    /// True if notifications are sent through Azure Communication Services (S1-26).
    #[serde(default)]
    pub use_azure_communication_services: bool,
    /// Address of the organisation's shared calendar that is invited to sessions; `None` if
    /// sessions are not shared (S1-29).
    #[serde(default)]
    pub organization_calendar: Option<String>,
}

/// The stored connection. Unknown fields of later releases are ignored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct MailConnection {
    /// Number of edits by users. Updates by the service, for example of the grant's last use, do
    /// not count, so that they never conflict with an edit.
    #[serde(default)]
    pub edition: u64,
    /// Title of the catalog.
    #[serde(default)]
    pub title: String,
    /// The options.
    pub options: MailOptions,
    /// Current status.
    pub status: ConnectionStatus,
    /// Time of the last status change.
    pub since: DateTime<Utc>,
    /// The connected account, if there is one.
    #[serde(default)]
    pub account: Option<Account>,
    /// The account's capabilities.
    #[serde(default)]
    pub can: AccountCapabilities,
    /// The user who connected the account.
    #[serde(default)]
    pub by: Option<Actor>,
    /// Time of the connection.
    #[serde(default)]
    pub connected_at: Option<DateTime<Utc>>,
    /// Time of the last successful use of the grant.
    #[serde(default)]
    pub used_at: Option<DateTime<Utc>>,
    /// The last fault.
    #[serde(default)]
    pub fault: Option<Fault>,
    /// True if a loss still has to be reported: it is reported after it is stored, and the function
    /// may crash in between.
    #[serde(default, rename = "untold")]
    pub notice_pending: bool,
    /// True if the welcome mail to the account still has to be sent, for the same reason.
    #[serde(default, rename = "unwelcomed")]
    pub welcome_pending: bool,
    /// Name of the account's grant in the vault. It is stored with the account so that both change
    /// together, although table and vault share no transaction.
    #[serde(default)]
    pub grant: Option<String>,
    /// True if the vault still has to delete the grant.
    #[serde(default)]
    pub forget: bool,
    /// Time until which an account that signed in may be saved; then its grant is deleted.
    #[serde(default)]
    pub draft_until: Option<DateTime<Utc>>,
}

impl MailConnection {
    /// Returns the connection of a new catalog: switched off (S1-05).
    pub fn not_configured(at: DateTime<Utc>) -> Self {
        Self {
            edition: 0,
            title: String::new(),
            options: MailOptions::default(),
            status: ConnectionStatus::NotConfigured,
            since: at,
            account: None,
            can: AccountCapabilities::default(),
            by: None,
            connected_at: None,
            used_at: None,
            fault: None,
            notice_pending: false,
            welcome_pending: false,
            grant: None,
            forget: false,
            draft_until: None,
        }
    }

    /// Returns true if the catalog may use a capability now.
    pub fn allows(&self, capability: Capability) -> bool {
        self.options.enabled && self.status.is_usable() && self.can.able.contains(&capability)
    }

    /// Returns true if the connection needs regular upkeep.
    pub fn wants_care(&self) -> bool {
        self.account.is_some() || self.forget || self.draft_until.is_some()
    }

    /// Connects an account that signed in to the catalog (S1-30, S1-40); `grant` is the name of its
    /// grant in the vault.
    pub fn connect(
        &mut self,
        account: Account,
        can: AccountCapabilities,
        grant: String,
        by: Actor,
        at: DateTime<Utc>,
    ) -> &'static [Effect] {
        let complete = can.is_complete();
        self.account = Some(account);
        self.can = can;
        self.by = Some(by);
        self.connected_at = Some(at);
        self.used_at = Some(at);
        self.fault = None;
        self.notice_pending = false;
        self.welcome_pending = self.can.able.contains(&Capability::Mail);
        self.grant = Some(grant);
        self.forget = false;
        self.draft_until = None;
        self.apply(Event::Proved { complete }, at)
    }

    /// Records that the account or its grant failed. Returns the effects to carry out; none if the
    /// failure was known already.
    pub fn fail(
        &mut self,
        cause: Cause,
        code: Option<String>,
        at: DateTime<Utc>,
    ) -> &'static [Effect] {
        let Some(event) = cause.event() else {
            return &[];
        };
        let before = self.status;
        let effects = self.apply(event, at);
        if self.status != before {
            self.fault = Some(Fault::new(cause, code, at));
        }
        if effects.contains(&Effect::NotifyLoss) {
            self.notice_pending = true;
        }
        effects
    }

    /// Ends the connection: removes the account and keeps the options.
    pub fn disconnect(&mut self, at: DateTime<Utc>) -> &'static [Effect] {
        let effects = self.apply(Event::Disconnected, at);
        self.edition += 1;
        self.account = None;
        self.can = AccountCapabilities::default();
        self.fault = None;
        self.connected_at = None;
        self.used_at = None;
        self.welcome_pending = false;
        self.grant = None;
        self.forget = true;
        self.draft_until = None;
        effects
    }

    /// Returns true if the grant has to be used now so that it does not expire.
    pub fn wants_keep_alive(&self, at: DateTime<Utc>) -> bool {
        let due = self
            .used_at
            .is_none_or(|used| used + TimeDelta::days(KEEP_ALIVE_DAYS) <= at);
        self.status.is_usable() && due
    }

    fn apply(&mut self, event: Event, at: DateTime<Utc>) -> &'static [Effect] {
        match step(ConnectionKind::Mail, self.status, event) {
            Transition::To(status, effects) => {
                if status != self.status {
                    self.since = at;
                }
                self.status = status;
                effects
            }
            Transition::Stay | Transition::Forbidden => &[],
        }
    }
}

#[cfg(test)]
mod tests;
