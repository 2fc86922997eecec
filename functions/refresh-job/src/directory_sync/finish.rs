//! Finalizes a run: stores the checkpoint and the report, updates the sync's state, notifies.

use std::time::Duration;

use chrono::Utc;
use rollcall_app::Services;
use rollcall_app::jobs::job_run::{Completion, Progress, RunError};
use rollcall_clients::objects::part_key;
use rollcall_clients::store::StoreError;
use rollcall_domain::base::outcome::Outcome;
use rollcall_domain::base::run::{Run, RunStatus, StepRecord, Trigger};
use rollcall_domain::base::schedule::Slot;
use rollcall_domain::directory_sync::{Pause, Pending, SyncPhase, SyncReport};
use rollcall_domain::notices::NoticeKind;
use rollcall_runtime::Failure;

use super::failure::SyncFailure;
use super::inputs::SyncInputs;
use super::{DirectorySync, SyncOutcome, SyncRun};

/// Returns the notice to the owners that a run failed.
pub(super) fn failure_notice(
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
    /// Stores the state after the run as the new checkpoint and deletes the previous one.
    pub(super) async fn store_checkpoint(&self, read: SyncInputs) -> Result<(), SyncFailure> {
        let store = &self.services.store;
        let tenant = self.request.tenant;
        let state = store.sync(tenant).await?;
        if state.is_none_or(|state| state.value.phase == SyncPhase::Disconnected) {
            // A sync that was disconnected in the meantime has no checkpoint.
            return Ok(());
        }
        let before = store.checkpoint_pointer(tenant).await?;
        let bytes = read
            .checkpoint
            .to_bytes()
            .map_err(SyncFailure::Checkpoint)?;
        let objects = &self.services.objects;
        let put = objects.put(&read.pointer.key, "application/zstd", bytes);
        put.await?;
        store
            .put_checkpoint_pointer(self.budget.fence(), &read.pointer)
            .await?;
        if let Some(before) = before.filter(|before| before.key != read.pointer.key)
            && let Err(error) = objects.delete(&before.key).await
        {
            tracing::warn!(%error, "the previous checkpoint was not deleted; it will expire");
        }
        Ok(())
    }
}

impl DirectorySync<'_> {
    /// Records the outcome of a comparison, and notifies unless a continuation follows.
    pub(super) async fn finish(
        &self,
        run: &mut Run,
        mut outcome: SyncOutcome,
    ) -> Result<Completion<SyncFailure>, Failure> {
        self.record_counts(run, &outcome).await?;
        if let Some(failure) = outcome.failure.take() {
            return Ok(Completion::Failed(failure));
        }
        let report = &outcome.report;
        let is_news = self.update_state(run.request.slot, &outcome).await?;
        if outcome.cut {
            return Ok(Completion::Continue {
                after: Duration::ZERO,
                progress: if report.count(Outcome::is_done) > 0 {
                    Progress::Made
                } else {
                    Progress::None
                },
            });
        }
        run.status = if report.count(Outcome::is_failed) > 0 {
            RunStatus::SucceededWithFailures
        } else {
            RunStatus::Succeeded
        };
        self.notify_complete(run, report, is_news).await?;
        self.notify_expiring_secret().await?;
        Ok(Completion::Ended)
    }

    /// Stores the report and adds its counts to the totals over all invocations.
    async fn record_counts(&self, run: &mut Run, outcome: &SyncOutcome) -> Result<(), Failure> {
        self.store_report(run, &outcome.report).await?;
        let report = &outcome.report;
        let step = StepRecord {
            name: "sync".to_owned(),
            ms: u64::try_from((Utc::now() - run.started_at).num_milliseconds()).unwrap_or(0),
            counts: outcome
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
            .chain(outcome.counts.iter().copied())
        {
            *run.counts.entry(name.to_owned()).or_default() += count;
        }
        for (name, count) in [
            ("failed", report.count(Outcome::is_failed)),
            ("deferred", report.count(Outcome::is_deferred)),
            ("waiting", report.waiting.len()),
            ("skipped", report.skipped.len()),
            ("pinned", report.pinned.len()),
        ] {
            run.counts.insert(name.to_owned(), count as u64);
        }
        run.note = (!report.notes.is_empty()).then(|| report.notes.join(" "));
        Ok(())
    }

    async fn store_report(&self, run: &mut Run, report: &SyncReport) -> Result<(), Failure> {
        let request = &run.request;
        let key = part_key(self.tenant, &Run::key(request), request.continuation);
        let bytes = serde_json::to_vec(report)?;
        self.services
            .objects
            .put(&key, "application/json", bytes)
            .await?;
        run.report = Some(key);
        Ok(())
    }

    /// Replaces the pending changes (S3-22) and, after a successful run, ends a pause
    /// (S2-50). Returns true if the pending changes differ from the previous ones.
    async fn update_state(&self, slot: Slot, outcome: &SyncOutcome) -> Result<bool, StoreError> {
        let now = Utc::now();
        let store = &self.services.store;
        let mut news = true;
        let change = store.change_sync(self.tenant, &[], |state| {
            state.read_in_full = Some(outcome.read_in_full);
            if !outcome.cut {
                state.resolve();
                let before = state.pending.as_ref().map(|pending| &pending.hash);
                news = before != Some(&outcome.hash);
                state.pending = (!outcome.report.waiting.is_empty()).then(|| Pending {
                    run: slot,
                    at: now,
                    hash: outcome.hash.clone(),
                    held: outcome.report.held.clone(),
                    approved: None,
                });
            }
            state.reschedule(now);
            true
        });
        change.await.map(|_| news)
    }

    /// Pauses scheduled runs after a failure (S2-49) and notifies all owners (S2-48).
    pub(super) async fn pause_and_notify(
        &self,
        run: &Run,
        error: &RunError<SyncFailure>,
    ) -> Result<(), Failure> {
        let (needs_person, already_notified) = match error {
            RunError::Job(failure) => (failure.needs_person(), failure.is_already_notified()),
            RunError::TimedOut(_)
            | RunError::NoProgress
            | RunError::Stalled(_)
            | RunError::TooManyContinuations => (false, false),
        };
        let (now, reason) = (Utc::now(), error.to_string());
        let change = self.services.store.change_sync(self.tenant, &[], |state| {
            let since = state.pause.as_ref().map_or(now, |pause| pause.since);
            state.pause = Some(Pause {
                since,
                error: reason.clone(),
                needs_person,
            });
            state.reschedule(now);
            true
        });
        change.await?;
        if !already_notified {
            let notice = failure_notice(self.services, run, reason, true);
            self.services.notify_owners(self.tenant, notice).await?;
        }
        Ok(())
    }
}
