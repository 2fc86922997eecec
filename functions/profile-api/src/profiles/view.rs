//! A profile as people see it: what they wrote, and how it stands.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use rollcall_clients::store::profile_states::ProfileState;
use rollcall_domain::audience::lint::Warning;
use rollcall_domain::audience::profile::{Lifecycle, Overrides, Profile, Retraction};
use rollcall_domain::base::ids::{CourseId, ObjectId, ProfileId};
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
    /// Its id.
    id: ProfileId,
    /// Its version; the header `ETag` has it, too.
    version: u64,
    /// Its title.
    title: String,
    /// What it is for.
    description: String,
    /// Whether the group is enrolled in the courses.
    enroll: bool,
    /// Whether membership follows the rules.
    auto_populate: bool,
    /// When a change is held.
    throttle: Throttle,
    /// Who matches.
    filter: FilterDocument,
    /// Exceptions.
    overrides: Overrides,
    /// Selected courses.
    courses: BTreeSet<CourseId>,
    /// IANA zone in which days of date rules are read.
    time_zone: String,
    /// How the group leaves the learning platform.
    retraction: Retraction,
    /// When a person last changed it.
    modified_at: DateTime<Utc>,
    /// Who.
    modified_by: String,
    /// When it was deleted, if it was; it can be restored.
    #[serde(skip_serializing_if = "Option::is_none")]
    deleted_at: Option<DateTime<Utc>>,
    /// How it stood after the last run.
    standing: ProfileStatusView,
    /// What its author should know; only in answers to saving it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    warnings: Vec<Warning>,
}

/// How a profile stood after the last run.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ProfileStatusView {
    /// The object id of its Entra group; absent until a run has made it.
    #[serde(skip_serializing_if = "Option::is_none")]
    group_id: Option<ObjectId>,
    /// The group's name.
    group_name: String,
    /// How it stood; absent until a run has looked at it.
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<ProfileStatus>,
    /// Why, when it is not simply synchronised.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    /// Members of the group.
    members: usize,
    /// When the last run looked at it.
    #[serde(skip_serializing_if = "Option::is_none")]
    evaluated_at: Option<DateTime<Utc>>,
    /// Whether a change of it is held.
    held: bool,
}

impl ProfileStatusView {
    /// What the jobs know, put for people.
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
        }
    }

    /// The status's name, as filters write it.
    pub(crate) fn status(&self) -> Option<ProfileStatus> {
        self.status
    }
}

impl ProfileView {
    /// A profile with how it stands.
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

    /// The same with what its author should know.
    pub(crate) fn warned(mut self, warnings: Vec<Warning>) -> Self {
        self.warnings = warnings;
        self
    }
}
