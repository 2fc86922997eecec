//! The current members of each group: recorded by the last run, or read from Graph in full.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, TimeDelta, Utc};
use rollcall_clients::graph::Members;
use rollcall_clients::store::StoreError;
use rollcall_domain::base::ids::{ObjectId, ProfileId};
use rollcall_domain::base::run::{RunRequest, Trigger};
use rollcall_domain::membership::plan::diff::{Accounts, GroupMembers};
use rollcall_domain::membership::plan::recorded_members::{ManualEdits, RecordedMembers};
use rollcall_domain::membership::report::ProfileStatus;

use crate::context::{ProfileContext, RunContext};
use crate::error::{StepError, UnknownMembers};
use crate::reconcile::groups::Groups;

/// Number of groups whose member ids are in memory at a time.
const WINDOW: usize = 100;
/// Maximum number of members of those groups, as of the last run, unless a single group has more.
const WINDOW_MEMBERS: usize = 1_000_000;
/// Time after a write during which Graph may still return the previous members.
const LAG: TimeDelta = TimeDelta::minutes(15);

/// The members of a group, and where they come from.
#[derive(Debug)]
pub(crate) struct CurrentMembers {
    pub(crate) members: GroupMembers,
    /// The slot of the run that read them from Graph.
    pub(crate) read_at: DateTime<Utc>,
    /// True if they are stored in the state table.
    pub(crate) recorded: bool,
    /// True if they may be stale: they are used for a plan, but not recorded.
    pub(crate) may_be_stale: bool,
    /// Members whose last change returned an error; it may nevertheless have been applied.
    pub(crate) unconfirmed: BTreeSet<ObjectId>,
}

/// The complete members of each managed profile's group, or the reason why they are not known.
pub(crate) type Current = BTreeMap<ProfileId, Result<CurrentMembers, UnknownMembers>>;

/// A group that must be read from Graph.
struct Unread {
    index: usize,
    profile: ProfileId,
    group: ObjectId,
    /// The number of members after the last run.
    size: usize,
    /// The recorded members, if they can be mapped to the current snapshot.
    before: Option<GroupMembers>,
}

/// Returns the members of every group. Members that were read are recorded at once, so that
/// a continuation does not read them again.
pub(crate) async fn read_current_members(
    context: &mut RunContext<'_>,
    groups: &Groups,
    accounts: &Accounts,
    request: &RunRequest,
) -> Result<Current, StepError> {
    let mut kept = read_recorded(context, groups).await?;
    let (mut current, mut unread, mut taken) = (Current::new(), Vec::new(), 0);
    let profiles = context.profiles.iter().enumerate();
    for (index, entry) in profiles.filter(|(_, entry)| is_managed(entry)) {
        if entry.report.status == ProfileStatus::Failed {
            continue;
        }
        let id = entry.profile.id;
        let Some(group) = entry.state.group else {
            current.insert(id, Err(UnknownMembers::NoGroup));
            continue;
        };
        if groups.fresh.contains(&id) {
            let no_members = GroupMembers::none(&context.snapshot);
            current.insert(id, Ok(members_now(no_members, context.slot, false)));
            continue;
        }
        let kept = kept.remove(&id).filter(|kept| kept.group == group);
        let before = kept
            .as_ref()
            .and_then(|kept| kept.rebase_on(&context.snapshot, accounts));
        match (kept, before) {
            (Some(kept), Some(members)) if is_current(&kept, entry.version, request) => {
                let known = CurrentMembers {
                    unconfirmed: kept.unconfirmed,
                    ..members_now(members, kept.read_at, true)
                };
                current.insert(id, Ok(known));
                taken += 1;
            }
            (_, before) => unread.push(Unread {
                index,
                profile: id,
                group,
                size: entry.state.members,
                before,
            }),
        }
    }
    count(context, "groupsKept", taken);
    count(context, "groupsRead", unread.len());
    read(context, unread, accounts, &mut current).await?;
    Ok(current)
}

fn members_now(members: GroupMembers, read_at: DateTime<Utc>, recorded: bool) -> CurrentMembers {
    CurrentMembers {
        members,
        read_at,
        recorded,
        may_be_stale: false,
        unconfirmed: BTreeSet::new(),
    }
}

fn is_managed(entry: &ProfileContext) -> bool {
    entry.profile.auto_populate && !entry.profile.is_deleted()
}

/// Returns true if recorded members may be used. A run that an administrator started reads every
/// group from Graph; its continuations use the members that it has read.
fn is_current(kept: &RecordedMembers, version: u64, request: &RunRequest) -> bool {
    let by_hand = matches!(request.trigger, Trigger::Manual { .. });
    let asked_just_now = by_hand && request.continuation == 0;
    !asked_just_now && kept.is_fresh_for(version, request.slot.at(), by_hand)
}

/// Returns the recorded members that are still valid and deletes the others: the group of a
/// profile that is no longer managed may be edited by administrators, and a restored group
/// may have any members.
async fn read_recorded(
    context: &RunContext<'_>,
    groups: &Groups,
) -> Result<BTreeMap<ProfileId, RecordedMembers>, StoreError> {
    let store = &context.services.store;
    let mut kept = BTreeMap::new();
    let mut void = Vec::new();
    let profiles = context.profiles.iter().filter(|entry| is_managed(entry));
    let managed: BTreeSet<_> = profiles.map(|entry| entry.profile.id).collect();
    for (id, members) in store.recorded_members(context.tenant.id).await? {
        match members {
            Ok(members) if managed.contains(&id) && !groups.may_be_stale.contains(&id) => {
                kept.insert(id, members);
            }
            Ok(_) => void.push(id),
            Err(problem) => {
                tracing::warn!(tenant = %context.tenant.id, profile = %id, %problem, "recorded members are unreadable; reading the group");
                void.push(id);
            }
        }
    }
    let fence = context.budget.fence();
    store.delete_recorded_members(fence, void).await?;
    Ok(kept)
}

/// Reads groups in windows, each group completely or not at all.
async fn read(
    context: &mut RunContext<'_>,
    mut unread: Vec<Unread>,
    accounts: &Accounts,
    current: &mut Current,
) -> Result<(), StepError> {
    while !unread.is_empty() {
        context.budget.check().await?;
        let rest = unread.split_off(window(&unread));
        let groups: Vec<ObjectId> = unread.iter().map(|unread| unread.group).collect();
        let found = context.graph_reader.members_of(&groups).await;
        let mut found = found.map_err(StepError::of_graph)?;
        let mut keep = Vec::new();
        for one in unread {
            let members = match found.remove(&one.group) {
                Some(Ok(members)) => members,
                Some(Err(error)) => {
                    current.insert(one.profile, Err(UnknownMembers::Graph(error)));
                    continue;
                }
                None => {
                    current.insert(one.profile, Err(UnknownMembers::NotRead));
                    continue;
                }
            };
            let (members_now, edits) = compare_with_recorded(context, accounts, &one, members);
            note(context, one.index, edits);
            if !members_now.may_be_stale {
                let record = record(context, one.index, one.group, &members_now);
                keep.push((one.index, record, !edits.is_empty()));
            }
            current.insert(one.profile, Ok(members_now));
        }
        context.progressed |= !keep.is_empty();
        record_read(context, keep).await?;
        unread = rest;
    }
    Ok(())
}

/// Compares the members that were read with the recorded ones. Soon after our own write Graph
/// may return the previous members: then they are not recorded, and differences are ignored,
/// because they may be our own changes.
fn compare_with_recorded(
    context: &RunContext<'_>,
    accounts: &Accounts,
    unread: &Unread,
    found: Members,
) -> (CurrentMembers, ManualEdits) {
    let others = found.others.into_keys().collect();
    let members = GroupMembers::of(&context.snapshot, accounts, found.users, others);
    let written_at = context.profiles[unread.index].state.written_at;
    let may_be_stale = written_at.is_some_and(|written_at| Utc::now() - written_at < LAG);
    let before = unread.before.as_ref().filter(|_| !may_be_stale);
    let people = &context.snapshot.people;
    let edits = before.map(|before| ManualEdits::between(people, before, &members));
    let members_now = CurrentMembers {
        may_be_stale,
        ..members_now(members, context.slot, !may_be_stale)
    };
    (members_now, edits.unwrap_or_default())
}

/// Adds edits to the state of the profile, from which the report of this run shows them.
fn note(context: &mut RunContext<'_>, index: usize, edits: ManualEdits) {
    count(context, "manualEdits", edits.added + edits.removed);
    if !edits.is_empty() {
        let state = &mut context.profiles[index].state;
        state.edits = state.edits.and(edits);
        state.edits_reported = None;
    }
}

/// Records members that were read, in one transaction with the edits that were found.
async fn record_read(
    context: &RunContext<'_>,
    read: Vec<(usize, RecordedMembers, bool)>,
) -> Result<(), StoreError> {
    let with_states: Vec<_> = read
        .into_iter()
        .map(|(index, record, edited)| {
            let entry = &context.profiles[index];
            let state = edited.then_some(&entry.state);
            (entry.profile.id, record, state)
        })
        .collect();
    let fence = context.budget.fence();
    context
        .services
        .store
        .put_read_members(fence, &with_states)
        .await
}

/// Returns how many groups are read together.
fn window(unread: &[Unread]) -> usize {
    let mut members = 0;
    let fits = unread.iter().take(WINDOW).take_while(|unread| {
        members += unread.size;
        members <= WINDOW_MEMBERS
    });
    fits.count().max(1)
}

/// Returns the record of the members of a group.
pub(crate) fn record(
    context: &RunContext<'_>,
    index: usize,
    group: ObjectId,
    members_now: &CurrentMembers,
) -> RecordedMembers {
    RecordedMembers {
        lineage: context.snapshot.people.lineage.first.clone(),
        group,
        members: members_now.members.clone(),
        profile_version: context.profiles[index].version,
        read_at: members_now.read_at,
        unconfirmed: members_now.unconfirmed.clone(),
    }
}

fn count(context: &mut RunContext<'_>, name: &str, more: usize) {
    *context.counted.entry(name.to_owned()).or_default() += more as u64;
}
