//! Before the lock: is there data, is it recent, has the refresh ended?

use chrono::{DateTime, Utc};
use rollcall_app::Services;
use rollcall_clients::store::tenants::{SnapshotPointer, Tenant};
use rollcall_clients::store::{REFRESH_LEASE, StoreError};
use rollcall_domain::base::run::{MAX_WAITS, Run, RunRequest, Trigger};
use rollcall_domain::base::schedule::Job;

/// Whether a run may begin.
pub(crate) enum Admission {
    /// Yes, on this data.
    Open(SnapshotPointer),
    /// Not yet: look again later (S4-095).
    Wait,
    /// No, and that is in order.
    Skip(String),
    /// No, and somebody has to know (C-19).
    Alarm(String),
}

/// Decides. Nothing is locked or changed here (S4-107).
pub(crate) async fn gate(
    services: &Services,
    tenant: &Tenant,
    request: &RunRequest,
    at: DateTime<Utc>,
) -> Result<Admission, StoreError> {
    let store = &services.store;
    if !services.is_entitled(tenant.id).await? {
        let note = "the tenant's plan does not include the service; groups and enrolments stay as they are";
        return Ok(Admission::Skip(note.to_owned()));
    }
    if store.held_until(tenant.id, REFRESH_LEASE).await?.is_some() {
        return Ok(if request.waits < MAX_WAITS {
            Admission::Wait
        } else {
            Admission::Skip(
                "the data refresh is still running after half an hour; the next slot goes on"
                    .to_owned(),
            )
        });
    }
    if request.waits < SAME_SLOT_WAITS && refresh_of_slot_is_due(services, request).await? {
        return Ok(Admission::Wait);
    }
    let Some(pointer) = store.snapshot_pointer(tenant.id).await? else {
        return Ok(Admission::Skip(
            "the data refresh has not run yet".to_owned(),
        ));
    };
    let age = (at - pointer.taken_at).to_std().unwrap_or_default();
    if age > services.settings.snapshot_max_age {
        return Ok(Admission::Alarm(format!(
            "the newest data is of {}, {} hours ago; data older than {} hours is not acted upon",
            pointer.taken_at.format("%Y-%m-%d %H:%M UTC"),
            age.as_secs() / 3_600,
            services.settings.snapshot_max_age.as_secs() / 3_600
        )));
    }
    Ok(Admission::Open(pointer))
}

/// How often the membership pass waits for a refresh of its slot that has not
/// begun. The deployment may have moved the refresh: then it goes on without.
const SAME_SLOT_WAITS: u32 = 10;

/// Whether a refresh of the very same slot is still to come (the membership pass
/// of 08:00 follows the refresh of 08:00, C-03).
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
