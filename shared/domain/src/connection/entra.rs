//! The tenant's connection to its Entra directory (S0).

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use super::cause::Cause;
use super::kind::ConnectionKind;
use super::refusal::Fault;
use super::state::{ConnectionStatus, Event, Transition, step};
use crate::base::audit::Actor;

/// Minutes until an unproved consent counts as failed; the app's tokens work only some time after
/// the consent.
const PROOF_MINUTES: i64 = 10;

/// The origin of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = ConnectionOrigin))]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// Connected automatically, because the tenant was installed before connections were made
    /// manually (S0-02).
    Default,
    /// A Global Administrator consented.
    Consented,
}

/// The stored connection. Unknown fields of later releases are ignored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct EntraConnection {
    /// Current status.
    pub status: ConnectionStatus,
    /// Time of the last status change.
    pub since: DateTime<Utc>,
    /// Actor who made the last attempt to connect.
    pub by: Actor,
    /// End of the time for a sign-in or a proof.
    #[serde(default)]
    pub pending_until: Option<DateTime<Utc>>,
    /// True if the consent was given and still has to be proved.
    #[serde(default)]
    pub awaits_proof: bool,
    /// Display name of the directory.
    #[serde(default)]
    pub directory: Option<String>,
    /// The last fault.
    #[serde(default)]
    pub fault: Option<Fault>,
}

impl EntraConnection {
    /// Returns a connection that is not configured.
    fn blank(at: DateTime<Utc>, by: Actor) -> Self {
        Self {
            status: ConnectionStatus::NotConfigured,
            since: at,
            by,
            pending_until: None,
            awaits_proof: false,
            directory: None,
            fault: None,
        }
    }

    /// Starts an attempt: the user is redirected to Microsoft and must return before `until`.
    #[must_use]
    pub fn begun(before: Option<Self>, at: DateTime<Utc>, by: Actor, until: DateTime<Utc>) -> Self {
        let mut it = before.unwrap_or_else(|| Self::blank(at, by.clone()));
        if it.shown(at) != ConnectionStatus::Connected
            && it.status != ConnectionStatus::ConsentOutdated
        {
            it.by = by;
            it.pending_until = Some(until);
            it.fault = None;
            it.awaits_proof = false;
            if it.status == ConnectionStatus::Error {
                it.status = ConnectionStatus::NotConfigured;
            }
            it.apply(Event::Begun, at);
        }
        it
    }

    /// Records the consent, which still has to be proved (S0-19).
    #[must_use]
    pub fn consented(mut self, at: DateTime<Utc>) -> Self {
        if self.status != ConnectionStatus::Connected {
            self.status = ConnectionStatus::PendingConsent;
            self.pending_until = Some(at + TimeDelta::minutes(PROOF_MINUTES));
            self.awaits_proof = true;
        }
        self
    }

    /// Records that the app's own token works in the right directory (S0-20).
    #[must_use]
    pub fn proved(mut self, directory: &str, at: DateTime<Utc>) -> Self {
        self.apply(Event::Proved { complete: true }, at);
        self.pending_until = None;
        self.awaits_proof = false;
        self.directory = Some(directory.to_owned());
        self.fault = None;
        self
    }

    /// Records a refused attempt (S0-21, S0-22). A working connection is not changed.
    #[must_use]
    pub fn refused(mut self, cause: Cause, code: Option<String>, at: DateTime<Utc>) -> Self {
        if self.status.is_usable() {
            return self;
        }
        self.apply(Event::Refused, at);
        self.pending_until = None;
        self.awaits_proof = false;
        self.fault = Some(Fault::new(cause, code, at));
        self
    }

    /// Records that the app no longer works in the directory, because the consent was withdrawn or
    /// the app removed. Returns true if this was not recorded before.
    pub fn lost(&mut self, cause: Cause, code: Option<String>, at: DateTime<Utc>) -> bool {
        let before = self.status;
        match cause.event() {
            Some(event) => self.apply(event, at),
            None => return false,
        }
        if self.status == before {
            return false;
        }
        self.fault = Some(Fault::new(cause, code, at));
        true
    }

    /// Returns the status at `at`; a sign-in that was not completed in time no longer counts.
    pub fn shown(&self, at: DateTime<Utc>) -> ConnectionStatus {
        let lapsed = self.pending_until.is_none_or(|until| until <= at);
        match self.status {
            ConnectionStatus::PendingConsent if lapsed && !self.awaits_proof => {
                ConnectionStatus::NotConfigured
            }
            other => other,
        }
    }

    /// Returns true if the time for the proof has ended without success.
    pub fn proof_is_over(&self, at: DateTime<Utc>) -> bool {
        self.awaits_proof && self.pending_until.is_none_or(|until| until <= at)
    }

    fn apply(&mut self, event: Event, at: DateTime<Utc>) {
        if let Transition::To(status, _) = step(ConnectionKind::Entra, self.status, event) {
            if status != self.status {
                self.since = at;
            }
            self.status = status;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::slot;

    fn begun(before: Option<EntraConnection>, minutes: i64) -> EntraConnection {
        let at = slot() + TimeDelta::minutes(minutes);
        let by = Actor::named("ada@contoso.example");
        EntraConnection::begun(before, at, by, at + TimeDelta::minutes(10))
    }

    /// Proves S0-07: before it succeeds, an attempt may expire, fail and be repeated.
    #[test]
    fn an_attempt_may_fail_and_be_repeated() {
        let one = begun(None, 0);
        assert_eq!(one.shown(slot()), ConnectionStatus::PendingConsent);
        let late = slot() + TimeDelta::minutes(11);
        assert_eq!(one.shown(late), ConnectionStatus::NotConfigured);
        let failed = one.refused(Cause::Declined, Some("AADSTS65004".to_owned()), slot());
        assert_eq!(failed.shown(slot()), ConnectionStatus::Error);
        let again = begun(Some(failed), 1);
        assert_eq!(again.shown(slot()), ConnectionStatus::PendingConsent);
        assert!(again.fault.is_none());
        let proved = again.consented(slot()).proved("Contoso", slot());
        assert_eq!(
            (proved.shown(late), proved.awaits_proof),
            (ConnectionStatus::Connected, false)
        );
    }

    /// Proves S0-20 and S0-22: a later attempt that fails does not break a working connection.
    #[test]
    fn what_works_survives_a_failed_attempt() {
        let works = begun(None, 0).consented(slot()).proved("Contoso", slot());
        let after = begun(Some(works.clone()), 5).refused(Cause::Declined, None, slot());
        assert_eq!(after, works);
    }

    /// A withdrawn consent is detected, reported once, and can be given again.
    #[test]
    fn a_withdrawn_consent_is_noticed_and_renewed() {
        let mut works = begun(None, 0).consented(slot()).proved("Contoso", slot());
        assert!(!works.lost(Cause::Transient, None, slot()));
        let code = Some("AADSTS700016".to_owned());
        assert!(works.lost(Cause::AppUnknown, code, slot()));
        assert!(
            !works.lost(Cause::AppUnknown, None, slot()),
            "a known loss was reported again"
        );
        assert_eq!(works.status, ConnectionStatus::Error);
        let again = begun(Some(works), 1)
            .consented(slot())
            .proved("Contoso", slot());
        assert_eq!(
            (again.status, again.fault),
            (ConnectionStatus::Connected, None)
        );
    }

    #[test]
    fn a_consent_without_proof_is_pending_for_some_minutes() {
        let waits = begun(None, 0).consented(slot());
        let later = slot() + TimeDelta::minutes(PROOF_MINUTES);
        assert_eq!(waits.shown(later), ConnectionStatus::PendingConsent);
        assert!(!waits.proof_is_over(slot()) && waits.proof_is_over(later));
    }
}
