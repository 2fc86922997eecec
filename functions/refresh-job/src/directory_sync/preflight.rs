//! Before a run reads anything: whether it may begin, whether a test has to pass first, what became of the one before.

use chrono::Utc;
use rollcall_app::Services;
use rollcall_clients::store::runs::DIED;
use rollcall_clients::store::{Lease, StoreError};
use rollcall_domain::base::run::{RunRequest, RunStatus, Trigger};
use rollcall_domain::base::schedule::Job as Which;
use rollcall_domain::directory_sync::{SyncPhase, SyncState};

use super::failure::SyncFailure;
use super::finish::FinishError;
use super::{SyncRun, finish};

/// Whether a run may begin as the sync stands now (S2-44, S2-46, S3-42).
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
            Err("runs by themselves are paused until what went wrong is resolved")
        }
        _ => Ok(()),
    }
}

/// A run before this one that died without a word is recorded so, and told as any
/// failure is (S2-47, S2-48). It pauses nothing: the run that finds it makes up for it.
pub(super) async fn bury(
    services: &Services,
    lease: &Lease,
    request: &RunRequest,
) -> Result<(), FinishError> {
    let tenant = request.tenant;
    let store = &services.store;
    let last = store
        .last_run(tenant, Which::DirectorySync, request.slot)
        .await?;
    let Some(dead) = last.filter(|run| run.status == RunStatus::Running) else {
        return Ok(());
    };
    tracing::error!(%tenant, slot = %dead.request.slot, "the directory sync died: {DIED}");
    let about = finish::sync_failed(services, &dead, DIED.to_owned(), false);
    services.notify_owners(tenant, about).await?;
    Ok(store.mark_run_crashed(lease.fence(), &dead).await?)
}

impl SyncRun<'_> {
    /// A sync that is being set up, or that paused by itself, is tested first: it
    /// goes on when everything is as it should be (S2-50, C-25, S3-13).
    pub(super) async fn before_reading(
        &self,
        state: &SyncState,
    ) -> Result<Result<SyncState, SyncFailure>, StoreError> {
        let paused = state.pause.is_some() && self.request.trigger == Trigger::Schedule;
        if state.phase == SyncPhase::Active && !paused {
            return Ok(Ok(state.clone()));
        }
        let tenant = self.request.tenant;
        let tested = Box::pin(self.services.test_sync(tenant, state)).await;
        let test = match tested {
            Ok(test) => test,
            Err(error) => return Ok(Err(SyncFailure::of_client(&error.into()))),
        };
        let (of, passed) = (state.fingerprint(), test.ok);
        let now = Utc::now();
        let after = self.services.store.change_sync(tenant, &[], |state| {
            // Somebody has changed it while it was tested: nothing is known of that.
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
        let after = after.await?;
        if after.fingerprint() != of {
            let changed = "the configuration was changed while it was tested; start a run again";
            return Ok(Err(SyncFailure::new(changed)));
        }
        if passed {
            return Ok(Ok(after));
        }
        let found = test.checks.iter().filter(|check| !finish::is_fine(check));
        let found: Vec<&str> = found.map(|check| check.detail.as_str()).collect();
        let mut trouble = SyncFailure::new(format!("The test failed: {}", found.join(" ")));
        trouble.needs_person = !test.problems().is_empty();
        // The pause was told when it began, unless it takes a person only now.
        let known = state.pause.as_ref().is_some_and(|pause| pause.needs_person);
        trouble.quiet = paused && (known || !trouble.needs_person);
        Ok(Err(trouble))
    }
}
