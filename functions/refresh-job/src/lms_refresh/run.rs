//! One refresh of one tenant: its part of the common lifecycle, and its steps.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use rollcall_app::Services;
use rollcall_app::jobs::budget::RunBudget;
use rollcall_app::jobs::job_run::{Admission, Completion, JobRun, RunError};
use rollcall_app::jobs::lifecycle;
use rollcall_clients::store::REFRESH_LEASE;
use rollcall_clients::store::tenants::Tenant;
use rollcall_domain::audience::settings::Onboarding;
use rollcall_domain::base::ids::SnapshotId;
use rollcall_domain::base::run::{CRASHED, Run, RunRequest, RunStatus, StepRecord, Trigger};
use rollcall_domain::base::schedule::Job;
use rollcall_domain::notices::NoticeKind;
use rollcall_runtime::{Deadline, Failure};

use super::error::RefreshError;
use super::ingest::{PreviousSnapshot, build, read_all};
use super::publish::{PublishedSnapshot, publish};

/// Executes one refresh.
///
/// # Errors
/// Returns an error if the message cannot be handled now (a service does not respond) or ever
/// (an unknown tenant): the queue retries and finally moves it to the dead-letter queue.
pub(crate) async fn execute_run(
    services: &Services,
    request: RunRequest,
    deadline: Deadline,
) -> Result<(), Failure> {
    let tenant = services.store.tenant(request.tenant).await?;
    let tenant =
        tenant.ok_or_else(|| Failure(format!("the tenant {} has no settings", request.tenant)))?;
    let job = Refresh { services, tenant };
    lifecycle::run(services, &job, request, deadline).await
}

/// The refresh of one tenant.
struct Refresh<'a> {
    services: &'a Services,
    tenant: Tenant,
}

impl JobRun for Refresh<'_> {
    const LEASE: &'static str = REFRESH_LEASE;
    const DROPPED_AFTER: Option<Duration> = Some(Duration::ZERO);
    const TIMED_OUT: &'static str =
        "the data could not be read within the time limit of a run; nothing was stored";
    const REFUSES_OLD_SLOTS: bool = true;
    type Inputs = ();
    type Output = PublishedSnapshot;
    type Error = RefreshError;

    async fn admit(&self, _request: &RunRequest) -> Result<Admission<()>, Failure> {
        Ok(Admission::Start(()))
    }

    /// Reads, checks and stores the data.
    async fn execute(
        &self,
        (): (),
        run: &mut Run,
        budget: &RunBudget,
    ) -> Result<PublishedSnapshot, RefreshError> {
        let (services, tenant) = (self.services, &self.tenant);
        let begun = Instant::now();
        let data = read_all(services, tenant, budget.deadline()).await?;
        record_step(run, "read", begun, &[]);
        let begun = Instant::now();
        let in_use = services.store.snapshot_pointer(tenant.id).await?;
        let before = services.store.runs(tenant.id, Job::Refresh).await?;
        let previous = in_use.as_ref().map(|it| PreviousSnapshot {
            pointer: it,
            is_continued: is_newest(&it.id, &before),
        });
        let candidate = build(services, tenant, run.started_at, data, previous).await?;
        record_step(run, "build", begun, &[]);
        let begun = Instant::now();
        let compared_with = in_use.filter(|_| !accepts_smaller_data(&run.request.trigger));
        let published = publish(services, tenant, budget, &candidate, compared_with).await?;
        let counts = published.counts;
        let counts = [
            ("people", counts.people),
            ("courses", counts.courses),
            ("catalogs", counts.catalogs),
            ("fields", counts.fields),
            ("enrolments", counts.enrolments),
        ];
        record_step(run, "store", begun, &counts);
        run.snapshot = Some(candidate.snapshot.header.id.clone());
        Ok(published)
    }

    /// Notifies that the tenant is ready, once (S4-104), and of profiles that need
    /// review (C-17).
    async fn complete(
        &self,
        run: &mut Run,
        published: PublishedSnapshot,
    ) -> Result<Completion<RefreshError>, Failure> {
        run.status = RunStatus::Succeeded;
        if self.tenant.onboarding == Onboarding::AwaitingFirstRefresh {
            // The notice is queued before the tenant is marked as ready. After a crash in between
            // it is queued again with the same identity, so only one e-mail is sent.
            let ready = NoticeKind::Ready {
                people: published.counts.people,
                courses: published.counts.courses,
            };
            self.services.notify(&self.tenant, ready).await?;
            self.services.store.mark_ready(self.tenant.id).await?;
        }
        for notice in published.notices {
            self.services.notify(&self.tenant, notice).await?;
        }
        Ok(Completion::Ended)
    }

    async fn notify_skipped(&self, run: &Run, reason: &str) -> Result<(), Failure> {
        self.notify(run, reason).await
    }

    async fn notify_crashed(&self, crashed: &Run) -> Result<(), Failure> {
        self.notify(crashed, CRASHED).await
    }

    /// Notifies of a failed refresh (S4-100, S4-105).
    async fn notify_failed(
        &self,
        run: &Run,
        error: &RunError<RefreshError>,
    ) -> Result<(), Failure> {
        self.notify(run, &error.to_string()).await
    }
}

impl Refresh<'_> {
    async fn notify(&self, run: &Run, error: &str) -> Result<(), Failure> {
        let pointer = self.services.store.snapshot_pointer(self.tenant.id).await?;
        let consequence = match pointer {
            Some(pointer) => format!(
                "Nothing was replaced: the data of {} stays in use.",
                pointer.taken_at.format("%Y-%m-%d %H:%M UTC")
            ),
            None => "There is no data yet, so no group can be filled.".to_owned(),
        };
        // A failed first refresh is retried every few minutes. With the day as the slot, the same
        // error causes one e-mail a day.
        let slot = match self.tenant.onboarding {
            Onboarding::AwaitingFirstRefresh => format!(
                "{} (first refresh)",
                run.request.slot.at().format("%Y-%m-%d")
            ),
            Onboarding::Ready => run.request.slot.to_string(),
        };
        let notice = NoticeKind::Failure {
            job: Job::Refresh.name().to_owned(),
            slot,
            errors: vec![error.to_owned()],
            consequence,
        };
        Ok(self.services.notify(&self.tenant, notice).await?)
    }
}

/// Returns true if an administrator accepts data that shrank suspiciously, for this run only.
fn accepts_smaller_data(trigger: &Trigger) -> bool {
    matches!(
        trigger,
        Trigger::Manual {
            accept_smaller_data: true,
            ..
        }
    )
}

/// Returns true if the snapshot in use is the newest one. If not, an operator restored it: its
/// row numbers mean other users than those of the newer snapshot, so new snapshots must not
/// continue them.
fn is_newest(in_use: &SnapshotId, before: &[Run]) -> bool {
    let made = before.iter().filter(|run| run.snapshot.is_some());
    let newest = made.max_by_key(|run| run.finished_at);
    newest.is_none_or(|run| run.snapshot.as_ref() == Some(in_use))
}

fn record_step(run: &mut Run, name: &str, begun: Instant, counts: &[(&str, u64)]) {
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

#[cfg(test)]
mod tests {
    use chrono::{DateTime, Utc};
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

    /// Returns a refresh that ended at this hour.
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
