//! Held changes, one per profile at most.

use std::collections::BTreeMap;

use rollcall_domain::hold::{Hold, HoldState};
use rollcall_domain::ids::{ProfileId, TenantId};
use rollcall_domain::plan::PlanHash;

use super::items::{document, read, version};
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
        let item = document(fence.tenant, &key(hold.profile), hold, 1)?;
        self.write(Some(fence), vec![self.put(item, None)?]).await
    }

    /// Removes a hold that is settled, under the job's lease.
    pub async fn clear_hold(&self, fence: &Fence, profile: ProfileId) -> Result<(), StoreError> {
        let delete = self.delete(fence.tenant, &key(profile))?;
        self.write(Some(fence), vec![delete]).await
    }

    /// Records a person's decision about exactly this change.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when the held change is another one by now.
    pub async fn decide_hold(
        &self,
        tenant: TenantId,
        profile: ProfileId,
        hash: &PlanHash,
        decision: HoldState,
    ) -> Result<(), StoreError> {
        let item = self
            .get(tenant, &key(profile))
            .await?
            .ok_or(StoreError::Conflict)?;
        let before = version(&item);
        let mut hold: Hold = read(&item)?;
        if hold.hash != *hash {
            return Err(StoreError::Conflict);
        }
        hold.state = decision;
        let item = document(tenant, &key(profile), &hold, before + 1)?;
        self.write(
            None,
            vec![self.put(item, Some(Condition::version(Some(before))))?],
        )
        .await
    }
}
