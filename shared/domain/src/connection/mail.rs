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

/// What the account is asked to allow, by purpose (S1-15…S1-20): send mail, see
/// rooms, keep events, make meetings, tell a shared mailbox from a person's,
/// show name and address, and stay connected.
pub const DELEGATED_SCOPES: [&str; 6] = [
    "Mail.Send",
    "Place.Read.All",
    "Calendars.ReadWrite",
    "OnlineMeetings.ReadWrite",
    "MailboxSettings.Read",
    "User.Read",
];

/// A grant that is not used dies after 90 days; it is used at least this often.
const KEEP_ALIVE_DAYS: i64 = 6;

/// The connected account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = ConnectedAccount))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Account {
    /// Its object id in the directory, which stays when names change.
    pub object: ObjectId,
    /// Its mail address, shown so that others see which account it is (S1-18).
    pub address: String,
    /// Its display name.
    pub name: String,
}

/// Something the account cannot do, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = MissingCapability))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Unable {
    /// What.
    pub capability: Capability,
    /// Why, and the way out.
    pub reason: String,
}

/// What an account can do by its licences (S1-10, S1-11).
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AccountCapabilities {
    /// What it can.
    pub able: BTreeSet<Capability>,
    /// What it cannot.
    pub unable: Vec<Unable>,
}

impl AccountCapabilities {
    /// By the licences: Exchange Online Plan 1 or better, and Microsoft Teams.
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
            "The account needs a licence for Microsoft Teams; everything else works without."
        } else {
            "Meetings stand in the account's calendar, which needs a licence for Exchange Online, Plan 1 at least."
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

    /// Whether nothing is missing.
    pub fn is_whole(&self) -> bool {
        self.unable.is_empty()
    }
}

/// What a catalog admin chooses.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct MailOptions {
    /// Whether the catalog sends mail, books rooms and makes meetings at all (S1-05).
    #[serde(default)]
    pub enabled: bool,
    /// Whether notifications go out through Azure Communication Services (S1-26).
    #[serde(default)]
    pub use_azure_communication_services: bool,
    /// Address of the organisation's shared calendar that scheduled sessions are
    /// shared with; none when they are not (S1-29).
    #[serde(default)]
    pub organization_calendar: Option<String>,
}

/// The connection as stored. Fields of a later release are let be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct MailConnection {
    /// How often people changed it. What the service notes for itself, such as a
    /// grant's use, does not count: nobody's edit is refused because of that.
    #[serde(default)]
    pub edition: u64,
    /// What people call the catalog.
    #[serde(default)]
    pub title: String,
    /// What was chosen.
    pub options: MailOptions,
    /// How it stands.
    pub status: ConnectionStatus,
    /// Since when.
    pub since: DateTime<Utc>,
    /// Which account, once one was connected.
    #[serde(default)]
    pub account: Option<Account>,
    /// What it can do.
    #[serde(default)]
    pub can: AccountCapabilities,
    /// Who connected it.
    #[serde(default)]
    pub by: Option<Actor>,
    /// When it was connected.
    #[serde(default)]
    pub connected_at: Option<DateTime<Utc>>,
    /// When the grant was last used successfully.
    #[serde(default)]
    pub used_at: Option<DateTime<Utc>>,
    /// What went wrong last.
    #[serde(default)]
    pub fault: Option<Fault>,
    /// Whether a loss is still to be told: it is told after it is stored, and a
    /// function may die in between.
    #[serde(default)]
    pub untold: bool,
    /// Whether the account is still to be greeted, for the same reason.
    #[serde(default)]
    pub unwelcomed: bool,
    /// Under which name the vault keeps the account's grant: an account and its
    /// grant change together, although table and vault know nothing of each other.
    #[serde(default)]
    pub grant: Option<String>,
    /// Whether the vault still has to forget what it kept.
    #[serde(default)]
    pub forget: bool,
    /// Until when an account that signed in may be saved; then it is forgotten.
    #[serde(default)]
    pub draft_until: Option<DateTime<Utc>>,
}

impl MailConnection {
    /// The connection of a catalog nobody has touched: switched off (S1-05).
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
            untold: false,
            unwelcomed: false,
            grant: None,
            forget: false,
            draft_until: None,
        }
    }

    /// Whether the catalog can do something now.
    pub fn allows(&self, capability: Capability) -> bool {
        self.options.enabled && self.status.is_usable() && self.can.able.contains(&capability)
    }

    /// Whether somebody has to look at it from time to time.
    pub fn wants_care(&self) -> bool {
        self.account.is_some() || self.forget || self.draft_until.is_some()
    }

    /// An account that signed in is made the catalog's (S1-30, S1-40); `grant` is
    /// the name of its grant in the vault.
    pub fn connect(
        &mut self,
        account: Account,
        can: AccountCapabilities,
        grant: String,
        by: Actor,
        at: DateTime<Utc>,
    ) -> &'static [Effect] {
        let whole = can.is_whole();
        self.account = Some(account);
        self.can = can;
        self.by = Some(by);
        self.connected_at = Some(at);
        self.used_at = Some(at);
        self.fault = None;
        self.untold = false;
        self.unwelcomed = self.can.able.contains(&Capability::Mail);
        self.grant = Some(grant);
        self.forget = false;
        self.draft_until = None;
        self.take(Event::Proved { whole }, at)
    }

    /// The account or its grant failed. Whatever the cause does to it is done,
    /// and what has to follow is answered: nothing when it was known already.
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
        let effects = self.take(event, at);
        if self.status != before {
            self.fault = Some(Fault::new(cause, code, at));
        }
        if effects.contains(&Effect::TellLoss) {
            self.untold = true;
        }
        effects
    }

    /// Somebody ends it: the account is forgotten, what was chosen stays.
    pub fn disconnect(&mut self, at: DateTime<Utc>) -> &'static [Effect] {
        let effects = self.take(Event::Disconnected, at);
        self.edition += 1;
        self.account = None;
        self.can = AccountCapabilities::default();
        self.fault = None;
        self.connected_at = None;
        self.used_at = None;
        self.unwelcomed = false;
        self.grant = None;
        self.forget = true;
        self.draft_until = None;
        effects
    }

    /// Whether the grant has to be used now so that it does not die.
    pub fn wants_keep_alive(&self, at: DateTime<Utc>) -> bool {
        let due = self
            .used_at
            .is_none_or(|used| used + TimeDelta::days(KEEP_ALIVE_DAYS) <= at);
        self.status.is_usable() && due
    }

    fn take(&mut self, event: Event, at: DateTime<Utc>) -> &'static [Effect] {
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
mod tests {
    use super::*;
    use crate::testing::slot;

    fn account(name: &str) -> Account {
        Account {
            object: ObjectId::new(uuid::Uuid::from_u128(7)),
            address: format!("{name}@contoso.example"),
            name: name.to_owned(),
        }
    }

    fn connected(exchange: bool, teams: bool) -> (MailConnection, &'static [Effect]) {
        let mut it = MailConnection::not_configured(slot());
        it.options.enabled = true;
        let by = Actor::named("cat@contoso.example");
        let effects = it.connect(
            account("events"),
            AccountCapabilities::new(exchange, teams),
            "g".to_owned(),
            by,
            slot(),
        );
        (it, effects)
    }

    /// Proves S1-01 and S1-05: off by default, and nothing is possible then.
    #[test]
    fn a_new_catalog_is_switched_off() {
        let blank = MailConnection::not_configured(slot());
        assert!(!blank.options.enabled && blank.status == ConnectionStatus::NotConfigured);
        let (mut it, _) = connected(true, true);
        assert!(it.allows(Capability::Mail));
        it.options.enabled = false;
        assert!(!it.allows(Capability::Mail));
    }

    /// Proves S1-10 and S1-11: what is missing is named with its reason, the rest works.
    #[test]
    fn licences_decide_what_an_account_can() {
        let (whole, _) = connected(true, true);
        assert_eq!(whole.status, ConnectionStatus::Connected);
        let (no_teams, _) = connected(true, false);
        assert_eq!(no_teams.status, ConnectionStatus::Degraded);
        assert!(no_teams.allows(Capability::Rooms) && !no_teams.allows(Capability::Meetings));
        assert!(no_teams.can.unable[0].reason.contains("Microsoft Teams"));
        let (nothing, _) = connected(false, true);
        assert_eq!(nothing.can.unable.len(), 3);
        assert!(nothing.can.unable[0].reason.contains("Plan 1"));
    }

    /// Proves S1-32, S1-33 and S1-34: a loss stops the catalog's mail and is told once.
    #[test]
    fn a_loss_is_noted_once() {
        let (mut it, _) = connected(true, true);
        let code = Some("AADSTS50173".to_owned());
        let effects = it.fail(Cause::GrantRevoked, code.clone(), slot());
        assert_eq!(effects, [Effect::Hold, Effect::TellLoss]);
        assert!(!it.allows(Capability::Mail));
        assert_eq!(it.fault.as_ref().and_then(|fault| fault.code.clone()), code);
        assert!(it.fail(Cause::AccountGone, None, slot()).is_empty());
        assert_eq!(
            it.fault.as_ref().map(|fault| fault.cause),
            Some(Cause::GrantRevoked)
        );
    }

    /// Proves S1-25 and C-47: an outdated consent has a state of its own and is asked for once.
    #[test]
    fn an_outdated_consent_is_asked_for_once() {
        let (mut it, _) = connected(true, true);
        assert!(!it.fail(Cause::ConsentMissing, None, slot()).is_empty());
        assert_eq!(it.status, ConnectionStatus::ConsentOutdated);
        assert!(it.fail(Cause::ConsentMissing, None, slot()).is_empty());
        let by = Actor::named("cat@contoso.example");
        let effects = it.connect(
            account("events"),
            AccountCapabilities::new(true, true),
            "g".to_owned(),
            by,
            slot(),
        );
        assert_eq!(it.status, ConnectionStatus::Connected);
        assert!(effects.contains(&Effect::Release));
    }

    /// Proves S1-39 and S1-40: disconnecting forgets the account; another one is welcomed.
    #[test]
    fn another_account_takes_the_place_of_the_first() {
        let (mut it, effects) = connected(true, true);
        assert_eq!(effects, [Effect::Welcome, Effect::Release]);
        assert_eq!(it.disconnect(slot()), [Effect::Hold, Effect::Forget]);
        assert!(it.account.is_none() && it.options.enabled);
        let by = Actor::named("cat@contoso.example");
        let effects = it.connect(
            account("other"),
            AccountCapabilities::new(true, true),
            "g".to_owned(),
            by,
            slot(),
        );
        assert!(effects.contains(&Effect::Welcome));
        assert_eq!(
            it.account.map(|it| it.address).as_deref(),
            Some("other@contoso.example")
        );
    }

    /// Proves S1-19: the grant is used weekly, long before it would die.
    #[test]
    fn a_quiet_grant_is_used_in_time() {
        let (mut it, _) = connected(true, true);
        let days = |days| slot() + TimeDelta::days(days);
        assert!(!it.wants_keep_alive(days(5)) && it.wants_keep_alive(days(6)));
        it.fail(Cause::GrantRevoked, None, slot());
        assert!(
            !it.wants_keep_alive(days(60)),
            "nothing is left to keep alive"
        );
    }

    #[test]
    fn what_passes_changes_nothing() {
        let (mut it, _) = connected(true, true);
        let before = it.clone();
        for cause in [Cause::Transient, Cause::OurCredential, Cause::OurRequest] {
            assert!(it.fail(cause, None, slot()).is_empty());
        }
        assert_eq!(it, before);
    }
}
