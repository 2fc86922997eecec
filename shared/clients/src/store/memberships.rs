//! Who was in each group when it was last known: one item a profile.
//!
//! A run takes an item back before its first write to a group and stores it again
//! once it knows how every change ended.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::{AttributeValue, TransactWriteItem};
use rollcall_domain::base::ids::{ProfileId, TenantId};
use rollcall_domain::membership::plan::known_members::{Damaged, KeptMembers, MAX_BYTES};

use super::items::{entity, item};
use super::profile_states::ProfileState;
use super::{Fence, Item, MAX_TRANSACTION, Store, StoreError};

const PREFIX: &str = "membership#";
const ATTRIBUTE: &str = "members";
/// DynamoDB takes 4 MB in a transaction: so many of the largest items, and the
/// fence, fit.
const LARGEST_PER_WRITE: usize = 4 * 1_000 * 1_000 / (MAX_BYTES + 1_024) - 1;

fn key(id: ProfileId) -> String {
    format!("{PREFIX}{id}")
}

fn bytes(item: &Item) -> &[u8] {
    let blob = item.get(ATTRIBUTE).and_then(|value| value.as_b().ok());
    blob.map(Blob::as_ref).unwrap_or_default()
}

impl Store {
    /// The kept members of all groups of a tenant. One that is damaged is no
    /// reason to fail: its group is read instead.
    pub async fn kept_members(
        &self,
        tenant: TenantId,
    ) -> Result<BTreeMap<ProfileId, Result<KeptMembers, Damaged>>, StoreError> {
        let mut kept = BTreeMap::new();
        self.each_page(tenant, PREFIX, |page| {
            kept.extend(page.iter().filter_map(|item| {
                let id = entity(item).trim_start_matches(PREFIX).parse().ok()?;
                Some((id, KeptMembers::from_bytes(bytes(item))))
            }));
        })
        .await?;
        Ok(kept)
    }

    /// The kept members of one group; `None` in doubt, damage included.
    pub async fn kept_members_of(
        &self,
        tenant: TenantId,
        id: ProfileId,
    ) -> Result<Option<KeptMembers>, StoreError> {
        let item = self.get(tenant, &format!("{PREFIX}{id}")).await?;
        Ok(item.and_then(|item| KeptMembers::from_bytes(bytes(&item)).ok()))
    }

    /// Keeps members under the job's lease. What is too large to keep is taken
    /// back instead, so that nothing older stands in its place.
    pub async fn put_members(
        &self,
        fence: &Fence,
        kept: &[(ProfileId, KeptMembers)],
    ) -> Result<(), StoreError> {
        for chunk in kept.chunks(LARGEST_PER_WRITE) {
            let items: Result<Vec<_>, _> = chunk
                .iter()
                .map(|(id, kept)| self.members_item(fence, *id, kept))
                .collect();
            self.write(Some(fence), items?).await?;
        }
        Ok(())
    }

    /// Keeps members that a full read found, each in one transaction with the state
    /// that tells, if need be, how they differ from what was kept before: what is
    /// replaced is not there to compare with again.
    pub async fn put_read_members(
        &self,
        fence: &Fence,
        read: &[(ProfileId, KeptMembers, Option<&ProfileState>)],
    ) -> Result<(), StoreError> {
        // States are small; one record less leaves room for them.
        for chunk in read.chunks(LARGEST_PER_WRITE - 1) {
            let mut items = Vec::new();
            for (id, kept, state) in chunk {
                items.push(self.members_item(fence, *id, kept)?);
                if let Some(state) = state {
                    items.push(self.state(fence, *id, state)?);
                }
            }
            self.write(Some(fence), items).await?;
        }
        Ok(())
    }

    fn members_item(
        &self,
        fence: &Fence,
        id: ProfileId,
        kept: &KeptMembers,
    ) -> Result<TransactWriteItem, StoreError> {
        let Some(bytes) = kept.to_bytes() else {
            return self.delete(fence.tenant, &key(id));
        };
        let mut item = item(fence.tenant, key(id));
        let value = AttributeValue::B(Blob::new(bytes));
        item.insert(ATTRIBUTE.to_owned(), value);
        self.put(item, None)
    }

    /// Takes kept members back under the job's lease: from here on the groups
    /// count as unknown.
    pub async fn forget_members(
        &self,
        fence: &Fence,
        profiles: impl IntoIterator<Item = ProfileId>,
    ) -> Result<(), StoreError> {
        let deletes: Result<Vec<_>, _> = profiles
            .into_iter()
            .map(|id| self.delete(fence.tenant, &key(id)))
            .collect();
        self.write(Some(fence), deletes?).await
    }

    /// Stores whatever bytes as kept members, as a fault of the storage would.
    #[cfg(feature = "testing")]
    pub async fn put_raw_members(
        &self,
        tenant: TenantId,
        id: ProfileId,
        bytes: Vec<u8>,
    ) -> Result<(), StoreError> {
        let mut item = item(tenant, key(id));
        item.insert(ATTRIBUTE.to_owned(), AttributeValue::B(Blob::new(bytes)));
        self.write(None, vec![self.put(item, None)?]).await
    }
}

const _: () = assert!(LARGEST_PER_WRITE < MAX_TRANSACTION);
