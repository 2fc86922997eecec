//! A profile as the API returns it, with its status.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use rollcall_clients::store::profile_states::ProfileState;
use rollcall_domain::audience::discrepancies::MissingSince;
use rollcall_domain::audience::lint::Warning;
use rollcall_domain::audience::profile::{Lifecycle, Overrides, Profile, Retraction};
use rollcall_domain::base::ids::{CourseId, ObjectId, ProfileId, UserId};
use rollcall_domain::base::throttle::Throttle;
use rollcall_domain::membership::hold::Hold;
use rollcall_domain::membership::report::ProfileStatus;
use rollcall_domain::rules::FilterDocument;
use serde::Serialize;
use utoipa::ToSchema;

/// A profile.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Profile)]
pub(crate) struct ProfileView {
    /// The id.
    id: ProfileId,
    /// The version, also in the header `ETag`.
    version: u64,
    /// The title.
    title: String,
    /// The purpose of the profile.
    description: String,
    /// True if the group is enrolled in the courses.
    enroll: bool,
    /// True if the group's members follow the rules.
    auto_populate: bool,
    /// The limits above which a change is held.
    throttle: Throttle,
    /// The rules.
    filter: FilterDocument,
    /// The overrides.
    overrides: Overrides,
    /// The selected courses.
    courses: BTreeSet<CourseId>,
    /// The IANA time zone in which the days of date rules are interpreted.
    time_zone: String,
    /// How the group leaves the learning platform.
    retraction: Retraction,
    /// When an administrator last changed it.
    modified_at: DateTime<Utc>,
    /// The name of that administrator.
    modified_by: String,
    /// The time of deletion, of a deleted profile. It can be restored.
    #[serde(skip_serializing_if = "Option::is_none")]
    deleted_at: Option<DateTime<Utc>>,
    /// The status after the last run.
    standing: ProfileStatusView,
    /// Warnings about the profile; only in responses to a save.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    warnings: Vec<Warning>,
}

/// The status of a profile after the last run.
#[derive(Serialize, ToSchema)]
#[schema(as = Standing)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ProfileStatusView {
    /// The object id of its Entra group; absent until a run has created it.
    #[serde(skip_serializing_if = "Option::is_none")]
    group_id: Option<ObjectId>,
    /// The name of the group.
    group_name: String,
    /// The status; absent until a run has evaluated the profile.
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<ProfileStatus>,
    /// The reason for the status, if the profile is not synchronised.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    /// The number of members of the group.
    members: usize,
    /// When a run last evaluated the profile.
    #[serde(skip_serializing_if = "Option::is_none")]
    evaluated_at: Option<DateTime<Utc>>,
    /// True if a change is held.
    held: bool,
    /// Users of the overrides that the platform's data lacks, with the time since when. They have no
    /// effect, and are removed after a week.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    #[schema(required = false)]
    missing_users: BTreeMap<UserId, DateTime<Utc>>,
    /// Selected courses that the platform's data lacks, with the time since when. They have no
    /// effect, and are removed after a week.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    #[schema(required = false)]
    missing_courses: BTreeMap<CourseId, DateTime<Utc>>,
}

fn since<K: Ord>(missing: BTreeMap<K, MissingSince>) -> BTreeMap<K, DateTime<Utc>> {
    let times = missing.into_iter().map(|(key, since)| (key, since.at));
    times.collect()
}

impl ProfileStatusView {
    /// Returns the status recorded by the jobs.
    pub(crate) fn of(state: Option<ProfileState>, hold: Option<&Hold>, group_name: String) -> Self {
        let state = state.unwrap_or_default();
        Self {
            group_id: state.group,
            group_name,
            status: state.status,
            reason: state.reason,
            members: state.members,
            evaluated_at: state.evaluated_at,
            held: hold.is_some(),
            missing_users: since(state.missing.users),
            missing_courses: since(state.missing.courses),
        }
    }

    /// Returns the status, for filters.
    pub(crate) fn status(&self) -> Option<ProfileStatus> {
        self.status
    }
}

impl ProfileView {
    /// Returns a profile with its status.
    pub(crate) fn of(profile: Profile, version: u64, standing: ProfileStatusView) -> Self {
        let deleted_at = match &profile.lifecycle {
            Lifecycle::Deleted { at, .. } => Some(*at),
            Lifecycle::Active => None,
        };
        Self {
            id: profile.id,
            version,
            title: profile.title,
            description: profile.description,
            enroll: profile.enroll,
            auto_populate: profile.auto_populate,
            throttle: profile.throttle,
            filter: profile.filter,
            overrides: profile.overrides,
            courses: profile.courses,
            time_zone: profile.time_zone.name().to_owned(),
            retraction: profile.retraction,
            modified_at: profile.modified_at,
            modified_by: profile.modified_by,
            deleted_at,
            standing,
            warnings: Vec::new(),
        }
    }

    /// Adds warnings.
    pub(crate) fn warned(mut self, warnings: Vec<Warning>) -> Self {
        self.warnings = warnings;
        self
    }
}
