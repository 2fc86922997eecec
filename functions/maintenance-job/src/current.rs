//! Who is in each group now: as kept since the last run, or read from Graph in full.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use rollcall_clients::graph::Members;
use rollcall_clients::store::StoreError;
use rollcall_domain::ids::{ObjectId, ProfileId};
use rollcall_domain::plan::diff::{Accounts, GroupMembers};
use rollcall_domain::plan::kept::{KeptMembers, ManualEdits};
use rollcall_domain::report::ProfileStatus;
use rollcall_domain::run::{RunRequest, Trigger};

use crate::groups::Groups;
use crate::load::{Subject, Work, words};
use crate::pace::Stop;

/// Groups whose member ids are in memory at a time.
const WINDOW: usize = 100;
/// Members of those groups, as of the last run, unless a single one has more.
const WINDOW_MEMBERS: usize = 1_000_000;

/// A group's members and how they are known.
#[derive(Debug)]
pub(crate) struct Standing {
    pub(crate) members: GroupMembers,
    /// The slot of the run that read them in full.
    pub(crate) read_at: DateTime<Utc>,
    /// Whether the state table holds them.
    pub(crate) recorded: bool,
    /// What people changed by hand, if this run read the group and can tell.
    pub(crate) edits: ManualEdits,
}

/// Every managed profile's group, known completely or with the reason why not.
pub(crate) type Current = BTreeMap<ProfileId, Result<Standing, String>>;

/// A group that has to be read.
struct Unread {
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
    work: &mut Work<'_>,
    groups: &Groups,
    accounts: &Accounts,
    request: &RunRequest,
) -> Result<Result<Current, Stop>, String> {
    let mut kept = recall(work, groups).await.map_err(words)?;
    let (mut current, mut unread, mut taken) = (Current::new(), Vec::new(), 0);
    let managed = work.subjects.iter().filter(|subject| is_managed(subject));
    for subject in managed.filter(|subject| subject.report.status != ProfileStatus::Failed) {
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
            .and_then(|kept| kept.under(&work.snapshot, accounts));
        match (kept, before) {
            (Some(kept), Some(members)) if stands(&kept, group, request) => {
                current.insert(id, Ok(standing(members, kept.read_at, true)));
                taken += 1;
            }
            (_, before) => unread.push(Unread {
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

fn standing(members: GroupMembers, read_at: DateTime<Utc>, recorded: bool) -> Standing {
    Standing {
        members,
        read_at,
        recorded,
        edits: ManualEdits::default(),
    }
}

fn is_managed(subject: &Subject) -> bool {
    subject.profile.auto_populate && !subject.profile.is_deleted()
}

/// A run that a person starts reads every group: who asks wants the truth. Its
/// continuations take what it has read.
fn stands(kept: &KeptMembers, group: ObjectId, request: &RunRequest) -> bool {
    let by_hand = matches!(request.trigger, Trigger::Manual { .. });
    let asked_just_now = by_hand && request.continuation == 0;
    !asked_just_now && kept.stand_for(group, request.slot.at(), by_hand)
}

/// What is kept and still counts. The rest is taken back: a profile that is not
/// managed leaves its group to people, and what was restored may hold anybody.
async fn recall(
    work: &Work<'_>,
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
    work: &mut Work<'_>,
    mut unread: Vec<Unread>,
    accounts: &Accounts,
    current: &mut Current,
) -> Result<Result<(), Stop>, String> {
    while !unread.is_empty() {
        if let Err(stop) = work.pace.check().await {
            return Ok(Err(stop));
        }
        let rest = unread.split_off(window(&unread));
        let groups: Vec<ObjectId> = unread.iter().map(|unread| unread.group).collect();
        let mut found = work
            .graph
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
            let standing = found_now(work, accounts, one.before.as_ref(), members);
            count(
                work,
                "manualEdits",
                standing.edits.added + standing.edits.removed,
            );
            keep.push((one.profile, record(work, one.group, &standing)));
            current.insert(one.profile, Ok(standing));
        }
        let fence = work.pace.lease().fence();
        let store = &work.services.store;
        store.keep_members(fence, &keep).await.map_err(words)?;
        unread = rest;
    }
    Ok(Ok(()))
}

/// What a full read found, and how it differs from what was kept.
fn found_now(
    work: &Work<'_>,
    accounts: &Accounts,
    before: Option<&GroupMembers>,
    found: Members,
) -> Standing {
    let others = found.others.into_keys().collect();
    let members = GroupMembers::of(&work.snapshot, accounts, found.users, others);
    let people = &work.snapshot.people;
    let edits = before.map(|before| ManualEdits::between(people, before, &members));
    Standing {
        edits: edits.unwrap_or_default(),
        ..standing(members, work.slot, true)
    }
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
pub(crate) fn record(work: &Work<'_>, group: ObjectId, standing: &Standing) -> KeptMembers {
    KeptMembers {
        lineage: work.snapshot.people.lineage.first.clone(),
        group,
        members: standing.members.clone(),
        read_at: standing.read_at,
        confirmed_at: work.slot,
    }
}

fn count(work: &mut Work<'_>, name: &str, more: usize) {
    *work.counted.entry(name.to_owned()).or_default() += more as u64;
}
