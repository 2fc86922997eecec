//! Third step: members equal to the audience, unless a person has to decide.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::Arc;

use rollcall_clients::graph::Members as GroupState;
use rollcall_clients::store::StoreError;
use rollcall_domain::desired::{Audience, AudienceError, Change, evaluate};
use rollcall_domain::hold::Hold;
use rollcall_domain::ids::{ObjectId, ProfileId};
use rollcall_domain::plan::diff::{GroupMembers, Subject as PlanSubject, plan};
use rollcall_domain::plan::guard::{Verdict, guard};
use rollcall_domain::report::ProfileStatus;
use rollcall_domain::rules::Fields;

use crate::apply::apply;
use crate::holding::{begin_approved, hold_it};
use crate::load::{Work, words};
use crate::member_file;
use crate::pace::Stop;

/// Groups whose members are held in memory at a time; a page of one takes about a
/// megabyte while it is read.
const WINDOW: usize = 100;

/// Brings every auto-populated profile's group up to date. `fresh` are groups
/// that were made a moment ago and have no members to read.
pub(crate) async fn update(
    work: &mut Work<'_>,
    fresh: &BTreeSet<ProfileId>,
) -> Result<Result<(), Stop>, String> {
    let mut changes = audiences(work).await?;
    for begin in (0..work.subjects.len()).step_by(WINDOW) {
        let window = begin..work.subjects.len().min(begin + WINDOW);
        let current = current_members(work, window.clone(), fresh).await?;
        for index in window {
            if let Err(stop) = work.pace.check().await {
                return Ok(Err(stop));
            }
            let id = work.subjects[index].profile.id;
            match prepare(work, index, changes.remove(&id), &current) {
                Some(change) => one(work, index, change, &current[&id]).await?,
                None => settle(work, index).await.map_err(words)?,
            }
        }
    }
    Ok(Ok(()))
}

/// Evaluates all audiences of the tenant together: profiles may name each other.
async fn audiences(
    work: &Work<'_>,
) -> Result<BTreeMap<ProfileId, Result<Change, AudienceError>>, String> {
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
    let (snapshot, slot) = (Arc::clone(&work.snapshot), work.slot);
    // On a thread of its own: the heartbeat goes on meanwhile.
    tokio::task::spawn_blocking(move || evaluate(&audiences, &snapshot, slot, &BTreeMap::new()))
        .await
        .map_err(words)
}

type Current = BTreeMap<ProfileId, Result<GroupMembers, String>>;

/// Reads who is in each group, completely or not at all.
async fn current_members(
    work: &Work<'_>,
    window: Range<usize>,
    fresh: &BTreeSet<ProfileId>,
) -> Result<Current, String> {
    let managed = work.subjects[window]
        .iter()
        .filter(|subject| subject.profile.auto_populate && !subject.profile.is_deleted());
    let groups: BTreeMap<ProfileId, Option<ObjectId>> = managed
        .map(|subject| (subject.profile.id, subject.state.group))
        .collect();
    let to_read: Vec<ObjectId> = groups
        .iter()
        .filter(|(id, _)| !fresh.contains(id))
        .filter_map(|(_, group)| *group)
        .collect();
    let mut read = work
        .graph
        .members_of(&to_read)
        .await
        .map_err(|error| format!("Microsoft Graph: {error}"))?;
    Ok(groups
        .into_iter()
        .map(|(id, group)| {
            let members = match group {
                Some(_) if fresh.contains(&id) => Ok(GroupMembers::default()),
                Some(group) => match read.remove(&group) {
                    Some(members) => members
                        .map(group_members)
                        .map_err(|error| format!("Microsoft Graph: {error}")),
                    None => Err("its members were not read".to_owned()),
                },
                None => Err("it has no group".to_owned()),
            };
            (id, members)
        })
        .collect())
}

fn group_members(members: GroupState) -> GroupMembers {
    GroupMembers {
        users: members.users,
        others: members.others.into_keys().collect(),
    }
}

/// Sorts out profiles whose members are not to be touched, with the reason.
fn prepare(
    work: &mut Work<'_>,
    index: usize,
    change: Option<Result<Change, AudienceError>>,
    current: &Current,
) -> Option<Change> {
    let subject = &mut work.subjects[index];
    let report = &mut subject.report;
    if subject.profile.is_deleted() {
        report.status = ProfileStatus::Deleted;
        report.members = subject.state.members;
        return None;
    }
    if let Some(Ok(members)) = current.get(&subject.profile.id) {
        report.members = members.len();
    }
    if report.status == ProfileStatus::Failed {
        return None;
    }
    if !subject.profile.auto_populate {
        report.status = ProfileStatus::Unmanaged;
        report.reason = Some("auto-populate is off: members are left as they are".to_owned());
        report.members = subject.state.members;
        return None;
    }
    match change {
        Some(Ok(change)) => match &current[&subject.profile.id] {
            Ok(_) => return Some(change),
            Err(reason) => report.fail(reason.clone()),
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
    work: &mut Work<'_>,
    index: usize,
    change: Change,
    current: &Result<GroupMembers, String>,
) -> Result<(), String> {
    let Ok(current) = current else { return Ok(()) };
    if let Err(error) = member_file::keep(work, index, &change.members).await {
        // The list of one profile is no reason to leave the others as they are.
        work.subjects[index]
            .report
            .fail(format!("its member list could not be written: {error}"));
    }
    let subject = &work.subjects[index];
    let about = PlanSubject {
        profile: subject.profile.id,
        group: subject.state.group,
    };
    let plan = plan(about, &work.snapshot, &change.members, current);
    work.subjects[index].report.unreachable = plan.unreachable;
    let hold = work.holds.get(&plan.profile).cloned();
    match guard(
        plan.clone(),
        &work.subjects[index].profile.throttle,
        hold.as_ref(),
    ) {
        Verdict::Hold {
            exceeded,
            hash,
            announce,
        } => {
            let held = Hold::new(plan.profile, &plan, exceeded, work.slot);
            hold_it(work, index, held, hash, announce, hold.as_ref()).await?;
        }
        Verdict::Clear(cleared) => {
            if let Some(hold) = hold.as_ref() {
                begin_approved(work, hold).await?;
            }
            apply(work, index, &cleared).await;
            let report = &work.subjects[index].report;
            if hold.is_some() && report.added.deferred + report.removed.deferred == 0 {
                let fence = work.pace.lease().fence();
                work.services
                    .store
                    .clear_hold(fence, plan.profile)
                    .await
                    .map_err(words)?;
            }
        }
    }
    settle(work, index).await.map_err(words)
}

/// Records what the steps on the platform changed about how profiles stand.
pub(crate) async fn settle_all(work: &mut Work<'_>) -> Result<(), StoreError> {
    for index in 0..work.subjects.len() {
        let subject = &work.subjects[index];
        if subject.state.evaluated_at == Some(work.slot)
            && subject.state.status != Some(subject.report.status)
        {
            settle(work, index).await?;
        }
    }
    Ok(())
}

/// Records how the profile stands.
async fn settle(work: &mut Work<'_>, index: usize) -> Result<(), StoreError> {
    let (slot, snapshot) = (work.slot, work.snapshot.header.id.clone());
    let subject = &mut work.subjects[index];
    let before = subject.state.clone();
    let state = &mut subject.state;
    state.status = Some(subject.report.status);
    state.reason.clone_from(&subject.report.reason);
    state.members = subject.report.members;
    state.snapshot = Some(snapshot);
    state.evaluated_at = Some(slot);
    if *state == before {
        return Ok(());
    }
    let fence = work.pace.lease().fence();
    work.services
        .store
        .put_profile_state(fence, subject.profile.id, &subject.state)
        .await
}
