//! The state of a tenant's directory sync: connection, test, phase, pause and pending review.

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::config::SyncConfig;
use super::schedule::Schedule;
use crate::base::audit::Actor;
use crate::base::schedule::Slot;
use crate::connection::ConnectionStatus;

/// Days before its expiry from which a secret counts as expiring soon (S2-10).
pub const EXPIRES_SOON_DAYS: i64 = 30;
/// Maximum days between two full reads: one less than the seven days for which Microsoft stores
/// changes.
pub const FULL_READ_DAYS: i64 = 6;

/// The access to the directory.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = SyncSource))]
#[serde(
    rename_all = "camelCase",
    rename_all_fields = "camelCase",
    tag = "kind"
)]
pub enum SourceConnection {
    /// With an app registration of the customer (S2-07, S2-08).
    App {
        /// Application (client) id.
        client_id: String,
        /// Expiry of the client secret, if the administrator entered it (S2-09).
        #[serde(default, skip_serializing_if = "Option::is_none")]
        secret_expires: Option<DateTime<Utc>>,
    },
    /// With the app of this service, after an administrator's consent (S3-08).
    Consent,
}

/// The phase of the sync.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = SyncPhase))]
#[serde(rename_all = "snake_case")]
pub enum SyncPhase {
    /// Not activated yet; runs do not start automatically.
    #[default]
    Inactive,
    /// Runs start as scheduled.
    Active,
    /// Switched off; all data is kept so that it can be switched on again (S2-44, S2-45).
    Deactivated,
    /// Disconnected: the credentials were deleted, the configuration remains (S3-39, S3-40).
    Disconnected,
}

/// The result of a connection test of one configuration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TestMark {
    /// Fingerprint of the tested configuration, see [`SyncState::fingerprint`].
    pub of: String,
    /// True if all checks passed.
    pub passed: bool,
    /// Time of the test.
    pub at: DateTime<Utc>,
}

/// Why runs do not start automatically (S2-49).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = SyncPause))]
#[serde(rename_all = "camelCase")]
pub struct Pause {
    /// Start of the pause.
    pub since: DateTime<Utc>,
    /// The error that caused it.
    pub error: String,
    /// True if an administrator has to act. Otherwise the next slot runs a connection test first
    /// and continues if it passes (C-25).
    pub needs_person: bool,
}

/// A plan that waits for an approval (S3-20).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Pending {
    /// Slot of the run that made the plan.
    pub run: Slot,
    /// Time of the plan.
    pub at: DateTime<Utc>,
    /// Hash of the changes; it distinguishes plans.
    pub hash: String,
    /// Why the plan waits although the mode is automatic.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub held: Option<String>,
    /// Actor and time of the approval; it covers all changes that were not rejected.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approved: Option<(Actor, DateTime<Utc>)>,
}

/// The stored state of a tenant's sync, without credentials and checkpoint.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SyncState {
    /// The tenant's configuration.
    pub config: SyncConfig,
    /// The access to the directory; `None` if it is not connected.
    #[serde(default)]
    pub source: Option<SourceConnection>,
    /// Number of times the credentials were replaced; a test of earlier ones is invalid.
    #[serde(default)]
    pub credentials: u64,
    /// The phase of the sync.
    #[serde(default)]
    pub phase: SyncPhase,
    /// The last connection test.
    #[serde(default)]
    pub test: Option<TestMark>,
    /// Why runs do not start automatically.
    #[serde(default)]
    pub pause: Option<Pause>,
    /// The operator's schedule, which replaces the configured times (S2-35).
    #[serde(default)]
    pub operator: Option<Schedule>,
    /// The plan that waits for review.
    #[serde(default)]
    pub pending: Option<Pending>,
    /// The next slot, as stored in the due index.
    #[serde(default)]
    pub due: Option<DateTime<Utc>>,
    /// Number of edits by users; updates by runs do not count.
    #[serde(default)]
    pub edits: u64,
    /// The last user who edited the sync.
    pub by: Actor,
    /// Time of the last edit.
    pub at: DateTime<Utc>,
    /// Slot of the first run, at the activation (S2-33).
    #[serde(default)]
    pub activated: Option<DateTime<Utc>>,
    /// Time of the last full read.
    #[serde(default)]
    pub read_in_full: Option<DateTime<Utc>>,
}

impl SyncState {
    /// Creates the state of a sync that has just been configured.
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

    /// Returns the fingerprint of what a test covers: configuration, credentials and source.
    pub fn fingerprint(&self) -> String {
        let mut hash = Sha256::new();
        hash.update(serde_json::to_vec(&self.config).unwrap_or_default());
        hash.update(self.credentials.to_le_bytes());
        hash.update(serde_json::to_vec(&self.source).unwrap_or_default());
        hex::encode(hash.finalize())
    }

    /// Returns true if the current configuration has passed a test (S2-31).
    pub fn is_tested(&self) -> bool {
        let fingerprint = self.fingerprint();
        self.test
            .as_ref()
            .is_some_and(|test| test.passed && test.of == fingerprint)
    }

    /// Records a test of the configuration with this fingerprint. If the current configuration
    /// passed, the pause ends (S2-50).
    pub fn note_test(&mut self, of: String, passed: bool, at: DateTime<Utc>) {
        self.test = Some(TestMark { of, passed, at });
        if self.is_tested() {
            self.resolve();
        }
    }

    /// Returns true if the last test was of the current configuration and failed.
    pub fn has_failed_test(&self) -> bool {
        let failed = self.test.as_ref().filter(|test| !test.passed);
        failed.is_some_and(|test| test.of == self.fingerprint())
    }

    /// Returns true if runs start automatically.
    pub fn runs_by_itself(&self) -> bool {
        self.phase == SyncPhase::Active
            && self.pause.as_ref().is_none_or(|pause| !pause.needs_person)
    }

    /// Returns the next due time after `after`. An operator's times replace the configured ones,
    /// but a manual sync is never due.
    pub fn next_due(&self, after: DateTime<Utc>) -> Option<DateTime<Utc>> {
        if !self.runs_by_itself() {
            return None;
        }
        let chosen = self.config.strategy.rhythm()?;
        self.operator.as_ref().unwrap_or(&chosen).next_after(after)
    }

    /// Sets the next slot after a change. A slot that is already due is kept, because only the tick
    /// may advance it.
    pub fn reschedule(&mut self, now: DateTime<Utc>) {
        let next = self.next_due(now);
        let waits = self.due.is_some_and(|due| due <= now);
        if next.is_none() || !waits {
            self.due = next;
        }
    }

    /// Returns the status in the common model of all connections.
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

    /// Returns the days until the secret expires, if known; negative after its expiry.
    pub fn expires_in(&self, now: DateTime<Utc>) -> Option<i64> {
        match self.source {
            Some(SourceConnection::App {
                secret_expires: Some(at),
                ..
            }) => Some((at - now).num_days()),
            _ => None,
        }
    }

    /// Returns true if a full read is due, because the last one is missing or older than
    /// [`FULL_READ_DAYS`].
    pub fn wants_full_read(&self, now: DateTime<Utc>) -> bool {
        self.read_in_full
            .is_none_or(|at| now - at >= TimeDelta::days(FULL_READ_DAYS))
    }

    /// Ends the pause after a passed test, a successful run or new credentials (S2-50).
    pub fn resolve(&mut self) {
        self.pause = None;
        // A failed test is outdated now.
        self.test = self.test.take().filter(|test| test.passed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::directory_sync::Strategy;

    fn now() -> DateTime<Utc> {
        "2026-11-26T10:00:00Z".parse().expect("time not parsed")
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
            "phase and due time must not be part of the configuration"
        );
    }

    /// Proves S2-44, S2-49, S3-15, S3-19, S3-39 and C-25: when runs do not start automatically.
    #[test]
    fn only_an_active_sync_that_is_not_paused_is_due() {
        let mut state = state();
        assert_eq!(state.next_due(now()), None);
        state.phase = SyncPhase::Active;
        let four = "2026-11-27T04:00:00Z".parse().expect("time not parsed");
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
        assert_eq!(
            state.next_due(now()),
            Some(four),
            "the slot that runs a test was not due"
        );
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

    /// Proves S2-35 and X-04: an operator's times replace the daily one.
    #[test]
    fn an_operators_times_win() {
        let mut state = state();
        state.phase = SyncPhase::Active;
        let times = ["10:30", "22:30"].map(|time| time.parse().expect("time of day not parsed"));
        state.operator = Some(Schedule {
            times: times.into(),
            zone: chrono_tz::Tz::UTC,
        });
        let next = state.next_due(now()).expect("no due time");
        assert_eq!(next.to_rfc3339(), "2026-11-26T10:30:00+00:00");
        state.config.strategy = Strategy::Manual;
        assert_eq!(state.next_due(now()), None, "a manual sync became due");
    }

    /// Proves S2-10, X-02 and X-09: a secret that expires soon changes the status in advance.
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
