//! Held changes, at most one per profile.

use std::collections::BTreeMap;

use rollcall_domain::base::audit::AuditEvent;
use rollcall_domain::base::ids::{ProfileId, TenantId};
use rollcall_domain::membership::hold::{Hold, HoldState};
use rollcall_domain::membership::plan::PlanHash;

use super::items::{document, read, version};
use super::transaction::{ConditionFailure, Transaction};
use super::{Condition, Fence, Store, StoreError};

const PREFIX: &str = "hold#";

fn key(id: ProfileId) -> String {
    format!("{PREFIX}{id}")
}

impl Store {
    /// Returns all holds of a tenant.
    pub async fn holds(&self, tenant: TenantId) -> Result<BTreeMap<ProfileId, Hold>, StoreError> {
        let items = self.list(tenant, PREFIX).await?;
        items
            .iter()
            .map(|item| read::<Hold>(item).map(|hold| (hold.profile, hold)))
            .collect()
    }

    /// Stores a held change under the job's lease. It replaces an earlier, different hold,
    /// whose approval becomes void (S4-063).
    pub async fn put_hold(&self, fence: &Fence, hold: &Hold) -> Result<(), StoreError> {
        // The time as the version differs from every version that a writer has read, so a
        // decision about the previous hold conflicts with this one.
        let version = u64::try_from(super::now().timestamp_micros()).unwrap_or(1);
        let item = document(fence.tenant, &key(hold.profile), hold, version)?;
        self.write(Some(fence), vec![self.put(item, None)?]).await
    }

    /// Deletes the hold of a change that was decided or no longer applies, under the job's
    /// lease.
    pub async fn clear_hold(&self, fence: &Fence, profile: ProfileId) -> Result<(), StoreError> {
        let delete = self.delete(fence.tenant, &key(profile))?;
        self.write(Some(fence), vec![delete]).await
    }

    /// Returns the hold of one profile, if any.
    pub async fn hold(
        &self,
        tenant: TenantId,
        profile: ProfileId,
    ) -> Result<Option<Hold>, StoreError> {
        let item = self.get(tenant, &key(profile)).await?;
        item.as_ref().map(read).transpose()
    }

    /// Returns the holds of these profiles.
    pub async fn holds_of(
        &self,
        tenant: TenantId,
        profiles: impl IntoIterator<Item = ProfileId>,
    ) -> Result<BTreeMap<ProfileId, Hold>, StoreError> {
        let items = self.batch(tenant, profiles.into_iter().map(key)).await?;
        items
            .iter()
            .map(|item| read::<Hold>(item).map(|hold| (hold.profile, hold)))
            .collect()
    }

    /// Adds the deletion of an approved hold to the writes that change its profile. The hold must
    /// not change in between.
    pub(super) async fn void_approval(
        &self,
        writes: &mut Transaction,
        tenant: TenantId,
        profile: ProfileId,
    ) -> Result<(), StoreError> {
        let entity = key(profile);
        let Some(item) = self.get(tenant, &entity).await? else {
            let absent = self.check(tenant, &entity, Condition::absent())?;
            writes.add(absent, ConditionFailure::Contended);
            return Ok(());
        };
        let before = version(&item);
        let hold: Hold = read(&item)?;
        let write = match hold.state {
            HoldState::Approved { .. } | HoldState::Applying { .. } => {
                self.delete_version(tenant, &entity, before)?
            }
            HoldState::Open | HoldState::Discarded { .. } => {
                self.check(tenant, &entity, Condition::version(Some(before)))?
            }
        };
        writes.add(write, ConditionFailure::Contended);
        Ok(())
    }

    /// Records an administrator's decision about exactly this change, unless maintenance
    /// holds the lock: the run may be applying or replacing the change.
    ///
    /// # Errors
    /// [`StoreError::Missing`] if nothing is held, [`StoreError::Decided`] if the change is
    /// already approved, [`StoreError::Conflict`] if the held change is a different one,
    /// [`StoreError::Locked`] if maintenance holds the lock.
    pub async fn decide_hold(
        &self,
        tenant: TenantId,
        profile: ProfileId,
        hash: &PlanHash,
        decision: HoldState,
        event: Option<&AuditEvent>,
    ) -> Result<(), StoreError> {
        let item = self.get(tenant, &key(profile)).await?;
        let item = item.ok_or(StoreError::Missing)?;
        let before = version(&item);
        let mut hold: Hold = read(&item)?;
        if hold.hash != *hash {
            return Err(StoreError::Conflict);
        }
        // An approval is final, because a run may already be applying the change.
        if matches!(
            hold.state,
            HoldState::Approved { .. } | HoldState::Applying { .. }
        ) {
            return Err(StoreError::Decided);
        }
        hold.state = decision;
        let item = document(tenant, &key(profile), &hold, before + 1)?;
        let mut writes = self.unless_locked(tenant)?;
        let condition = Condition::version(Some(before));
        writes.add(self.put(item, Some(condition))?, ConditionFailure::Conflict);
        if let Some(event) = event {
            writes.also(self.event(tenant, event)?);
        }
        self.commit(writes).await
    }
}
