//! The status of a tenant, without and with data.

use std::time::Duration;

use chrono::{DateTime, SubsecRound, TimeDelta, Utc};
use rollcall_clients::store::tenants::SnapshotPointer;
use rollcall_clients::store::{Lease, MAINTENANCE_LEASE};
use rollcall_domain::base::ids::{SnapshotId, TenantId};
use rollcall_domain::base::run::{Run, RunRequest, RunStatus, Trigger};
use rollcall_domain::base::schedule::{Job, Slot};
use rollcall_domain::snapshot::sanity::Counts;
use serde_json::{Value, json};
use uuid::Uuid;

use super::site::Site;

const PATH: &str = "/v1/tenant";

#[tokio::test]
async fn a_tenant_without_settings_is_asked_to_save_them() {
    let site = Site::start().await;
    let spec = Site::owner(TenantId::new(Uuid::new_v4()));
    let answer = site.get(PATH, &spec).await;
    assert_eq!(answer.status, 404);
    assert!(answer.detail().contains("no settings yet"));
}

#[tokio::test]
async fn a_new_tenant_waits_for_its_first_refresh() {
    let site = Site::start().await;
    let tenant = site.tenant().await;
    let answer = site.get(PATH, &Site::owner(tenant)).await;
    assert_eq!(answer.status, 200);
    assert_eq!(
        answer.body,
        json!({
            "tenant": tenant,
            "settingsPresent": true,
            "onboarding": "awaiting_first_refresh",
            "snapshot": null,
            "maintenanceLockUntil": null,
            "lastRuns": {},
            "profiles": {},
        })
    );
}

#[tokio::test]
async fn the_status_shows_data_lock_runs_and_profiles() {
    let site = Site::start().await;
    let tenant = site.tenant().await;
    let length = Duration::from_mins(1);
    let lease = Lease::acquire(site.store(), tenant, MAINTENANCE_LEASE, length).await;
    let lease = lease.expect("lease request failed").expect("lease taken");
    site.store()
        .mark_ready(tenant)
        .await
        .expect("not marked ready");
    let pointer = pointer();
    let store = site.store();
    store
        .set_snapshot_pointer(lease.fence(), &pointer)
        .await
        .expect("pointer not moved");
    let (skipped, failed) = runs(&site, tenant).await;

    let body = site.get(PATH, &Site::owner(tenant)).await.body;
    assert_eq!(body["onboarding"], "ready");
    let counts = serde_json::to_value(pointer.counts).expect("no counts");
    let data = json!({"id": pointer.id, "takenAt": pointer.taken_at, "counts": counts});
    assert_eq!(
        body["snapshot"], data,
        "the response contains the location of the data"
    );
    assert_eq!(
        body["profiles"],
        json!({"synchronised": 2, "held": 1}),
        "not the states of the last run"
    );
    assert_eq!(
        body["lastRuns"],
        json!({"refresh": shown(&failed), "maintenance": shown(&skipped)})
    );
    let until: DateTime<Utc> =
        serde_json::from_value(body["maintenanceLockUntil"].clone()).expect("invalid time");
    assert!(until > Utc::now() && until <= Utc::now() + TimeDelta::seconds(60));

    lease.release().await.expect("not released");
    let body = site.get(PATH, &Site::owner(tenant)).await.body;
    assert_eq!(body["maintenanceLockUntil"], Value::Null);
}

fn pointer() -> SnapshotPointer {
    let taken_at = Utc::now().trunc_subsecs(0) - TimeDelta::minutes(5);
    SnapshotPointer {
        id: SnapshotId::new(taken_at, Uuid::new_v4()),
        taken_at,
        key: "snapshots/x/x".to_owned(),
        schema_key: "schemas/x/x".to_owned(),
        counts: Counts {
            people: 200,
            courses: 12,
            ..Counts::default()
        },
        filled: std::collections::BTreeMap::new(),
        recent: Vec::new(),
    }
}

/// Records an older and a newer run of two jobs; returns the newer ones, one of them of the
/// current minute.
async fn runs(site: &Site, tenant: TenantId) -> (Run, Run) {
    let (now, hour) = (Utc::now().trunc_subsecs(0), TimeDelta::hours(1));
    for (job, at) in [
        (Job::Maintenance, now - hour * 4),
        (Job::Refresh, now - hour * 3),
    ] {
        let mut run = ended(tenant, job, at, RunStatus::Succeeded);
        if job == Job::Maintenance {
            let counts = [
                ("profiles.synchronised", 2),
                ("profiles.held", 1),
                ("added", 7),
            ];
            run.counts = counts.map(|(name, count)| (name.to_owned(), count)).into();
        }
        record(site, &run).await;
    }
    let mut skipped = ended(tenant, Job::Maintenance, now - hour, RunStatus::Skipped);
    skipped.note = Some("the data is too old".to_owned());
    let mut failed = ended(tenant, Job::Refresh, now, RunStatus::Failed);
    failed.error = Some("Learn365 did not answer".to_owned());
    record(site, &skipped).await;
    record(site, &failed).await;
    (skipped, failed)
}

async fn record(site: &Site, run: &Run) {
    assert!(
        site.store().begin_run(run).await.expect("run not recorded"),
        "the record already exists"
    );
}

fn ended(tenant: TenantId, job: Job, at: DateTime<Utc>, status: RunStatus) -> Run {
    let request = RunRequest {
        job,
        tenant,
        slot: Slot::of_tick(at),
        trigger: Trigger::Schedule,
        continuation: 0,
        waits: 0,
    };
    let mut run = Run::begin(request, at);
    run.status = status;
    run.finished_at = Some(at + TimeDelta::seconds(7));
    run
}

fn shown(run: &Run) -> Value {
    let mut shown = json!({
        "slot": run.request.slot,
        "status": run.status,
        "startedAt": run.started_at,
        "finishedAt": run.finished_at,
    });
    if let Some(note) = &run.note {
        shown["note"] = json!(note);
    }
    if let Some(error) = &run.error {
        shown["error"] = json!(error);
    }
    shown
}
