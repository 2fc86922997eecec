//! Held changes, one per profile at most.

use std::collections::BTreeMap;

use rollcall_domain::base::audit::AuditEvent;
use rollcall_domain::base::ids::{ProfileId, TenantId};
use rollcall_domain::membership::hold::{Hold, HoldState};
use rollcall_domain::membership::plan::PlanHash;

use super::items::{document, read, version};
use super::transaction::ConditionFailure;
use super::{Condition, Fence, Store, StoreError};

const PREFIX: &str = "hold#";

fn key(id: ProfileId) -> String {
    format!("{PREFIX}{id}")
}

impl Store {
    /// All holds of a tenant.
    pub async fn holds(&self, tenant: TenantId) -> Result<BTreeMap<ProfileId, Hold>, StoreError> {
        let items = self.list(tenant, PREFIX).await?;
        items
            .iter()
            .map(|item| read::<Hold>(item).map(|hold| (hold.profile, hold)))
            .collect()
    }

    /// Records a held change, under the job's lease. It replaces an older,
    /// different one: an approval of that is void (S4-063).
    pub async fn put_hold(&self, fence: &Fence, hold: &Hold) -> Result<(), StoreError> {
        // A version no earlier writer can have seen: a decision made about the hold
        // before this write must not pass for one made after it.
        let version = u64::try_from(super::now().timestamp_micros()).unwrap_or(1);
        let item = document(fence.tenant, &key(hold.profile), hold, version)?;
        self.write(Some(fence), vec![self.put(item, None)?]).await
    }

    /// Removes a hold that is settled, under the job's lease.
    pub async fn clear_hold(&self, fence: &Fence, profile: ProfileId) -> Result<(), StoreError> {
        let delete = self.delete(fence.tenant, &key(profile))?;
        self.write(Some(fence), vec![delete]).await
    }

    /// The hold of one profile, if a change of it is held.
    pub async fn hold(
        &self,
        tenant: TenantId,
        profile: ProfileId,
    ) -> Result<Option<Hold>, StoreError> {
        let item = self.get(tenant, &key(profile)).await?;
        item.as_ref().map(read).transpose()
    }

    /// The holds of these profiles.
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

    /// Records a person's decision about exactly this change, unless maintenance
    /// holds the lock: it may be making or replacing the change at this moment.
    ///
    /// # Errors
    /// [`StoreError::Missing`] when nothing is held, [`StoreError::Decided`] when
    /// somebody has approved it before, [`StoreError::Conflict`]
    /// when the held change is another one by now, [`StoreError::Locked`].
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
        // An approval stands: a run may be making the change already.
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
