//! Third step: members equal to the audience, unless a person has to decide.

mod apply;
mod current_members;
mod group_writes;
mod holds;
pub(crate) mod manual_edits;
mod member_list;
pub mod workbook;

use std::collections::BTreeMap;
use std::sync::Arc;

use rollcall_clients::store::StoreError;
use rollcall_domain::audience::desired_members::{
    Audience, AudienceChange, AudienceError, evaluate,
};
use rollcall_domain::base::ids::ProfileId;
use rollcall_domain::base::rowset::RowSet;
use rollcall_domain::base::run::RunRequest;
use rollcall_domain::membership::hold::Hold;
use rollcall_domain::membership::plan::diff::{Accounts, PlanTarget, plan};
use rollcall_domain::membership::plan::guard::{GuardVerdict, guard};
use rollcall_domain::membership::report::ProfileStatus;
use rollcall_domain::rules::Fields;

use super::groups::Groups;
use crate::budget::Interrupted;
use crate::context::{RunContext, words};
use current_members::{Current, CurrentMembers, gather};
use group_writes::{carry_out, invalidate_if_unverified, keep};
use holds::{begin_approved, record_hold};
use member_list::Files;

/// Records of how profiles stand that wait to be written together.
const UNSAVED: usize = 99;

/// What all profiles of a run share.
struct Pass {
    accounts: Accounts,
    files: Files,
}

/// Brings every auto-populated profile's group up to date.
pub(crate) async fn update(
    work: &mut RunContext<'_>,
    groups: &Groups,
    request: &RunRequest,
) -> Result<Result<(), Interrupted>, String> {
    let mut pass = Pass {
        accounts: Accounts::of(&work.snapshot.people),
        files: Files::default(),
    };
    manual_edits::forget_notified(work);
    let mut current = match gather(work, groups, &pass.accounts, request).await? {
        Ok(current) => current,
        Err(stop) => return Ok(Err(stop)),
    };
    let mut changes = audiences(work, &mut current).await?;
    for index in 0..work.subjects.len() {
        if let Err(stop) = work.pace.check().await {
            if stop == Interrupted::OutOfTime {
                save(work).await.map_err(words)?;
            }
            return Ok(Err(stop));
        }
        let id = work.subjects[index].profile.id;
        let standing = current.remove(&id);
        if let Some((change, standing)) = prepare(work, index, changes.remove(&id), standing) {
            one(work, &mut pass, index, change, standing).await?;
        }
        manual_edits::remark(work, index);
        settle(work, index);
        if work.unsaved.len() >= UNSAVED {
            save(work).await.map_err(words)?;
        }
    }
    save(work).await.map_err(words)?;
    Ok(Ok(()))
}

/// Evaluates all audiences of the tenant together: profiles may name each other.
async fn audiences(
    work: &RunContext<'_>,
    current: &mut Current,
) -> Result<BTreeMap<ProfileId, Result<AudienceChange, AudienceError>>, String> {
    let fields = Fields::of(&work.snapshot);
    let living = work
        .subjects
        .iter()
        .filter(|subject| !subject.profile.is_deleted());
    let audiences: Vec<_> = living
        .map(|subject| {
            Audience::of(&subject.profile, &fields).map_err(|error| (subject.profile.id, error))
        })
        .collect();
    let known = current.iter_mut().filter_map(|(id, standing)| {
        let members = &mut standing.as_mut().ok()?.members;
        Some((*id, std::mem::take(&mut members.rows)))
    });
    let known: BTreeMap<ProfileId, RowSet> = known.collect();
    let (snapshot, slot) = (Arc::clone(&work.snapshot), work.slot);
    // On a thread of its own: the heartbeat goes on meanwhile.
    let evaluated = tokio::task::spawn_blocking(move || {
        let changes = evaluate(&audiences, &snapshot, slot, &known);
        (changes, known)
    });
    let (changes, known) = evaluated.await.map_err(words)?;
    for (id, rows) in known {
        if let Some(Ok(standing)) = current.get_mut(&id) {
            standing.members.rows = rows;
        }
    }
    Ok(changes)
}

/// Sorts out profiles whose members are not to be touched, with the reason.
fn prepare(
    work: &mut RunContext<'_>,
    index: usize,
    change: Option<Result<AudienceChange, AudienceError>>,
    standing: Option<Result<CurrentMembers, String>>,
) -> Option<(AudienceChange, CurrentMembers)> {
    let subject = &mut work.subjects[index];
    let report = &mut subject.report;
    if subject.profile.is_deleted() {
        report.status = ProfileStatus::Deleted;
        report.members = subject.state.members;
        return None;
    }
    report.members = match &standing {
        Some(Ok(standing)) => standing.members.len(),
        Some(Err(_)) | None => subject.state.members,
    };
    if report.status == ProfileStatus::Failed {
        return None;
    }
    if !subject.profile.auto_populate {
        report.status = ProfileStatus::Unmanaged;
        report.reason = Some("auto-populate is off: members are left as they are".to_owned());
        return None;
    }
    match change {
        Some(Ok(change)) => match standing {
            Some(Ok(standing)) => return Some((change, standing)),
            Some(Err(reason)) => report.fail(reason),
            None => report.fail("its members were not read"),
        },
        Some(Err(error @ AudienceError::NeedsReview { .. })) => {
            report.status = ProfileStatus::NeedsReview;
            report.reason = Some(error.to_string());
        }
        Some(Err(error)) => report.fail(error.to_string()),
        None => report.fail("it was not evaluated"),
    }
    None
}

/// Plans, guards and applies one profile's change.
async fn one(
    work: &mut RunContext<'_>,
    pass: &mut Pass,
    index: usize,
    change: AudienceChange,
    mut standing: CurrentMembers,
) -> Result<(), String> {
    let members = change.members(&standing.members.rows);
    if let Err(error) = member_list::keep(work, index, members, &mut pass.files).await {
        // The list of one profile is no reason to leave the others as they are.
        work.subjects[index]
            .report
            .fail(format!("its member list could not be written: {error}"));
    }
    let subject = &work.subjects[index];
    let about = PlanTarget {
        profile: subject.profile.id,
        group: subject.state.group,
    };
    let (snapshot, accounts) = (&work.snapshot, &pass.accounts);
    let plan = plan(about, snapshot, accounts, &change, &standing.members);
    work.subjects[index].report.unreachable = plan.unreachable;
    invalidate_if_unverified(work, &plan, &mut standing)
        .await
        .map_err(words)?;
    let hold = work.holds.get(&plan.profile).cloned();
    match guard(
        plan.clone(),
        &work.subjects[index].profile.throttle,
        hold.as_ref(),
    ) {
        GuardVerdict::Hold {
            exceeded,
            hash,
            announce,
        } => {
            let held = Hold::new(plan.profile, &plan, exceeded, work.slot);
            record_hold(work, index, held, hash, announce, hold.as_ref()).await
        }
        GuardVerdict::Clear(cleared) => {
            if let Some(hold) = hold.as_ref() {
                begin_approved(work, hold).await?;
            }
            let after = standing.members.after(&change, &pass.accounts);
            let ended = carry_out(work, index, &cleared).await.map_err(words)?;
            let known = ended.map(|failed| CurrentMembers {
                members: after.without(&failed, &standing.members, &pass.accounts),
                unsure: failed,
                ..standing
            });
            if let Some(known) = known {
                keep(work, index, &cleared, &known).await.map_err(words)?;
            }
            close_hold(work, index, hold.as_ref()).await.map_err(words)
        }
    }
}

/// A hold whose change was made to its end, or is no longer wanted, is over.
async fn close_hold(
    work: &RunContext<'_>,
    index: usize,
    hold: Option<&Hold>,
) -> Result<(), StoreError> {
    let report = &work.subjects[index].report;
    let Some(hold) = hold.filter(|_| report.added.deferred + report.removed.deferred == 0) else {
        return Ok(());
    };
    let fence = work.pace.lease().fence();
    work.services.store.clear_hold(fence, hold.profile).await
}

/// Records what the steps on the platform changed about how profiles stand.
pub(crate) async fn finalize_all(work: &mut RunContext<'_>) -> Result<(), StoreError> {
    for index in 0..work.subjects.len() {
        let subject = &work.subjects[index];
        if subject.state.evaluated_at == Some(work.slot)
            && subject.state.status != Some(subject.report.status)
        {
            settle(work, index);
        }
    }
    save(work).await
}

/// Notes how the profile stands; [`save`] writes it.
fn settle(work: &mut RunContext<'_>, index: usize) {
    let (slot, snapshot) = (work.slot, work.snapshot.header.id.clone());
    let subject = &mut work.subjects[index];
    let state = &mut subject.state;
    state.status = Some(subject.report.status);
    state.reason.clone_from(&subject.report.reason);
    state.members = subject.report.members;
    state.snapshot = Some(snapshot);
    state.evaluated_at = Some(slot);
    work.unsaved.insert(index);
}

/// Writes what was noted, many profiles in one transaction.
pub(crate) async fn save(work: &mut RunContext<'_>) -> Result<(), StoreError> {
    let unsaved = std::mem::take(&mut work.unsaved);
    let states = unsaved.iter().map(|index| {
        let subject = &work.subjects[*index];
        (subject.profile.id, &subject.state)
    });
    let fence = work.pace.lease().fence();
    work.services.store.put_profile_states(fence, states).await
}
