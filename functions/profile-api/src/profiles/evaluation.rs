//! Evaluates a profile on the current snapshot and compares it with the current members.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use rollcall_app::clients::ConnectError;
use rollcall_clients::graph::GraphError;
use rollcall_domain::audience::desired_members::{
    Audience, AudienceChange, AudienceError, AudienceProgram,
};
use rollcall_domain::audience::profile::Profile;
use rollcall_domain::base::ids::{CourseId, ObjectId, ProfileId, TenantId};
use rollcall_domain::base::rowset::RowSet;
use rollcall_domain::base::throttle::Limits;
use rollcall_domain::membership::plan::diff::GroupMembers;
use rollcall_domain::membership::preview::{Current, PreviewResult, Question};

use super::model::VersionedProfile;
use super::validation::KnownProfiles;
use crate::cache::snapshots::CachedSnapshot;
use crate::error::ApiError;
use crate::state::ApiState;

/// The time limit for reading a group from Microsoft Graph; API Gateway waits 30 s.
const GRAPH_TIMEOUT: Duration = Duration::from_secs(15);

/// The context of an evaluation.
pub(crate) struct Evaluation<'a> {
    pub(crate) api: &'a ApiState,
    pub(crate) tenant: TenantId,
    pub(crate) data: Arc<CachedSnapshot>,
    pub(crate) at: DateTime<Utc>,
}

/// The reason the members of a group are unknown.
#[derive(Debug, thiserror::Error)]
pub(crate) enum MembersUnknown {
    /// The client for the tenant's directory could not be created.
    #[error(transparent)]
    Client(#[from] ConnectError),
    /// Microsoft Graph failed.
    #[error("Microsoft Graph: {0}")]
    Graph(#[from] GraphError),
    /// Microsoft Graph did not return this group.
    #[error("Microsoft Graph does not list the group's members")]
    NotListed,
}

/// The members of a group, or why they are unknown.
pub(crate) type CurrentMembers = Result<GroupMembers, MembersUnknown>;

/// A profile's group.
pub(crate) struct CurrentGroup {
    pub(crate) members: CurrentMembers,
    /// The courses in which it is enrolled.
    pub(crate) courses: BTreeSet<CourseId>,
    /// The number of members after the last run.
    pub(crate) last_members: usize,
}

impl Evaluation<'_> {
    /// Compares the audience with the current members.
    pub(crate) fn result(
        &self,
        profile: &Profile,
        known: &KnownProfiles,
        now: Option<&GroupMembers>,
        taken: &BTreeSet<CourseId>,
        limits: &Limits,
    ) -> Result<PreviewResult, ApiError> {
        let data = &self.data;
        let change = self.change(profile, known, now.map(|now| &now.rows))?;
        let none = BTreeSet::new();
        Ok(PreviewResult::of(&Question {
            snapshot: &data.snapshot,
            accounts: data.accounts(),
            change: &change,
            current: now.map(|now| Current {
                rows: &now.rows,
                others: now.users.len() + now.others.len(),
            }),
            limits,
            courses_before: taken,
            courses_after: if profile.enroll {
                &profile.courses
            } else {
                &none
            },
        }))
    }

    /// Evaluates a profile together with those it needs.
    fn change(
        &self,
        profile: &Profile,
        known: &KnownProfiles,
        now: Option<&RowSet>,
    ) -> Result<AudienceChange, ApiError> {
        let audience = |one: &Profile| self.audience(one);
        // Without auto-populate a profile may have no rules; its audience is empty then.
        if !profile.auto_populate && matches!(audience(profile), Err((_, AudienceError::Empty))) {
            return Ok(AudienceChange::default());
        }
        let others = known.values().filter(|one| !one.is_deleted());
        let audiences: Vec<_> = others.chain([profile]).map(audience).collect();
        let AudienceProgram {
            mut indexes,
            program,
        } = AudienceProgram::of(&audiences);
        let index = match indexes.remove(&profile.id) {
            Some(Ok(index)) => index,
            Some(Err(error)) => return Err(error.into()),
            None => return Ok(AudienceChange::default()),
        };
        let mut current = vec![None; program.profiles()];
        current[index] = now;
        let mut changes = program.evaluate(&self.data.snapshot, self.at, &current);
        Ok(changes.swap_remove(index))
    }

    /// Returns a profile's audience, or its id with the error.
    fn audience(&self, profile: &Profile) -> Result<Audience, (ProfileId, AudienceError)> {
        Audience::of(profile, &self.data.fields).map_err(|error| (profile.id, error))
    }

    /// Returns for each profile whether its audience contains a learner. Profiles whose
    /// audience cannot be determined are omitted.
    pub(crate) fn audiences_of(
        &self,
        known: &KnownProfiles,
        row: u32,
    ) -> BTreeMap<ProfileId, bool> {
        let active = known.values().filter(|one| !one.is_deleted());
        let audiences: Vec<_> = active.map(|one| self.audience(one)).collect();
        let AudienceProgram { indexes, program } = AudienceProgram::of(&audiences);
        // Without current members, everyone in an audience joins.
        let changes = program.evaluate(&self.data.snapshot, self.at, &[]);
        let indexes = indexes.into_iter();
        indexes
            .filter_map(|(id, index)| {
                let joins = &changes.get(index.ok()?)?.joins;
                Some((id, joins.binary_search(&row).is_ok()))
            })
            .collect()
    }

    /// Returns the limits of a profile's change.
    pub(crate) async fn limits(
        &self,
        profile: &Profile,
        now: &CurrentGroup,
    ) -> Result<Limits, ApiError> {
        let tenant = crate::settings::model::tenant(self.api, self.tenant).await?;
        Ok(Limits {
            throttle: profile.throttle,
            default: tenant.settings.default_limit,
            last_members: now.last_members,
        })
    }

    /// Returns the current members and courses of the group. Members come from the last run
    /// if it is recent enough, otherwise from Microsoft Graph; a group that does not exist
    /// yet has none.
    pub(crate) async fn now(
        &self,
        read: Option<&VersionedProfile>,
    ) -> Result<CurrentGroup, ApiError> {
        let no_members = || Ok(GroupMembers::none(&self.data.snapshot));
        let Some(read) = read else {
            return Ok(CurrentGroup {
                members: no_members(),
                courses: BTreeSet::new(),
                last_members: 0,
            });
        };
        let id = read.profile.id;
        let store = &self.api.services.store;
        let states = store.profile_states_of(self.tenant, [id]).await;
        let state = states?.remove(&id).unwrap_or_default();
        let current = |members| CurrentGroup {
            members,
            courses: state.managed.clone(),
            last_members: state.confirmed_members,
        };
        let Some(group) = state.group else {
            return Ok(current(no_members()));
        };
        let kept = store.kept_members_of(self.tenant, id).await?;
        let kept = kept
            .filter(|kept| kept.group == group && kept.is_fresh_for(read.version, self.at, false));
        let kept = kept.and_then(|kept| kept.rebase_on(&self.data.snapshot, self.data.accounts()));
        let now = match kept {
            Some(kept) => Ok(kept),
            None => self.read(group).await?,
        };
        Ok(current(now))
    }

    /// Reads the members of a group from Graph.
    async fn read(&self, group: ObjectId) -> Result<CurrentMembers, ApiError> {
        let tenant = crate::settings::model::tenant(self.api, self.tenant).await?;
        let read = async {
            let graph = self.api.services.graph_reader(&tenant).await?;
            let graph = graph.with_deadline(tokio::time::Instant::now() + GRAPH_TIMEOUT);
            let mut found = graph.members_of(&[group]).await?;
            let members = found
                .remove(&group)
                .ok_or(MembersUnknown::NotListed)?
                .map_err(GraphError::from)?;
            let others = members.others.into_keys().collect();
            let data = &self.data;
            Ok(GroupMembers::of(
                &data.snapshot,
                data.accounts(),
                members.users,
                others,
            ))
        };
        Ok(read.await)
    }
}
