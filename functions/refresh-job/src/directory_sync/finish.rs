//! What is left of a run: what was read, the report, the record, how the sync stands now, and who is told.

use chrono::Utc;
use rollcall_app::Services;
use rollcall_app::notify::NotifyError;
use rollcall_clients::objects::{ObjectError, part_key};
use rollcall_clients::queue::QueueError;
use rollcall_clients::store::StoreError;
use rollcall_domain::base::run::{Run, RunStatus, StepRecord, Trigger};
use rollcall_domain::connection::{Check, CheckStatus};
use rollcall_domain::directory_sync::{OutcomeStatus, Pause, Pending, SyncPhase, SyncReport};
use rollcall_domain::notices::NoticeKind;

use super::failure::SyncFailure;
use super::inputs::SyncInputs;
use super::{SyncOutcome, SyncRun};

/// Invocations of one run; whatever takes more takes the next run.
const MOST_CONTINUATIONS: u32 = 500;

/// Why the end of a run could not be recorded; the message comes back then.
#[derive(Debug, thiserror::Error)]
pub(super) enum FinishError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Object(#[from] ObjectError),
    #[error(transparent)]
    Queue(#[from] QueueError),
    #[error(transparent)]
    Tell(#[from] NotifyError),
    #[error("the report cannot be written: {0}")]
    Report(#[from] serde_json::Error),
}

/// Whether a check says nothing that people should read.
pub(super) fn is_fine(check: &Check) -> bool {
    matches!(check.status, CheckStatus::Passed | CheckStatus::Warning)
}

/// What owners are told of a run that failed.
pub(super) fn sync_failed(
    services: &Services,
    run: &Run,
    error: String,
    paused: bool,
) -> NoticeKind {
    NoticeKind::SyncFailed {
        trigger: match run.request.trigger {
            Trigger::Manual { .. } => "manual".to_owned(),
            _ => "schedule".to_owned(),
        },
        started: run.started_at,
        errors: vec![error],
        paused,
        link: services.console("/integrations/entra/runs"),
    }
}

impl SyncRun<'_> {
    /// Keeps what was read and what was made of it, in the place of what was kept.
    pub(super) async fn keep(&self, read: SyncInputs) -> Result<(), SyncFailure> {
        let store = &self.services.store;
        let tenant = self.request.tenant;
        let state = store
            .sync(tenant)
            .await
            .map_err(|error| SyncFailure::of_store(&error))?;
        if state.is_none_or(|state| state.value.phase == SyncPhase::Disconnected) {
            // What was forgotten meanwhile stays so.
            return Ok(());
        }
        let before = store
            .mirror(tenant)
            .await
            .map_err(|error| SyncFailure::of_store(&error))?;
        let bytes = read.stored.to_bytes().map_err(SyncFailure::new)?;
        let objects = &self.services.objects;
        let put = objects.put(&read.pointer.key, "application/zstd", bytes);
        put.await
            .map_err(|error| SyncFailure::new(error.to_string()))?;
        let put = store.put_mirror(self.lease.fence(), &read.pointer);
        put.await.map_err(|error| SyncFailure::of_store(&error))?;
        if let Some(before) = before.filter(|before| before.key != read.pointer.key)
            && let Err(error) = objects.delete(&before.key).await
        {
            tracing::warn!(%error, "what was kept before stays until it expires");
        }
        Ok(())
    }

    pub(super) async fn skip(&self, run: &mut Run, why: &str) -> Result<(), FinishError> {
        run.status = RunStatus::Skipped;
        run.note = Some(why.to_owned());
        run.finished_at = Some(Utc::now());
        Ok(self.services.store.put_run(self.lease.fence(), run).await?)
    }

    /// Stores the report and counts what it tells, over all invocations.
    pub(super) async fn account(
        &self,
        run: &mut Run,
        ended: &SyncOutcome,
    ) -> Result<(), FinishError> {
        self.report(run, &ended.report).await?;
        let report = &ended.report;
        let step = StepRecord {
            name: "sync".to_owned(),
            ms: u64::try_from((Utc::now() - run.started_at).num_milliseconds()).unwrap_or(0),
            counts: ended
                .counts
                .iter()
                .map(|(name, count)| ((*name).to_owned(), *count))
                .collect(),
        };
        run.steps.push(step);
        for (name, count) in report
            .made()
            .named()
            .into_iter()
            .chain(ended.counts.iter().copied())
        {
            *run.counts.entry(name.to_owned()).or_default() += count;
        }
        for (name, count) in [
            ("failed", report.count(OutcomeStatus::Failed)),
            ("deferred", report.count(OutcomeStatus::Deferred)),
            ("waiting", report.waiting.len()),
            ("skipped", report.skipped.len()),
            ("pinned", report.pinned.len()),
        ] {
            run.counts.insert(name.to_owned(), count as u64);
        }
        run.note = (!report.notes.is_empty()).then(|| report.notes.join(" "));
        Ok(())
    }

    /// Ends a run between two of its invocations.
    pub(super) async fn stop(&self, run: &mut Run, why: &str) -> Result<(), FinishError> {
        run.status = RunStatus::Succeeded;
        run.note = Some(format!("Stopped before everything was made: {why}."));
        run.finished_at = Some(Utc::now());
        Ok(self.services.store.put_run(self.lease.fence(), run).await?)
    }

    pub(super) async fn succeeded(
        &self,
        run: &mut Run,
        ended: SyncOutcome,
    ) -> Result<(), FinishError> {
        self.account(run, &ended).await?;
        let report = &ended.report;
        let news = self.state_after(&ended).await?;
        let went_on = report.count(OutcomeStatus::Done) > 0;
        if ended.cut && went_on && self.request.continuation < MOST_CONTINUATIONS {
            return self.continue_later(run).await;
        }
        run.status = if report.count(OutcomeStatus::Failed) > 0 {
            RunStatus::SucceededWithFailures
        } else {
            RunStatus::Succeeded
        };
        self.notify_complete(run, report, news).await?;
        self.notify_expiring_secret().await?;
        run.finished_at = Some(Utc::now());
        Ok(self.services.store.put_run(self.lease.fence(), run).await?)
    }

    async fn report(&self, run: &mut Run, report: &SyncReport) -> Result<(), FinishError> {
        let name = Run::key(self.request);
        let key = part_key(self.request.tenant, &name, self.request.continuation);
        let bytes = serde_json::to_vec(report)?;
        self.services
            .objects
            .put(&key, "application/json", bytes)
            .await?;
        run.report = Some(key);
        Ok(())
    }

    /// What waits replaces what waited before (S3-22); a run that succeeded
    /// resolves what paused the sync (S2-50).
    /// Answers whether what waits is not what waited before.
    async fn state_after(&self, ended: &SyncOutcome) -> Result<bool, StoreError> {
        let (now, slot) = (Utc::now(), self.request.slot);
        let store = &self.services.store;
        let mut news = true;
        let change = store.change_sync(self.request.tenant, &[], |state| {
            state.read_in_full = Some(ended.read_in_full);
            if !ended.cut {
                state.resolve();
                let before = state.pending.as_ref().map(|pending| &pending.hash);
                news = before != Some(&ended.hash);
                state.pending = (!ended.report.waiting.is_empty()).then(|| Pending {
                    run: slot,
                    at: now,
                    hash: ended.hash.clone(),
                    held: ended.report.held.clone(),
                    approved: None,
                });
            }
            state.reschedule(now);
            true
        });
        change.await.map(|_| news)
    }

    async fn continue_later(&self, run: &mut Run) -> Result<(), FinishError> {
        run.status = RunStatus::Continuing;
        let mut next = self.request.clone();
        next.continuation += 1;
        next.waits = 0;
        self.services.store.put_run(self.lease.fence(), run).await?;
        Ok(self
            .services
            .enqueue_after(&next, std::time::Duration::ZERO)
            .await?)
    }

    /// A failure is logged (S2-47), told to all owners (S2-48) and pauses what
    /// runs by itself (S2-49).
    pub(super) async fn failed(
        &self,
        run: &mut Run,
        trouble: SyncFailure,
    ) -> Result<(), FinishError> {
        let tenant = self.request.tenant;
        tracing::error!(%tenant, slot = %self.request.slot, reason = trouble.text, "the directory sync failed");
        let now = Utc::now();
        let store = &self.services.store;
        let after = store.change_sync(tenant, &[], |state| {
            let since = state.pause.as_ref().map_or(now, |pause| pause.since);
            state.pause = Some(Pause {
                since,
                error: trouble.text.clone(),
                needs_person: trouble.needs_person,
            });
            state.reschedule(now);
            true
        });
        after.await?;
        run.status = RunStatus::Failed;
        run.error = Some(trouble.text.clone());
        if !trouble.quiet {
            let about = sync_failed(self.services, run, trouble.text, true);
            self.services.notify_owners(tenant, about).await?;
        }
        run.finished_at = Some(Utc::now());
        Ok(store.put_run(self.lease.fence(), run).await?)
    }
}
