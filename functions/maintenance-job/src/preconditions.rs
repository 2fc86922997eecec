//! Preconditions of a run, checked before the lock is acquired: the tenant is entitled, no refresh
//! is running or due in the same slot, and a recent snapshot exists.

use chrono::{DateTime, Utc};
use rollcall_app::Services;
use rollcall_app::jobs::job_run::Admission;
use rollcall_clients::store::tenants::{SnapshotPointer, Tenant};
use rollcall_clients::store::{REFRESH_LEASE, StoreError};
use rollcall_domain::base::run::{MAX_WAITS, Run, RunRequest, Trigger};
use rollcall_domain::base::schedule::Job;

/// Checks whether a run may begin. Nothing is locked or changed here (S4-107).
pub(crate) async fn check(
    services: &Services,
    tenant: &Tenant,
    request: &RunRequest,
    at: DateTime<Utc>,
) -> Result<Admission<SnapshotPointer>, StoreError> {
    let store = &services.store;
    if !services.is_entitled(tenant.id).await? {
        let note = "the tenant's plan does not include the service; groups and enrolments stay as they are";
        return Ok(skip(note));
    }
    if store.held_until(tenant.id, REFRESH_LEASE).await?.is_some() {
        return Ok(if request.waits < MAX_WAITS {
            Admission::Requeue
        } else {
            skip("the data refresh is still running after half an hour; the next slot runs again")
        });
    }
    if request.waits < SAME_SLOT_WAITS && refresh_of_slot_is_due(services, request).await? {
        return Ok(Admission::Requeue);
    }
    let Some(pointer) = store.snapshot_pointer(tenant.id).await? else {
        return Ok(skip("the data refresh has not run yet"));
    };
    let age = (at - pointer.taken_at).to_std().unwrap_or_default();
    if age > services.settings.snapshot_max_age {
        let reason = format!(
            "the newest data is from {}, {} hours ago; data older than {} hours is not used",
            pointer.taken_at.format("%Y-%m-%d %H:%M UTC"),
            age.as_secs() / 3_600,
            services.settings.snapshot_max_age.as_secs() / 3_600
        );
        return Ok(Admission::Skip {
            reason,
            alert: true,
        });
    }
    Ok(Admission::Start(pointer))
}

/// Returns an admission that skips the run without notifying administrators.
fn skip(reason: &str) -> Admission<SnapshotPointer> {
    Admission::Skip {
        reason: reason.to_owned(),
        alert: false,
    }
}

/// Number of times the membership job waits for a refresh of the same slot. After that it uses
/// the current data, because the deployment may schedule the refresh at another time.
const SAME_SLOT_WAITS: u32 = 10;

/// Returns true if the refresh of the same slot has not ended yet: the membership job of 08:00
/// follows the refresh of 08:00 (C-03).
async fn refresh_of_slot_is_due(
    services: &Services,
    request: &RunRequest,
) -> Result<bool, StoreError> {
    if request.job != Job::Membership || request.trigger != Trigger::Schedule {
        return Ok(false);
    }
    let same_slot = RunRequest {
        job: Job::Refresh,
        ..request.clone()
    };
    let planned = Job::Refresh
        .hours()
        .iter()
        .any(|hour| request.slot.is_at_hour(*hour));
    Ok(planned
        && !services
            .store
            .run(&same_slot)
            .await?
            .is_some_and(|run| Run::is_over(&run)))
}
