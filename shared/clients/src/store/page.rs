//! Paged lists: a query that continues after the last key of the previous page.

use std::collections::HashMap;
use std::time::Duration;

use aws_sdk_dynamodb::types::{AttributeValue, KeysAndAttributes};
use rollcall_domain::base::ids::TenantId;

use super::items::{entity, string};
use super::{Item, PARTITION_KEY, SORT_KEY, Store, StoreError};

/// The maximum number of keys in one batch.
const MAX_BATCH: usize = 100;

/// A part of a list and the cursor of the next part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<T> {
    /// The items.
    pub items: Vec<T>,
    /// The key after which the next page begins; `None` on the last page.
    pub next: Option<String>,
}

/// A range of a tenant's items and its direction.
#[derive(Debug, Clone, Copy)]
pub(super) struct List<'a> {
    pub(super) prefix: &'a str,
    pub(super) backwards: bool,
}

impl Store {
    /// Returns one page of a list: at most `limit` items after the key `after`.
    ///
    /// # Errors
    /// [`StoreError::Cursor`] if `after` is not a key of this list.
    pub(super) async fn page(
        &self,
        tenant: TenantId,
        list: List<'_>,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Page<Item>, StoreError> {
        if after.is_some_and(|after| !after.starts_with(list.prefix)) {
            return Err(StoreError::Cursor);
        }
        let start = after.map(|after| key(tenant, after));
        let answer = self
            .query(tenant, list.prefix)
            .scan_index_forward(!list.backwards)
            .limit(i32::try_from(limit).unwrap_or(i32::MAX))
            .set_exclusive_start_key(start)
            .send()
            .await?;
        let items = answer.items.unwrap_or_default();
        let more = answer.last_evaluated_key.is_some();
        let next = items
            .last()
            .filter(|_| more)
            .map(|item| entity(item).to_owned());
        Ok(Page { items, next })
    }

    /// Returns items by their keys, in any order; missing items are left out.
    pub(super) async fn batch(
        &self,
        tenant: TenantId,
        entities: impl IntoIterator<Item = String>,
    ) -> Result<Vec<Item>, StoreError> {
        let keys: Vec<_> = entities
            .into_iter()
            .map(|entity| key(tenant, &entity))
            .collect();
        let mut found = Vec::with_capacity(keys.len());
        for chunk in keys.chunks(MAX_BATCH) {
            let mut wanted = chunk.to_vec();
            let mut pause = Duration::from_millis(25);
            // DynamoDB may leave keys unprocessed if the items are large or it is throttling.
            while !wanted.is_empty() {
                let asked = wanted.len();
                let keys = KeysAndAttributes::builder()
                    .set_keys(Some(wanted))
                    .consistent_read(true)
                    .build()?;
                let answer = self
                    .client
                    .batch_get_item()
                    .request_items(&self.table, keys)
                    .send()
                    .await?;
                found.extend(
                    answer
                        .responses
                        .into_iter()
                        .flat_map(HashMap::into_values)
                        .flatten(),
                );
                wanted = answer
                    .unprocessed_keys
                    .and_then(|mut left| left.remove(&self.table))
                    .map(|left| left.keys)
                    .unwrap_or_default();
                if wanted.len() == asked {
                    if pause > Duration::from_secs(3) {
                        return Err(StoreError::Contended);
                    }
                    tokio::time::sleep(super::spread(pause)).await;
                    pause *= 2;
                }
            }
        }
        Ok(found)
    }
}

fn key(tenant: TenantId, entity: &str) -> HashMap<String, AttributeValue> {
    HashMap::from([
        (PARTITION_KEY.to_owned(), string(tenant)),
        (SORT_KEY.to_owned(), string(entity)),
    ])
}
