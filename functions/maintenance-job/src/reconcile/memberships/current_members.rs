//! Who is in each group now: as kept since the last run, or read from Graph in full.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, TimeDelta, Utc};
use rollcall_clients::graph::Members;
use rollcall_clients::store::StoreError;
use rollcall_domain::base::ids::{ObjectId, ProfileId};
use rollcall_domain::base::run::{RunRequest, Trigger};
use rollcall_domain::membership::plan::diff::{Accounts, GroupMembers};
use rollcall_domain::membership::plan::known_members::{KeptMembers, ManualEdits};
use rollcall_domain::membership::report::ProfileStatus;

use crate::budget::Interrupted;
use crate::context::{ProfileContext, RunContext, words};
use crate::reconcile::groups::Groups;

/// Groups whose member ids are in memory at a time.
const WINDOW: usize = 100;
/// Members of those groups, as of the last run, unless a single one has more.
const WINDOW_MEMBERS: usize = 1_000_000;
/// So long after a write Graph may answer from a copy that does not show it.
const LAG: TimeDelta = TimeDelta::minutes(15);

/// A group's members and how they are known.
#[derive(Debug)]
pub(crate) struct CurrentMembers {
    pub(crate) members: GroupMembers,
    /// The slot of the run that read them in full.
    pub(crate) read_at: DateTime<Utc>,
    /// Whether the state table holds them.
    pub(crate) recorded: bool,
    /// Whether they may be stale: good to plan from, not to be kept.
    pub(crate) doubtful: bool,
    /// Whose last change failed and may have been made all the same.
    pub(crate) unsure: BTreeSet<ObjectId>,
}

/// Every managed profile's group, known completely or with the reason why not.
pub(crate) type Current = BTreeMap<ProfileId, Result<CurrentMembers, String>>;

/// A group that has to be read.
struct Unread {
    index: usize,
    profile: ProfileId,
    group: ObjectId,
    /// Members it had after the last run.
    size: usize,
    /// What was kept about it.
    before: Option<GroupMembers>,
}

/// Finds out who is in each group. What is read is kept at once, so that a
/// continuation goes on where this invocation ends.
pub(crate) async fn gather(
    work: &mut RunContext<'_>,
    groups: &Groups,
    accounts: &Accounts,
    request: &RunRequest,
) -> Result<Result<Current, Interrupted>, String> {
    let mut kept = recall(work, groups).await.map_err(words)?;
    let (mut current, mut unread, mut taken) = (Current::new(), Vec::new(), 0);
    let subjects = work.subjects.iter().enumerate();
    for (index, subject) in subjects.filter(|(_, subject)| is_managed(subject)) {
        if subject.report.status == ProfileStatus::Failed {
            continue;
        }
        let id = subject.profile.id;
        let Some(group) = subject.state.group else {
            current.insert(id, Err("it has no group".to_owned()));
            continue;
        };
        if groups.fresh.contains(&id) {
            let nobody = GroupMembers::none(&work.snapshot);
            current.insert(id, Ok(standing(nobody, work.slot, false)));
            continue;
        }
        let kept = kept.remove(&id).filter(|kept| kept.group == group);
        let before = kept
            .as_ref()
            .and_then(|kept| kept.rebase_on(&work.snapshot, accounts));
        match (kept, before) {
            (Some(kept), Some(members)) if is_current(&kept, subject.version, request) => {
                let known = CurrentMembers {
                    unsure: kept.unsure,
                    ..standing(members, kept.read_at, true)
                };
                current.insert(id, Ok(known));
                taken += 1;
            }
            (_, before) => unread.push(Unread {
                index,
                profile: id,
                group,
                size: subject.state.members,
                before,
            }),
        }
    }
    count(work, "groupsKept", taken);
    count(work, "groupsRead", unread.len());
    let read = read(work, unread, accounts, &mut current).await?;
    Ok(read.map(|()| current))
}

fn standing(members: GroupMembers, read_at: DateTime<Utc>, recorded: bool) -> CurrentMembers {
    CurrentMembers {
        members,
        read_at,
        recorded,
        doubtful: false,
        unsure: BTreeSet::new(),
    }
}

fn is_managed(subject: &ProfileContext) -> bool {
    subject.profile.auto_populate && !subject.profile.is_deleted()
}

/// A run that a person starts reads every group: who asks wants the truth. Its
/// continuations take what it has read.
fn is_current(kept: &KeptMembers, version: u64, request: &RunRequest) -> bool {
    let by_hand = matches!(request.trigger, Trigger::Manual { .. });
    let asked_just_now = by_hand && request.continuation == 0;
    !asked_just_now && kept.is_fresh_for(version, request.slot.at(), by_hand)
}

/// What is kept and still counts. The rest is taken back: a profile that is not
/// managed leaves its group to people, and what was restored may hold anybody.
async fn recall(
    work: &RunContext<'_>,
    groups: &Groups,
) -> Result<BTreeMap<ProfileId, KeptMembers>, StoreError> {
    let store = &work.services.store;
    let mut kept = BTreeMap::new();
    let mut void = Vec::new();
    let subjects = work.subjects.iter().filter(|subject| is_managed(subject));
    let managed: BTreeSet<_> = subjects.map(|subject| subject.profile.id).collect();
    for (id, members) in store.kept_members(work.tenant.id).await? {
        match members {
            Ok(members) if managed.contains(&id) && !groups.doubtful.contains(&id) => {
                kept.insert(id, members);
            }
            Ok(_) => void.push(id),
            Err(problem) => {
                tracing::warn!(tenant = %work.tenant.id, profile = %id, %problem, "the group is read instead");
                void.push(id);
            }
        }
    }
    let fence = work.pace.lease().fence();
    store.forget_members(fence, void).await?;
    Ok(kept)
}

/// Reads groups a window at a time, each completely or not at all.
async fn read(
    work: &mut RunContext<'_>,
    mut unread: Vec<Unread>,
    accounts: &Accounts,
    current: &mut Current,
) -> Result<Result<(), Interrupted>, String> {
    while !unread.is_empty() {
        if let Err(stop) = work.pace.check().await {
            return Ok(Err(stop));
        }
        let rest = unread.split_off(window(&unread));
        let groups: Vec<ObjectId> = unread.iter().map(|unread| unread.group).collect();
        let mut found = work
            .graph_reader
            .members_of(&groups)
            .await
            .map_err(|error| format!("Microsoft Graph: {error}"))?;
        let mut keep = Vec::new();
        for one in unread {
            let members = match found.remove(&one.group) {
                Some(Ok(members)) => members,
                Some(Err(error)) => {
                    current.insert(one.profile, Err(format!("Microsoft Graph: {error}")));
                    continue;
                }
                None => {
                    current.insert(one.profile, Err("its members were not read".to_owned()));
                    continue;
                }
            };
            let (standing, edits) = found_now(work, accounts, &one, members);
            note(work, one.index, edits);
            if !standing.doubtful {
                let record = record(work, one.index, one.group, &standing);
                keep.push((one.index, record, !edits.is_empty()));
            }
            current.insert(one.profile, Ok(standing));
        }
        keep_read(work, keep).await.map_err(words)?;
        unread = rest;
    }
    Ok(Ok(()))
}

/// What a full read found, and how it differs from what was kept. Soon after our
/// own write it may be what was there before: then it is not kept, and what looks
/// like an edit may be our own change, not shown yet.
fn found_now(
    work: &RunContext<'_>,
    accounts: &Accounts,
    unread: &Unread,
    found: Members,
) -> (CurrentMembers, ManualEdits) {
    let others = found.others.into_keys().collect();
    let members = GroupMembers::of(&work.snapshot, accounts, found.users, others);
    let written_at = work.subjects[unread.index].state.written_at;
    let doubtful = written_at.is_some_and(|written_at| Utc::now() - written_at < LAG);
    let before = unread.before.as_ref().filter(|_| !doubtful);
    let people = &work.snapshot.people;
    let edits = before.map(|before| ManualEdits::between(people, before, &members));
    let standing = CurrentMembers {
        doubtful,
        ..standing(members, work.slot, !doubtful)
    };
    (standing, edits.unwrap_or_default())
}

/// Adds edits to those that the report of this run has to tell.
fn note(work: &mut RunContext<'_>, index: usize, edits: ManualEdits) {
    count(work, "manualEdits", edits.added + edits.removed);
    if !edits.is_empty() {
        let state = &mut work.subjects[index].state;
        state.edits = state.edits.and(edits);
        state.edits_told = None;
    }
}

/// Keeps what was read, and with it what differed from what is replaced.
async fn keep_read(
    work: &RunContext<'_>,
    read: Vec<(usize, KeptMembers, bool)>,
) -> Result<(), StoreError> {
    let with_states: Vec<_> = read
        .into_iter()
        .map(|(index, record, edited)| {
            let subject = &work.subjects[index];
            let state = edited.then_some(&subject.state);
            (subject.profile.id, record, state)
        })
        .collect();
    let fence = work.pace.lease().fence();
    work.services
        .store
        .put_read_members(fence, &with_states)
        .await
}

/// How many groups are read together.
fn window(unread: &[Unread]) -> usize {
    let mut members = 0;
    let fits = unread.iter().take(WINDOW).take_while(|unread| {
        members += unread.size;
        members <= WINDOW_MEMBERS
    });
    fits.count().max(1)
}

/// What is kept about a group as it stands.
pub(crate) fn record(
    work: &RunContext<'_>,
    index: usize,
    group: ObjectId,
    standing: &CurrentMembers,
) -> KeptMembers {
    KeptMembers {
        lineage: work.snapshot.people.lineage.first.clone(),
        group,
        members: standing.members.clone(),
        profile_version: work.subjects[index].version,
        read_at: standing.read_at,
        unsure: standing.unsure.clone(),
    }
}

fn count(work: &mut RunContext<'_>, name: &str, more: usize) {
    *work.counted.entry(name.to_owned()).or_default() += more as u64;
}
