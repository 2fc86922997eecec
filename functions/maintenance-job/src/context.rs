//! The data and clients of one run, read under the lock.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use rollcall_app::Services;
use rollcall_app::jobs::budget::RunBudget;
use rollcall_clients::graph::{GraphReader, GraphWriter};
use rollcall_clients::learn365::Learn365;
use rollcall_clients::store::profile_states::ProfileState;
use rollcall_clients::store::tenants::{SnapshotPointer, Tenant};
use rollcall_domain::audience::profile::Profile;
use rollcall_domain::base::ids::{CourseId, ObjectId, ProfileId};
use rollcall_domain::base::run::RunRequest;
use rollcall_domain::membership::enrolment::GroupRoles;
use rollcall_domain::membership::hold::Hold;
use rollcall_domain::membership::report::{ProfileReport, ProfileStatus};
use rollcall_domain::snapshot::Snapshot;

use crate::error::StepError;

/// The longest pause of Microsoft Graph that an invocation waits for itself.
const LONGEST_WAIT: Duration = Duration::from_mins(2);

/// What earlier invocations of this run did with a profile, in the order in which a continuation
/// tries them: a profile that keeps failing or deferring must not keep the others from being tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Attempt {
    /// It was not tried.
    Never,
    /// It was partly done.
    Unfinished,
    /// It was done.
    Complete,
    /// It failed.
    Failed,
}

impl Attempt {
    /// Returns the attempt that the state records.
    fn of(state: &ProfileState, slot: DateTime<Utc>) -> Self {
        if state.evaluated_at != Some(slot) {
            return Self::Never;
        }
        match state.status {
            Some(ProfileStatus::Failed) => Self::Failed,
            Some(ProfileStatus::Unfinished) => Self::Unfinished,
            _ => Self::Complete,
        }
    }
}

/// One profile with its stored state and its part of the report.
pub(crate) struct ProfileContext {
    /// What earlier invocations of this run did with its membership.
    pub(crate) attempt: Attempt,
    /// True if this invocation updated its membership, or tried to.
    pub(crate) updated: bool,
    pub(crate) profile: Profile,
    /// The profile without references to objects that the snapshot does not contain. Evaluated,
    /// but never stored.
    pub(crate) evaluated: Profile,
    pub(crate) version: u64,
    pub(crate) state: ProfileState,
    pub(crate) report: ProfileReport,
}

/// The data and clients that the steps of a run share.
pub(crate) struct RunContext<'a> {
    pub(crate) services: &'a Services,
    pub(crate) tenant: Tenant,
    pub(crate) snapshot: Arc<Snapshot>,
    /// The courses and catalogs of each group when the snapshot was taken.
    pub(crate) listed: HashMap<ObjectId, GroupRoles>,
    pub(crate) profiles: Vec<ProfileContext>,
    /// The problems of stored profiles that cannot be read, by key.
    pub(crate) unreadable: BTreeMap<String, String>,
    pub(crate) holds: BTreeMap<ProfileId, Hold>,
    pub(crate) graph_reader: GraphReader,
    pub(crate) graph_writer: GraphWriter,
    pub(crate) platform: Learn365,
    pub(crate) budget: RunBudget,
    /// The smallest number of Graph requests with which the member changes can be written; the
    /// report compares it with the actual number.
    pub(crate) min_writes: u64,
    /// Indexes of profiles whose state is not stored yet.
    pub(crate) unsaved: BTreeSet<usize>,
    /// Accounts of learners that do not exist (any more), as this run found out. They are known
    /// for all groups.
    pub(crate) missing: BTreeSet<ObjectId>,
    /// Counts of the membership step.
    pub(crate) counted: BTreeMap<String, u64>,
    pub(crate) slot: DateTime<Utc>,
    /// Number of earlier invocations of this run.
    pub(crate) continuation: u32,
    /// True if this invocation did or tried something that no earlier one did.
    pub(crate) progressed: bool,
}

impl RunContext<'_> {
    /// Returns the title of a course for reports; its id if it is not in the snapshot.
    pub(crate) fn course_title(&self, id: CourseId) -> String {
        self.snapshot
            .course(id)
            .map_or_else(|| id.to_string(), |course| course.title.clone())
    }

    /// Returns true if member changes were deferred because time ran out.
    pub(crate) fn has_deferred_member_changes(&self) -> bool {
        self.profiles
            .iter()
            .any(|entry| entry.report.added.deferred + entry.report.removed.deferred > 0)
    }

    /// Returns the time for which rules with relative dates are evaluated: the slot, or the time of
    /// the data if the run is older. A late run must not undo what newer data has caused (F-12).
    pub(crate) fn as_of(&self) -> DateTime<Utc> {
        self.slot.max(self.snapshot.header.taken_at)
    }

    /// Returns the pause that Microsoft Graph asks for, if it is too long to wait for: nothing is
    /// tried meanwhile, because refused requests prolong it (F-7).
    pub(crate) fn throttled_for(&self) -> Option<Duration> {
        self.graph_writer
            .throttled_for()
            .filter(|pause| *pause > LONGEST_WAIT)
    }

    /// Returns the ids of profiles that are not deleted. A profile that cannot be read
    /// counts as existing.
    pub(crate) fn living(&self) -> BTreeSet<ProfileId> {
        self.profiles
            .iter()
            .filter(|entry| !entry.profile.is_deleted())
            .map(|entry| entry.profile.id)
            .chain(self.unreadable.keys().filter_map(|key| key.parse().ok()))
            .collect()
    }
}

/// Reads the snapshot, the profiles and their states, and creates the clients.
pub(crate) async fn load<'a>(
    services: &'a Services,
    tenant: Tenant,
    pointer: &SnapshotPointer,
    request: &RunRequest,
    budget: RunBudget,
) -> Result<RunContext<'a>, StepError> {
    let slot = request.slot.at();
    let loaded = services.load_snapshot(tenant.id, pointer).await?;
    let snapshot = Arc::new(loaded.snapshot);
    let store = &services.store;
    let mut states = store.profile_states(tenant.id).await?;
    let holds = store.holds(tenant.id).await?;
    let (mut profiles, mut unreadable) = (Vec::new(), BTreeMap::new());
    for stored in store.profiles(tenant.id).await? {
        match stored.profile {
            Ok(profile) => {
                let state = states.remove(&profile.id).unwrap_or_default();
                profiles.push(ProfileContext {
                    attempt: Attempt::of(&state, slot),
                    updated: false,
                    report: ProfileReport::new(profile.id, &profile.title),
                    state,
                    version: stored.version,
                    evaluated: profile.clone(),
                    profile,
                });
            }
            Err(problem) => {
                unreadable.insert(stored.key, problem);
            }
        }
    }
    // The report lists profiles by title.
    profiles.sort_by(|a: &ProfileContext, b| a.profile.title.cmp(&b.profile.title));
    let until = budget.deadline().instant().into();
    let graph_writer = services.graph_writer(&tenant).await?.with_deadline(until);
    Ok(RunContext {
        graph_reader: graph_writer.reader().clone(),
        graph_writer,
        platform: services
            .learn365(&tenant)
            .await?
            .with_deadline(until)
            .with_circuit_breaker(),
        services,
        tenant,
        listed: listed(&snapshot),
        snapshot,
        profiles,
        unreadable,
        holds,
        budget,
        min_writes: 0,
        unsaved: BTreeSet::new(),
        missing: BTreeSet::new(),
        counted: BTreeMap::new(),
        slot,
        continuation: request.continuation,
        progressed: false,
    })
}

fn listed(snapshot: &Snapshot) -> HashMap<ObjectId, GroupRoles> {
    let mut roles: HashMap<_, Vec<_>> = HashMap::new();
    for role in &snapshot.group_roles {
        roles.entry(role.user).or_default().push(role);
    }
    let groups = snapshot.groups.iter();
    groups
        .filter_map(|group| Some((group.object_id?, GroupRoles::of(roles.remove(&group.id)?))))
        .collect()
}
