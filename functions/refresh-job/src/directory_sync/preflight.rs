//! Preconditions of a run, and the test that some runs have to pass first.

use chrono::Utc;
use rollcall_app::directory_sync::SyncClientError;
use rollcall_domain::base::run::{RunRequest, Trigger};
use rollcall_domain::connection::{Check, CheckStatus};
use rollcall_domain::directory_sync::{SyncPhase, SyncState};

use super::SyncRun;
use super::failure::SyncFailure;

/// Checks whether a run may begin in the current state of the sync (S2-44, S2-46, S3-42).
pub(super) fn check_preconditions(
    state: &SyncState,
    request: &RunRequest,
) -> Result<(), &'static str> {
    let by_hand = matches!(request.trigger, Trigger::Manual { .. });
    match state.phase {
        SyncPhase::Disconnected => Err("the directory sync is disconnected"),
        SyncPhase::Deactivated => Err("the directory sync is deactivated"),
        SyncPhase::Inactive if !by_hand => Err("the directory sync is not active"),
        _ if state.source.is_none() => Err("the directory sync is not connected"),
        SyncPhase::Active if !by_hand && !state.runs_by_itself() => {
            Err("scheduled runs are paused until the cause of the last failure is fixed")
        }
        _ => Ok(()),
    }
}

impl SyncRun<'_> {
    /// Tests a sync that is not active yet, or whose scheduled runs are paused, before it runs.
    /// A test that passes activates it or ends the pause (S2-50, C-25, S3-13).
    ///
    /// # Errors
    /// Returns the reason why the run must not begin.
    pub(super) async fn test_if_needed(&self, state: SyncState) -> Result<SyncState, SyncFailure> {
        let paused = state.pause.is_some() && self.request.trigger == Trigger::Schedule;
        if state.phase == SyncPhase::Active && !paused {
            return Ok(state);
        }
        let tenant = self.request.tenant;
        let tested = Box::pin(self.services.test_sync(tenant, &state)).await;
        let test = tested.map_err(SyncClientError::from)?;
        // The lease may have been lost during a long test, and the following write does not check
        // it.
        self.budget.confirm_lease().await?;
        let (of, passed) = (state.fingerprint(), test.ok);
        let now = Utc::now();
        let after = self.services.store.change_sync(tenant, &[], |state| {
            // An administrator changed it during the test: the result is about the previous
            // configuration.
            if state.fingerprint() != of {
                return false;
            }
            state.note_test(of.clone(), passed, now);
            if passed && state.phase == SyncPhase::Inactive {
                state.phase = SyncPhase::Active;
                state.activated = Some(now);
            }
            state.reschedule(now);
            true
        });
        let after = after.await.map_err(SyncFailure::NotBegun)?;
        if after.fingerprint() != of {
            return Err(SyncFailure::ConfigurationChanged);
        }
        if passed {
            return Ok(after);
        }
        let found = test.checks.iter().filter(|check| !is_fine(check));
        let found: Vec<&str> = found.map(|check| check.detail.as_str()).collect();
        let needs_person = !test.problems().is_empty();
        // The owners were notified when the pause began, unless the cause needs an
        // administrator only now.
        let known = state.pause.as_ref().is_some_and(|pause| pause.needs_person);
        Err(SyncFailure::TestFailed {
            details: found.join(" "),
            needs_person,
            already_notified: paused && (known || !needs_person),
        })
    }
}

/// Returns true if a check needs no action by an administrator.
fn is_fine(check: &Check) -> bool {
    matches!(check.status, CheckStatus::Passed | CheckStatus::Warning)
}
