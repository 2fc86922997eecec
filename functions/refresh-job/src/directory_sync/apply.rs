//! Carries cleared changes out, phase by phase, and notes how each ended. Obeys; decides nothing.

use rollcall_clients::scim::Scim;
use rollcall_domain::directory_sync::writes::WritePhase;
use rollcall_domain::directory_sync::{
    OutcomeStatus, PlannedChange, SyncPhase, SyncReport, SyncState, TargetReplica, phases,
};

use tokio::time::timeout_at;

use super::failure::SyncFailure;
use super::inputs::SyncInputs;
use super::progress::{Progress, note_between};
use super::target;
use super::target::Newest;
use super::{RESERVE, SyncRun};

/// Writes in one go where there is no bulk.
const TOGETHER: usize = 16;
/// So many changes refused, and none made, are the platform's trouble.
const MANY: usize = 10;

impl SyncRun<'_> {
    /// Applies; answers whether time ran out before everything was tried, and what
    /// kept it from being tried.
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
        let mut mirror = TargetReplica::new(std::mem::take(&mut read.stored.platform));
        let mut tally = Progress::new(changes);
        for phase in phases(changes, mirror.platform()) {
            if tally.refused.is_some() || tally.cut || tally.unwanted {
                break;
            }
            let phase = self.phase(&phase, state, scim, read, &mut mirror, &mut tally);
            phase.await?;
        }
        let (cut, refused) = (tally.cut, tally.refused.take());
        let (lasting, unwanted) = (tally.lasting, tally.unwanted);
        // What the platform made of that only reading tells.
        read.pointer.settled = !tally.in_the_air;
        report.outcomes = tally.outcomes(&mirror);
        read.stored.platform = mirror.into_platform();
        let trouble = refused.or_else(|| nothing_worked(report, lasting));
        if unwanted {
            let note = "Somebody switched the sync off while this run worked; it stopped cleanly.";
            report.notes.push(note.to_owned());
        }
        // The next invocation looks, and has the time for it.
        if trouble.is_none() && !cut {
            self.read_back(state, scim, read).await?;
        }
        Ok((cut, trouble))
    }

    async fn phase(
        &self,
        phase: &WritePhase,
        state: &SyncState,
        scim: &Scim,
        read: &SyncInputs,
        mirror: &mut TargetReplica,
        tally: &mut Progress<'_>,
    ) -> Result<(), SyncFailure> {
        let described = &read.described;
        let most = described.bulk.map_or(TOGETHER, |(most, _)| most.max(1));
        let together = if phase.in_order { 1 } else { most };
        let language = &state.config.default_language;
        let mut between = Vec::new();
        for writes in phase.writes.chunks(together) {
            tally.unwanted = !self.goes_on().await?;
            tally.cut = !self.deadline.allows(RESERVE.min(self.reserve()));
            if tally.unwanted || tally.cut {
                return Ok(());
            }
            note_between(writes, mirror, &mut between);
            let sent = scim.write_all(writes, mirror, described, language);
            let Ok(answers) = timeout_at(self.deadline.instant().into(), sent).await else {
                for write in writes {
                    let why = "time ran out while it was being made; the next invocation looks";
                    tally.note(write, OutcomeStatus::Deferred, Some(why));
                }
                (tally.cut, tally.in_the_air) = (true, true);
                return Ok(());
            };
            let mut failed = false;
            for (write, answer) in writes.iter().zip(answers) {
                failed |= answer.is_err();
                tally.take(write, answer, mirror);
            }
            if failed && phase.in_order {
                // Those behind hoped for an address that is not free now.
                for write in between.drain(..) {
                    let back = scim.write(&write, mirror, described, language).await;
                    tally.take(&write, back, mirror);
                }
            }
            if tally.refused.is_some() {
                return Ok(());
            }
        }
        Ok(())
    }

    /// Short invocations keep less of their time free.
    fn reserve(&self) -> std::time::Duration {
        self.services.settings.lease / 2
    }

    /// Before the first write: whoever comes after a run that died must not rely
    /// on what is kept.
    async fn mark_checkpoint_dirty(&self) -> Result<(), SyncFailure> {
        let store = &self.services.store;
        let pointer = store.mirror(self.request.tenant).await;
        let Some(mut pointer) = pointer.map_err(|error| SyncFailure::of_store(&error))? else {
            return Ok(());
        };
        pointer.settled = false;
        let put = store.put_mirror(self.lease.fence(), &pointer).await;
        put.map_err(|error| SyncFailure::of_store(&error))
    }

    /// Whether the sync is still wanted: one that was switched off meanwhile stops
    /// cleanly before its next phase (S2-46).
    async fn goes_on(&self) -> Result<bool, SyncFailure> {
        let now = self.services.store.sync(self.request.tenant).await;
        let now = now.map_err(|error| SyncFailure::of_store(&error))?;
        Ok(now.is_some_and(|now| now.value.phase == SyncPhase::Active))
    }

    /// Reads what was written back, where the platform tells changes: what it made
    /// of it is what the next run compares with.
    async fn read_back(
        &self,
        state: &SyncState,
        scim: &Scim,
        read: &mut SyncInputs,
    ) -> Result<(), SyncFailure> {
        let teams = state.config.teams.groups || state.config.teams.managers;
        if read.pointer.newest_user.is_none() {
            return first_look(scim, read, teams).await;
        }
        let newest = Newest {
            user: read.pointer.newest_user,
            group: read.pointer.newest_group,
        };
        let platform = &mut read.stored.platform;
        let seen = target::changes(scim, &read.described, platform, newest, teams).await;
        let seen = seen.map_err(SyncFailure::of_platform)?;
        (read.pointer.newest_user, read.pointer.newest_group) = (seen.user, seen.group);
        Ok(())
    }
}

/// A platform that refuses everything is no matter of single changes. A few that are
/// refused are: they are listed, and stop nothing else.
fn nothing_worked(report: &SyncReport, lasting: bool) -> Option<SyncFailure> {
    let failed = report.count(OutcomeStatus::Failed);
    if failed < MANY || report.count(OutcomeStatus::Done) > 0 {
        return None;
    }
    let mut details = report
        .outcomes
        .iter()
        .filter_map(|outcome| outcome.detail.clone());
    let first = details.next().unwrap_or_default();
    let mut trouble = SyncFailure::new(format!(
        "none of {failed} changes was accepted; the first was refused so: {first}"
    ));
    trouble.needs_person = lasting;
    Some(trouble)
}

/// A platform that was empty could not show whether it tells changes; now it can.
async fn first_look(scim: &Scim, read: &mut SyncInputs, teams: bool) -> Result<(), SyncFailure> {
    let users = read.stored.platform.users.len() as u64;
    let tells = read.described.filter
        && scim
            .reports_changes(users)
            .await
            .map_err(SyncFailure::of_platform)?;
    if tells {
        let whole = target::whole(scim, &read.described, teams).await;
        let (platform, newest) = whole.map_err(SyncFailure::of_platform)?;
        read.stored.platform = platform;
        (read.pointer.newest_user, read.pointer.newest_group) = (newest.user, newest.group);
    }
    Ok(())
}
