//! One refresh of one tenant: once per slot, under a lease, with a record.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use chrono::Utc;
use rollcall_app::Services;
use rollcall_clients::store::tenants::Tenant;
use rollcall_clients::store::{Lease, REFRESH_LEASE, StoreError};
use rollcall_domain::audience::settings::Onboarding;
use rollcall_domain::base::ids::SnapshotId;
use rollcall_domain::base::run::{Run, RunRequest, RunStatus, StepRecord, Trigger};
use rollcall_domain::base::schedule::{Job, missed};
use rollcall_domain::notices::NoticeKind;
use rollcall_runtime::{Deadline, Failure};

use super::ingest::{build, gather};
use super::publish::{PublishedSnapshot, keep};

/// Makes one run.
///
/// # Errors
/// When the message cannot be handled now (a service does not answer) or ever
/// (an unknown tenant): the queue tries again and then sets it aside.
pub async fn work(
    services: &Services,
    request: RunRequest,
    deadline: Deadline,
) -> Result<(), Failure> {
    match request.job {
        Job::Refresh => {}
        Job::DirectorySync => {
            return Box::pin(crate::directory_sync::work(services, request, deadline)).await;
        }
        other => return Err(Failure(format!("refresh-job does not do {other}"))),
    }
    let store = &services.store;
    let tenant = store.tenant(request.tenant).await.map_err(failure)?;
    let tenant =
        tenant.ok_or_else(|| Failure(format!("the tenant {} has no settings", request.tenant)))?;
    let before = store.run(&request).await.map_err(failure)?;
    if before.as_ref().is_some_and(Run::is_over) {
        return Ok(());
    }
    let lease = Lease::acquire(store, tenant.id, REFRESH_LEASE, services.settings.lease)
        .await
        .map_err(failure)?;
    let Some(lease) = lease else {
        return services.requeue(request).await;
    };
    let mut run = before.unwrap_or_else(|| Run::begin(request, Utc::now()));
    store.begin_run(&run).await.map_err(failure)?;
    look_back(services, &tenant, &lease, &mut run)
        .await
        .map_err(failure)?;
    let ended = in_time(
        &lease,
        deadline,
        Box::pin(refresh(services, &tenant, &lease, &mut run, deadline)),
    )
    .await;
    let told = notify(services, &tenant, &mut run, ended).await;
    if told.is_ok() {
        // Over only once people know: a notice that could not be sent brings the message back.
        run.finished_at = Some(Utc::now());
        store.put_run(lease.fence(), &run).await.map_err(failure)?;
    }
    lease.release().await.map_err(failure)?;
    told
}

/// Notes which slots never ran; a run before this one that died is recorded so.
async fn look_back(
    services: &Services,
    tenant: &Tenant,
    lease: &Lease,
    run: &mut Run,
) -> Result<(), StoreError> {
    let slot = run.request.slot;
    let last = services
        .store
        .last_run(tenant.id, Job::Refresh, slot)
        .await?;
    if let Some(dead) = last.as_ref().filter(|run| run.status == RunStatus::Running) {
        services.store.mark_run_crashed(lease.fence(), dead).await?;
    }
    run.missed = missed(Job::Refresh.hours(), last.map(|run| run.request.slot), slot);
    Ok(())
}

/// Ends the work when the lock is lost or time runs out, so that even then the
/// record and the mail say what happened.
async fn in_time<T>(
    lease: &Lease,
    deadline: Deadline,
    work: impl Future<Output = Result<T, String>>,
) -> Result<T, String> {
    let held = lease.while_held(work);
    match tokio::time::timeout_at(deadline.instant().into(), held).await {
        Ok(Ok(done)) => done,
        Ok(Err(error)) => Err(error.to_string()),
        Err(_) => Err(
            "the data could not be read within the time a run may take; nothing was stored"
                .to_owned(),
        ),
    }
}

/// Reads, checks, stores. What fails is the reason in words.
async fn refresh(
    services: &Services,
    tenant: &Tenant,
    lease: &Lease,
    run: &mut Run,
    deadline: Deadline,
) -> Result<PublishedSnapshot, String> {
    let begun = Instant::now();
    let gathered = gather(services, tenant, deadline).await?;
    step(run, "read", begun, &[]);
    let begun = Instant::now();
    let in_use = services.store.snapshot_pointer(tenant.id).await;
    let in_use = in_use.map_err(|error| error.to_string())?;
    let before = services.store.runs(tenant.id, Job::Refresh).await;
    let before = before.map_err(|error| error.to_string())?;
    let previous = in_use.as_ref().filter(|it| is_newest(&it.id, &before));
    let snapshot = build(services, tenant, run.started_at, gathered, previous).await?;
    step(run, "build", begun, &[]);
    let begun = Instant::now();
    let accept = matches!(
        run.request.trigger,
        Trigger::Manual {
            accept_smaller_data: true,
            ..
        }
    );
    let snapshot = Arc::new(snapshot);
    let stored = keep(
        services,
        tenant,
        lease,
        &snapshot,
        in_use.filter(|_| !accept),
    )
    .await?;
    let counts = stored.counts;
    step(
        run,
        "store",
        begun,
        &[
            ("people", counts.people),
            ("courses", counts.courses),
            ("catalogs", counts.catalogs),
            ("fields", counts.fields),
            ("enrolments", counts.enrolments),
        ],
    );
    run.snapshot = Some(snapshot.header.id.clone());
    Ok(stored)
}

/// Whether no refresh made a snapshot after the one in use. If one did, the data
/// was put back by hand: rows carried over from it would mean other people than
/// the same rows of the same step did, so they must not be.
fn is_newest(in_use: &SnapshotId, before: &[Run]) -> bool {
    let made = before.iter().filter(|run| run.snapshot.is_some());
    let newest = made.max_by_key(|run| run.finished_at);
    newest.is_none_or(|run| run.snapshot.as_ref() == Some(in_use))
}

fn step(run: &mut Run, name: &str, begun: Instant, counts: &[(&str, u64)]) {
    let counts: BTreeMap<String, u64> = counts
        .iter()
        .map(|(name, count)| ((*name).to_owned(), *count))
        .collect();
    run.counts.extend(counts.clone());
    let ms = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
    run.steps.push(StepRecord {
        name: name.to_owned(),
        ms,
        counts,
    });
}

/// Tells people how it ended, where they need to know: ready once (S4-104), a
/// failure (S4-100, S4-105), a profile that needs review (C-17).
async fn notify(
    services: &Services,
    tenant: &Tenant,
    run: &mut Run,
    ended: Result<PublishedSnapshot, String>,
) -> Result<(), Failure> {
    match ended {
        Ok(stored) => {
            run.status = RunStatus::Succeeded;
            if tenant.onboarding == Onboarding::AwaitingFirstRefresh {
                // The mail first: its identity makes it one mail, a crash in between loses none.
                let ready = NoticeKind::Ready {
                    people: stored.counts.people,
                    courses: stored.counts.courses,
                };
                services.notify(tenant, ready).await.map_err(failure)?;
                services
                    .store
                    .mark_ready(tenant.id)
                    .await
                    .map_err(failure)?;
            }
            for notice in stored.notices {
                services.notify(tenant, notice).await.map_err(failure)?;
            }
            Ok(())
        }
        Err(reason) => {
            tracing::error!(tenant = %tenant.id, slot = %run.request.slot, %reason, "the refresh failed");
            run.status = RunStatus::Failed;
            run.error = Some(reason.clone());
            services
                .notify(tenant, failed(services, tenant, run, reason).await?)
                .await
                .map_err(failure)
        }
    }
}

async fn failed(
    services: &Services,
    tenant: &Tenant,
    run: &Run,
    reason: String,
) -> Result<NoticeKind, Failure> {
    let pointer = services
        .store
        .snapshot_pointer(tenant.id)
        .await
        .map_err(failure)?;
    let consequence = match pointer {
        Some(pointer) => format!(
            "Nothing was replaced: the data of {} stays in use.",
            pointer.taken_at.format("%Y-%m-%d %H:%M UTC")
        ),
        None => "There is no data yet, so no group can be filled.".to_owned(),
    };
    // The first refresh is tried every few minutes; one mail a day is enough for that.
    let slot = match tenant.onboarding {
        Onboarding::AwaitingFirstRefresh => format!(
            "{} (first refresh)",
            run.request.slot.at().format("%Y-%m-%d")
        ),
        Onboarding::Ready => run.request.slot.to_string(),
    };
    Ok(NoticeKind::Failure {
        job: Job::Refresh.name().to_owned(),
        slot,
        errors: vec![reason],
        consequence,
    })
}

fn failure(error: impl std::fmt::Display) -> Failure {
    Failure(error.to_string())
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;
    use rollcall_domain::base::ids::TenantId;
    use rollcall_domain::base::schedule::Slot;
    use uuid::Uuid;

    use super::*;

    fn at(hour: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + chrono::TimeDelta::hours(hour)
    }

    fn id(hour: i64) -> SnapshotId {
        SnapshotId::new(at(hour), Uuid::nil())
    }

    /// A refresh that ended at this hour.
    fn run(hour: i64, made: Option<SnapshotId>) -> Run {
        let request = RunRequest {
            job: Job::Refresh,
            tenant: TenantId::new(Uuid::nil()),
            slot: Slot::of_tick(at(hour)),
            trigger: Trigger::FirstSave,
            continuation: 0,
            waits: 0,
        };
        let mut run = Run::begin(request, at(hour));
        run.finished_at = Some(at(hour));
        run.snapshot = made;
        run
    }

    #[test]
    fn rows_are_carried_over_from_the_newest_snapshot_and_from_no_other() {
        let runs = [
            run(1, Some(id(1))),
            run(3, Some(id(3))),
            run(2, Some(id(2))),
        ];
        assert!(is_newest(&id(3), &runs));
        for put_back in [1, 2] {
            assert!(!is_newest(&id(put_back), &runs), "{put_back}");
        }
    }

    #[test]
    fn runs_that_made_nothing_do_not_count() {
        let runs = [run(1, Some(id(1))), run(2, None)];
        assert!(is_newest(&id(1), &runs));
        assert!(is_newest(&id(1), &[]));
    }
}
