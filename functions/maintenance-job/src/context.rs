//! Everything a run works on, read under the lock.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use std::sync::Arc;

use chrono::{DateTime, Utc};
use rollcall_app::Services;
use rollcall_clients::graph::{GraphReader, GraphWriter};
use rollcall_clients::learn365::Learn365;
use rollcall_clients::store::profile_states::ProfileState;
use rollcall_clients::store::tenants::{SnapshotPointer, Tenant};
use rollcall_domain::audience::profile::Profile;
use rollcall_domain::base::ids::{CourseId, ObjectId, ProfileId};
use rollcall_domain::membership::enrolment::GroupRoles;
use rollcall_domain::membership::hold::Hold;
use rollcall_domain::membership::report::ProfileReport;
use rollcall_domain::snapshot::Snapshot;

use crate::budget::RunBudget;

/// One profile and what is known and reported about it.
pub(crate) struct ProfileContext {
    pub(crate) profile: Profile,
    pub(crate) version: u64,
    pub(crate) state: ProfileState,
    pub(crate) report: ProfileReport,
}

/// The run's whole world.
pub(crate) struct RunContext<'a> {
    pub(crate) services: &'a Services,
    pub(crate) tenant: Tenant,
    pub(crate) snapshot: Arc<Snapshot>,
    /// Where each group stood on the platform when the data was taken.
    pub(crate) listed: HashMap<ObjectId, GroupRoles>,
    pub(crate) subjects: Vec<ProfileContext>,
    pub(crate) unreadable: BTreeMap<String, String>,
    pub(crate) holds: BTreeMap<ProfileId, Hold>,
    pub(crate) graph_reader: GraphReader,
    pub(crate) graph_writer: GraphWriter,
    pub(crate) platform: Learn365,
    pub(crate) pace: RunBudget,
    pub(crate) floor: u64,
    /// Profiles whose state is not written yet.
    pub(crate) unsaved: BTreeSet<usize>,
    /// What the membership step counted.
    pub(crate) counted: BTreeMap<String, u64>,
    pub(crate) slot: DateTime<Utc>,
}

impl RunContext<'_> {
    /// The title of a course, for people.
    pub(crate) fn course_title(&self, id: CourseId) -> String {
        self.snapshot
            .course(id)
            .map_or_else(|| id.to_string(), |course| course.title.clone())
    }

    /// Whether member changes were left for want of time.
    pub(crate) fn has_deferred_member_changes(&self) -> bool {
        self.subjects
            .iter()
            .any(|subject| subject.report.added.deferred + subject.report.removed.deferred > 0)
    }

    /// Profiles that exist and are not deleted. One that cannot be read exists.
    pub(crate) fn living(&self) -> BTreeSet<ProfileId> {
        self.subjects
            .iter()
            .filter(|subject| !subject.profile.is_deleted())
            .map(|subject| subject.profile.id)
            .chain(self.unreadable.keys().filter_map(|key| key.parse().ok()))
            .collect()
    }
}

/// Reads the snapshot, the profiles and what is known about them.
pub(crate) async fn load<'a>(
    services: &'a Services,
    tenant: Tenant,
    pointer: &SnapshotPointer,
    slot: DateTime<Utc>,
    pace: RunBudget,
) -> Result<RunContext<'a>, String> {
    let loaded = services.load_snapshot(tenant.id, pointer).await;
    let snapshot = Arc::new(loaded.map_err(words)?.snapshot);
    let store = &services.store;
    let mut states = store.profile_states(tenant.id).await.map_err(words)?;
    let holds = store.holds(tenant.id).await.map_err(words)?;
    let (mut subjects, mut unreadable) = (Vec::new(), BTreeMap::new());
    for stored in store.profiles(tenant.id).await.map_err(words)? {
        match stored.profile {
            Ok(profile) => subjects.push(ProfileContext {
                report: ProfileReport::new(profile.id, &profile.title),
                state: states.remove(&profile.id).unwrap_or_default(),
                version: stored.version,
                profile,
            }),
            Err(problem) => {
                unreadable.insert(stored.key, problem);
            }
        }
    }
    // People read the report in this order.
    subjects.sort_by(|a: &ProfileContext, b| a.profile.title.cmp(&b.profile.title));
    let until = pace.deadline().instant().into();
    let graph_writer = services.graph_writer(&tenant).await.map_err(words)?;
    let graph_writer = graph_writer.with_deadline(until);
    Ok(RunContext {
        graph_reader: graph_writer.reader().clone(),
        graph_writer,
        platform: services
            .learn365(&tenant)
            .await
            .map_err(words)?
            .with_deadline(until),
        services,
        tenant,
        listed: listed(&snapshot),
        snapshot,
        subjects,
        unreadable,
        holds,
        pace,
        floor: 0,
        unsaved: BTreeSet::new(),
        counted: BTreeMap::new(),
        slot,
    })
}

pub(crate) fn words(error: impl std::fmt::Display) -> String {
    error.to_string()
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
