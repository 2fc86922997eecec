//! The state of each profile as recorded by the jobs: group, status, enrolments.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_dynamodb::types::TransactWriteItem;
use chrono::{DateTime, Utc};
use rollcall_domain::audience::discrepancies::MissingReferences;
use rollcall_domain::base::ids::{CatalogId, CourseId, ObjectId, ProfileId, SnapshotId, TenantId};
use rollcall_domain::membership::plan::recorded_members::ManualEdits;
use rollcall_domain::membership::report::ProfileStatus;
use serde::{Deserialize, Serialize};

use super::items::{document, entity, read};
use super::{Fence, Item, Store, StoreError};

const PREFIX: &str = "state#";

/// The state of one profile. Only jobs write it, under their lease.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ProfileState {
    /// Its Entra group.
    pub group: Option<ObjectId>,
    /// Courses this service enrolled the group in.
    pub managed: BTreeSet<CourseId>,
    /// Catalogs this service added the group to.
    pub joined: BTreeSet<CatalogId>,
    /// The status after the last run.
    pub status: Option<ProfileStatus>,
    /// The reason of the status.
    pub reason: Option<String>,
    /// The number of members after the last run.
    pub members: usize,
    /// The number of members after the last change that was not held, or after the last run that
    /// found nothing to change. A group that suddenly has fewer is measured against it (F-24).
    #[serde(skip_serializing_if = "is_zero")]
    pub confirmed_members: usize,
    /// The snapshot of the last run.
    pub snapshot: Option<SnapshotId>,
    /// The slot of the run that last evaluated it.
    pub evaluated_at: Option<DateTime<Utc>>,
    /// True if nothing is left to do for a deleted profile (S4-123).
    pub obsolete: bool,
    /// The object key of its member list (S4-128).
    pub members_file: Option<String>,
    /// The digest of that file, so that an equal one is not written again.
    pub members_digest: Option<String>,
    /// The time of the last write to its group or of its restoration, by the job's clock. For some
    /// time afterwards Graph may return the previous members.
    pub written_at: Option<DateTime<Utc>>,
    /// Manual edits of the group that a report must contain.
    pub edits: ManualEdits,
    /// The slot of the last run that reported them.
    #[serde(rename = "editsTold")]
    pub edits_reported: Option<DateTime<Utc>>,
    /// Its references that the last snapshot did not contain (F-2).
    #[serde(skip_serializing_if = "MissingReferences::is_empty")]
    pub missing: MissingReferences,
    /// The last attempt to assign its courses.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub assigned: Option<EnrolmentAttempt>,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde passes a reference"
)]
const fn is_zero(count: &usize) -> bool {
    *count == 0
}

/// The last run that tried to bring a profile's enrolments in line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct EnrolmentAttempt {
    /// The slot of the run.
    pub slot: DateTime<Utc>,
    /// True if nothing was left to do.
    pub complete: bool,
}

fn states(items: &[Item]) -> Result<BTreeMap<ProfileId, ProfileState>, StoreError> {
    let states = items.iter().map(|item| {
        let id = entity(item)
            .trim_start_matches(PREFIX)
            .parse()
            .map_err(|error| super::items::unreadable(entity(item), error))?;
        Ok((id, read(item)?))
    });
    states.collect()
}

impl Store {
    /// Returns the states of all profiles.
    pub async fn profile_states(
        &self,
        tenant: TenantId,
    ) -> Result<BTreeMap<ProfileId, ProfileState>, StoreError> {
        states(&self.list(tenant, PREFIX).await?)
    }

    /// Returns the states of these profiles; a profile that no run has evaluated has none.
    pub async fn profile_states_of(
        &self,
        tenant: TenantId,
        ids: impl IntoIterator<Item = ProfileId>,
    ) -> Result<BTreeMap<ProfileId, ProfileState>, StoreError> {
        let entities = ids.into_iter().map(|id| format!("{PREFIX}{id}"));
        states(&self.batch(tenant, entities).await?)
    }

    /// Stores a state under the job's lease.
    pub async fn put_profile_state(
        &self,
        fence: &Fence,
        id: ProfileId,
        state: &ProfileState,
    ) -> Result<(), StoreError> {
        self.put_profile_states(fence, [(id, state)]).await
    }

    /// Stores several states under the job's lease, in as few transactions as possible.
    pub async fn put_profile_states<'a>(
        &self,
        fence: &Fence,
        states: impl IntoIterator<Item = (ProfileId, &'a ProfileState)>,
    ) -> Result<(), StoreError> {
        let mut items = Vec::new();
        for (id, state) in states {
            items.push(self.state(fence, id, state)?);
        }
        self.write(Some(fence), items).await
    }

    pub(super) fn state(
        &self,
        fence: &Fence,
        id: ProfileId,
        state: &ProfileState,
    ) -> Result<TransactWriteItem, StoreError> {
        let item = document(fence.tenant, &format!("{PREFIX}{id}"), state, 1)?;
        self.put(item, None)
    }
}
