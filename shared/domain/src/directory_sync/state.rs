//! How a tenant's directory sync stands: connected or not, tested, active, paused, what waits for review.

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::config::SyncConfig;
use super::schedule::Schedule;
use crate::base::audit::Actor;
use crate::base::schedule::Slot;
use crate::connection::ConnectionStatus;

/// Days before a secret ends at which it counts as ending soon (S2-10).
pub const EXPIRES_SOON_DAYS: i64 = 30;
/// Everything is read anew at least this often, in days, less a margin below the
/// seven days that Microsoft keeps what changed.
pub const FULL_READ_DAYS: i64 = 6;

/// How the directory is read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = SyncSource))]
#[serde(
    rename_all = "camelCase",
    rename_all_fields = "camelCase",
    tag = "kind"
)]
pub enum SourceConnection {
    /// By an app registration of the customer's own (S2-07, S2-08).
    App {
        /// Application (client) id.
        client_id: String,
        /// When its secret ends, if somebody entered it (S2-09).
        #[serde(default, skip_serializing_if = "Option::is_none")]
        secret_expires: Option<DateTime<Utc>>,
    },
    /// By this service's own app, to which an administrator consented (S3-08).
    Consent,
}

/// How far the sync is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = SyncPhase))]
#[serde(rename_all = "snake_case")]
pub enum SyncPhase {
    /// Configured, or not yet; no run begins by itself.
    #[default]
    Inactive,
    /// It runs.
    Active,
    /// Switched off; everything is kept for switching it on again (S2-44, S2-45).
    Deactivated,
    /// The connection was ended: its credentials are forgotten, what was chosen
    /// stays (S3-39, S3-40).
    Disconnected,
}

/// A test that was made of one configuration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TestMark {
    /// Of which: see [`SyncState::fingerprint`].
    pub of: String,
    /// Whether everything was as it should be.
    pub passed: bool,
    /// When.
    pub at: DateTime<Utc>,
}

/// Why no run begins by itself (S2-49).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = SyncPause))]
#[serde(rename_all = "camelCase")]
pub struct Pause {
    /// Since when.
    pub since: DateTime<Utc>,
    /// What went wrong.
    pub error: String,
    /// Whether somebody has to act; otherwise the next slot tries a test first, and
    /// goes on if that passes (C-25).
    pub needs_person: bool,
}

/// A comparison that waits for somebody (S3-20).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Pending {
    /// The run that made it.
    pub run: Slot,
    /// When.
    pub at: DateTime<Utc>,
    /// Which changes, to tell two comparisons apart.
    pub hash: String,
    /// Why it waits although changes are applied by themselves.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub held: Option<String>,
    /// Who approved what was not rejected, and when.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approved: Option<(Actor, DateTime<Utc>)>,
}

/// Everything that is stored about a tenant's sync but credentials and what was read.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SyncState {
    /// What was chosen.
    pub config: SyncConfig,
    /// How the directory is read; nothing while it is not connected.
    #[serde(default)]
    pub source: Option<SourceConnection>,
    /// Counts replacements of credentials, so that a test of earlier ones no longer counts.
    #[serde(default)]
    pub credentials: u64,
    /// How far it is.
    #[serde(default)]
    pub phase: SyncPhase,
    /// The last test.
    #[serde(default)]
    pub test: Option<TestMark>,
    /// Why it does not run by itself.
    #[serde(default)]
    pub pause: Option<Pause>,
    /// Times an operator set instead of the chosen ones (S2-35).
    #[serde(default)]
    pub operator: Option<Schedule>,
    /// What waits for review.
    #[serde(default)]
    pub pending: Option<Pending>,
    /// The next slot, as the due index has it.
    #[serde(default)]
    pub due: Option<DateTime<Utc>>,
    /// Counts what people chose and entered; what runs note is no edit.
    #[serde(default)]
    pub edits: u64,
    /// Who changed something last, and when.
    pub by: Actor,
    /// When.
    pub at: DateTime<Utc>,
    /// Slot of the first run, at the activation (S2-33).
    #[serde(default)]
    pub activated: Option<DateTime<Utc>>,
    /// When everything was read anew last.
    #[serde(default)]
    pub read_in_full: Option<DateTime<Utc>>,
}

impl SyncState {
    /// A sync that somebody has just configured.
    pub fn new(config: SyncConfig, by: Actor, at: DateTime<Utc>) -> Self {
        Self {
            config,
            source: None,
            credentials: 0,
            phase: SyncPhase::Inactive,
            test: None,
            pause: None,
            operator: None,
            pending: None,
            due: None,
            edits: 0,
            by,
            at,
            activated: None,
            read_in_full: None,
        }
    }

    /// What a test is of: the configuration and the credentials, whatever else changes.
    pub fn fingerprint(&self) -> String {
        let mut hash = Sha256::new();
        hash.update(serde_json::to_vec(&self.config).unwrap_or_default());
        hash.update(self.credentials.to_le_bytes());
        hash.update(serde_json::to_vec(&self.source).unwrap_or_default());
        hex::encode(hash.finalize())
    }

    /// Whether the configuration as it is now has passed a test (S2-31).
    pub fn is_tested(&self) -> bool {
        let fingerprint = self.fingerprint();
        self.test
            .as_ref()
            .is_some_and(|test| test.passed && test.of == fingerprint)
    }

    /// Notes a test of the configuration with this fingerprint; one of the
    /// configuration as it is now that passed resolves what paused the sync (S2-50).
    pub fn note_test(&mut self, of: String, passed: bool, at: DateTime<Utc>) {
        self.test = Some(TestMark { of, passed, at });
        if self.is_tested() {
            self.resolve();
        }
    }

    /// Whether the last test was of the configuration as it is now, and failed.
    pub fn has_failed_test(&self) -> bool {
        let failed = self.test.as_ref().filter(|test| !test.passed);
        failed.is_some_and(|test| test.of == self.fingerprint())
    }

    /// Whether runs begin by themselves.
    pub fn runs_by_itself(&self) -> bool {
        self.phase == SyncPhase::Active
            && self.pause.as_ref().is_none_or(|pause| !pause.needs_person)
    }

    /// The next moment at which a run is due after `after`; an operator's times
    /// come before the chosen ones, but make nothing run that is manual.
    pub fn next_due(&self, after: DateTime<Utc>) -> Option<DateTime<Utc>> {
        if !self.runs_by_itself() {
            return None;
        }
        let chosen = self.config.strategy.rhythm()?;
        self.operator.as_ref().unwrap_or(&chosen).next_after(after)
    }

    /// Sets the next slot after something changed. One that has come already and was
    /// not asked for yet stays: only the tick moves on from it.
    pub fn reschedule(&mut self, now: DateTime<Utc>) {
        let next = self.next_due(now);
        let waits = self.due.is_some_and(|due| due <= now);
        if next.is_none() || !waits {
            self.due = next;
        }
    }

    /// How it stands in the one model of all connections.
    pub fn status(&self, now: DateTime<Utc>) -> ConnectionStatus {
        match (self.phase, &self.source) {
            (SyncPhase::Disconnected, _) => ConnectionStatus::Disconnected,
            (_, None) => ConnectionStatus::NotConfigured,
            _ if self.pause.is_some() || self.has_failed_test() => ConnectionStatus::Error,
            (SyncPhase::Deactivated, _) => ConnectionStatus::Paused,
            _ if self
                .expires_in(now)
                .is_some_and(|days| days <= EXPIRES_SOON_DAYS) =>
            {
                ConnectionStatus::SecretExpiring
            }
            _ => ConnectionStatus::Connected,
        }
    }

    /// Days until the secret ends, if that is known; negative once it has.
    pub fn expires_in(&self, now: DateTime<Utc>) -> Option<i64> {
        match self.source {
            Some(SourceConnection::App {
                secret_expires: Some(at),
                ..
            }) => Some((at - now).num_days()),
            _ => None,
        }
    }

    /// Whether everything has to be read anew, since what changed is no longer to
    /// be had or was followed for long enough.
    pub fn wants_full_read(&self, now: DateTime<Utc>) -> bool {
        self.read_in_full
            .is_none_or(|at| now - at >= TimeDelta::days(FULL_READ_DAYS))
    }

    /// Whatever stood in the way is resolved: a passing test, a run that succeeded,
    /// or new credentials (S2-50).
    pub fn resolve(&mut self) {
        self.pause = None;
        // What works says more than a test that failed before.
        self.test = self.test.take().filter(|test| test.passed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::directory_sync::Strategy;

    fn now() -> DateTime<Utc> {
        "2026-11-26T10:00:00Z".parse().expect("a moment")
    }

    fn state() -> SyncState {
        let mut state = SyncState::new(SyncConfig::new("x"), Actor::named("kay"), now());
        state.source = Some(SourceConnection::App {
            client_id: "app".to_owned(),
            secret_expires: None,
        });
        state
    }

    fn passed(state: &mut SyncState) {
        state.test = Some(TestMark {
            of: state.fingerprint(),
            passed: true,
            at: now(),
        });
    }

    /// Proves S2-31: only a test of exactly this configuration counts.
    #[test]
    fn a_test_counts_until_something_it_was_of_changes() {
        let mut state = state();
        assert!(!state.is_tested());
        passed(&mut state);
        assert!(state.is_tested());
        let mut edited = state.clone();
        edited.config.guests = false;
        assert!(!edited.is_tested());
        let mut replaced = state.clone();
        replaced.credentials += 1;
        assert!(!replaced.is_tested());
        state.phase = SyncPhase::Active;
        state.due = Some(now());
        assert!(
            state.is_tested(),
            "its own life is none of the configuration"
        );
    }

    /// Proves S2-44, S2-49, S3-15, S3-19, S3-39 and C-25: when no run begins by itself.
    #[test]
    fn only_an_active_sync_that_is_not_paused_is_due() {
        let mut state = state();
        assert_eq!(state.next_due(now()), None);
        state.phase = SyncPhase::Active;
        let four = "2026-11-27T04:00:00Z".parse().expect("a moment");
        assert_eq!(state.next_due(now()), Some(four));
        let pause = |needs_person| {
            Some(Pause {
                since: now(),
                error: String::new(),
                needs_person,
            })
        };
        state.pause = pause(true);
        assert_eq!(state.next_due(now()), None);
        state.pause = pause(false);
        assert_eq!(state.next_due(now()), Some(four), "it tries a test then");
        state.resolve();
        for phase in [
            SyncPhase::Inactive,
            SyncPhase::Deactivated,
            SyncPhase::Disconnected,
        ] {
            assert_eq!(
                SyncState {
                    phase,
                    ..state.clone()
                }
                .next_due(now()),
                None,
                "{phase:?}"
            );
        }
        state.config.strategy = Strategy::Manual;
        assert_eq!(state.next_due(now()), None);
    }

    /// Proves S2-35 and X-04: an operator's times win over the daily one.
    #[test]
    fn an_operators_times_win() {
        let mut state = state();
        state.phase = SyncPhase::Active;
        let times = ["10:30", "22:30"].map(|time| time.parse().expect("a time"));
        state.operator = Some(Schedule {
            times: times.into(),
            zone: chrono_tz::Tz::UTC,
        });
        let next = state.next_due(now()).expect("a moment");
        assert_eq!(next.to_rfc3339(), "2026-11-26T10:30:00+00:00");
        state.config.strategy = Strategy::Manual;
        assert_eq!(state.next_due(now()), None, "manual stays manual");
    }

    /// Proves S2-10, X-02 and X-09: a secret that ends soon shows before it does.
    #[test]
    fn a_secret_that_ends_soon_is_shown() {
        let ends = |days| {
            let mut state = state();
            let at = now() + TimeDelta::days(days);
            state.source = Some(SourceConnection::App {
                client_id: "app".to_owned(),
                secret_expires: Some(at),
            });
            state.status(now())
        };
        assert_eq!(ends(31), ConnectionStatus::Connected);
        assert_eq!(ends(30), ConnectionStatus::SecretExpiring);
        assert_eq!(ends(-1), ConnectionStatus::SecretExpiring);
        assert_eq!(state().status(now()), ConnectionStatus::Connected);
    }
}
