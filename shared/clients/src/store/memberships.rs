//! The last known members of each group, one item per profile.
//!
//! A run deletes the item before its first write to the group and stores it again when the
//! outcome of every change is known.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::{AttributeValue, TransactWriteItem};
use rollcall_domain::base::ids::{ProfileId, TenantId};
use rollcall_domain::membership::plan::recorded_members::{Damaged, MAX_BYTES, RecordedMembers};

use super::items::{entity, item};
use super::profile_states::ProfileState;
use super::{Fence, Item, MAX_TRANSACTION, Store, StoreError};

const PREFIX: &str = "membership#";
const ATTRIBUTE: &str = "members";
/// The number of the largest items that fit in one transaction (4 MB) together with the
/// fence.
const LARGEST_PER_WRITE: usize = 4 * 1_000 * 1_000 / (MAX_BYTES + 1_024) - 1;

fn key(id: ProfileId) -> String {
    format!("{PREFIX}{id}")
}

fn bytes(item: &Item) -> &[u8] {
    let blob = item.get(ATTRIBUTE).and_then(|value| value.as_b().ok());
    blob.map(Blob::as_ref).unwrap_or_default()
}

impl Store {
    /// Returns the stored members of all groups of a tenant. A damaged item is not an error
    /// of the call: its group is read from Graph instead.
    pub async fn recorded_members(
        &self,
        tenant: TenantId,
    ) -> Result<BTreeMap<ProfileId, Result<RecordedMembers, Damaged>>, StoreError> {
        let mut kept = BTreeMap::new();
        self.each_page(tenant, PREFIX, |page| {
            kept.extend(page.iter().filter_map(|item| {
                let id = entity(item).trim_start_matches(PREFIX).parse().ok()?;
                Some((id, RecordedMembers::from_bytes(bytes(item))))
            }));
        })
        .await?;
        Ok(kept)
    }

    /// Returns the stored members of one group; `None` if they are missing or damaged.
    pub async fn kept_members_of(
        &self,
        tenant: TenantId,
        id: ProfileId,
    ) -> Result<Option<RecordedMembers>, StoreError> {
        let item = self.get(tenant, &format!("{PREFIX}{id}")).await?;
        Ok(item.and_then(|item| RecordedMembers::from_bytes(bytes(&item)).ok()))
    }

    /// Stores members under the job's lease. Members that exceed the item size are deleted
    /// instead, so that no stale item remains.
    pub async fn put_members(
        &self,
        fence: &Fence,
        kept: &[(ProfileId, RecordedMembers)],
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

    /// Stores members from a full read, each in one transaction with the state that records
    /// their difference from the stored ones, because the write removes the basis of that
    /// comparison.
    pub async fn put_read_members(
        &self,
        fence: &Fence,
        read: &[(ProfileId, RecordedMembers, Option<&ProfileState>)],
    ) -> Result<(), StoreError> {
        // States are small; one item fewer leaves room for them.
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
        kept: &RecordedMembers,
    ) -> Result<TransactWriteItem, StoreError> {
        let Some(bytes) = kept.to_bytes() else {
            return self.delete(fence.tenant, &key(id));
        };
        let mut item = item(fence.tenant, key(id));
        let value = AttributeValue::B(Blob::new(bytes));
        item.insert(ATTRIBUTE.to_owned(), value);
        self.put(item, None)
    }

    /// Deletes stored members under the job's lease; the members of these groups are unknown
    /// from then on.
    pub async fn delete_recorded_members(
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

    /// Stores arbitrary bytes as members, to simulate damage.
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
