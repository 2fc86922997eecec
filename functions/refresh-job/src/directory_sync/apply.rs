//! Applies cleared changes phase by phase and records each outcome, without further
//! decisions.

use rollcall_clients::scim::Scim;
use rollcall_domain::base::outcome::Outcome;
use rollcall_domain::directory_sync::write_plan::WritePhase;
use rollcall_domain::directory_sync::{
    PlannedChange, SyncPhase, SyncReport, SyncState, TargetReplica, phases,
};

use tokio::time::timeout_at;

use super::failure::SyncFailure;
use super::inputs::SyncInputs;
use super::progress::{Progress, note_undo_writes};
use super::target;
use super::target::Newest;
use super::{RESERVE, SyncRun};

/// Number of concurrent writes if the service has no bulk operation.
const TOGETHER: usize = 16;
/// Number of failed changes from which the whole run fails if no change succeeded, because the
/// cause is then the platform.
const MANY: usize = 10;

impl SyncRun<'_> {
    /// Applies the changes. Returns whether time ran out before every change was tried, and the
    /// failure that stopped them, if any.
    pub(super) async fn apply(
        &self,
        state: &SyncState,
        scim: &Scim,
        read: &mut SyncInputs,
        changes: &[PlannedChange],
        report: &mut SyncReport,
    ) -> Result<(bool, Option<SyncFailure>), SyncFailure> {
        if changes.is_empty() {
            return Ok((false, None));
        }
        self.mark_checkpoint_dirty().await?;
        let mut replica = TargetReplica::new(std::mem::take(&mut read.checkpoint.platform));
        let mut tally = Progress::new(changes);
        for phase in phases(changes, replica.platform()) {
            if tally.refused.is_some() || tally.cut || tally.switched_off {
                break;
            }
            let phase = self.phase(&phase, state, scim, read, &mut replica, &mut tally);
            phase.await?;
        }
        let (cut, refused) = (tally.cut, tally.refused.take());
        let (permanent, switched_off) = (tally.permanent, tally.switched_off);
        // Only a read shows what the platform did with writes in flight.
        read.pointer.settled = !tally.in_flight;
        report.outcomes = tally.outcomes(&replica);
        read.checkpoint.platform = replica.into_platform();
        let failure = refused.or_else(|| nothing_worked(report, permanent));
        if switched_off {
            let note = "The sync was switched off during this run, so the run stopped cleanly.";
            report.notes.push(note.to_owned());
        }
        // If time ran out, the continuation reads the changes back.
        if failure.is_none() && !cut {
            self.read_back(state, scim, read).await?;
        }
        Ok((cut, failure))
    }

    async fn phase(
        &self,
        phase: &WritePhase,
        state: &SyncState,
        scim: &Scim,
        read: &SyncInputs,
        replica: &mut TargetReplica,
        tally: &mut Progress<'_>,
    ) -> Result<(), SyncFailure> {
        let service = &read.service;
        let most = service.bulk.map_or(TOGETHER, |(most, _)| most.max(1));
        let together = if phase.in_order { 1 } else { most };
        let language = &state.config.default_language;
        let mut between = Vec::new();
        for writes in phase.writes.chunks(together) {
            tally.switched_off = !self.is_active().await?;
            let reserve = RESERVE.min(self.reserve());
            // A sync that was switched off needs no continuation.
            tally.cut = !tally.switched_off && !self.budget.deadline().allows(reserve);
            if tally.switched_off || tally.cut {
                return Ok(());
            }
            note_undo_writes(writes, replica, &mut between);
            let sent = scim.write_all(writes, replica, service, language);
            let Ok(answers) = timeout_at(self.budget.deadline().instant().into(), sent).await
            else {
                for write in writes {
                    let why = "time ran out during this change; the next invocation checks it";
                    tally.note(write, &Outcome::Deferred(Some(why.to_owned())));
                }
                (tally.cut, tally.in_flight) = (true, true);
                return Ok(());
            };
            let mut failed = false;
            for (write, answer) in writes.iter().zip(answers) {
                failed |= answer.is_err();
                tally.record(write, answer, replica);
            }
            if failed && phase.in_order {
                // The remaining writes need an address that is not free, so the cycle of
                // renamings is undone.
                for write in between.drain(..) {
                    let back = scim.write(&write, replica, service, language).await;
                    tally.record(&write, back, replica);
                }
            }
            if tally.refused.is_some() {
                return Ok(());
            }
        }
        Ok(())
    }

    /// Returns the upper limit of [`RESERVE`]: half of the lease, for deployments with a short
    /// one.
    fn reserve(&self) -> std::time::Duration {
        self.services.settings.lease / 2
    }

    /// Marks the stored checkpoint as outdated before the first write: the next run must not
    /// rely on it if this one crashes.
    async fn mark_checkpoint_dirty(&self) -> Result<(), SyncFailure> {
        let store = &self.services.store;
        let Some(mut pointer) = store.checkpoint_pointer(self.request.tenant).await? else {
            return Ok(());
        };
        pointer.settled = false;
        Ok(store
            .put_checkpoint_pointer(self.budget.fence(), &pointer)
            .await?)
    }

    /// Returns true if the sync is still active: if it was switched off, the run stops cleanly
    /// before the next writes (S2-46).
    async fn is_active(&self) -> Result<bool, SyncFailure> {
        let now = self.services.store.sync(self.request.tenant).await?;
        Ok(now.is_some_and(|now| now.value.phase == SyncPhase::Active))
    }

    /// Reads back what was written if the platform lists changes, because the platform may
    /// have changed it: the next run compares with the actual values.
    async fn read_back(
        &self,
        state: &SyncState,
        scim: &Scim,
        read: &mut SyncInputs,
    ) -> Result<(), SyncFailure> {
        let teams = state.config.teams.groups || state.config.teams.managers;
        if read.pointer.newest_user.is_none() {
            return reread_initially_empty(scim, read, teams).await;
        }
        let newest = Newest {
            user: read.pointer.newest_user,
            group: read.pointer.newest_group,
        };
        let platform = &mut read.checkpoint.platform;
        let seen = target::changes(scim, &read.service, platform, newest, teams).await;
        let seen = seen.map_err(SyncFailure::target)?;
        (read.pointer.newest_user, read.pointer.newest_group) = (seen.user, seen.group);
        Ok(())
    }
}

/// Returns a failure if at least [`MANY`] changes failed and none succeeded: then the cause is the
/// connection. Single failed changes are listed in the report and do not fail the run.
fn nothing_worked(report: &SyncReport, permanent: bool) -> Option<SyncFailure> {
    let failed = report.count(Outcome::is_failed);
    if failed < MANY || report.count(Outcome::is_done) > 0 {
        return None;
    }
    let mut reasons = report.outcomes.iter().filter_map(|it| it.outcome.reason());
    let first = reasons.next().unwrap_or_default().to_owned();
    Some(SyncFailure::NothingAccepted {
        failed,
        first,
        permanent,
    })
}

/// Reads the platform again in full if it lists changes. While it was empty, this could not be
/// detected.
async fn reread_initially_empty(
    scim: &Scim,
    read: &mut SyncInputs,
    teams: bool,
) -> Result<(), SyncFailure> {
    let users = read.checkpoint.platform.users.len() as u64;
    let lists_changes = read.service.filter
        && scim
            .reports_changes(users)
            .await
            .map_err(SyncFailure::target)?;
    if lists_changes {
        let read_in_full = target::read_in_full(scim, &read.service, teams).await;
        let (platform, newest) = read_in_full.map_err(SyncFailure::target)?;
        read.checkpoint.platform = platform;
        (read.pointer.newest_user, read.pointer.newest_group) = (newest.user, newest.group);
    }
    Ok(())
}
