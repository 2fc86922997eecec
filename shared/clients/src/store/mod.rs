//! Tenant state and locks in one DynamoDB table.
//!
//! Partition key `tenant`, sort key `entity` (a path such as `profile#<id>`). Every write is
//! conditional: on a version, or on the fencing token of the lease under which the writer
//! works.

pub mod admins;
pub mod audit;
mod condition;
pub mod connections;
mod entitlements;
mod error;
pub mod holds;
mod items;
pub mod lease;
mod mailboxes;
pub mod memberships;
pub mod messages;
pub mod oauth_states;
pub mod outbox;
mod page;
pub mod pins;
pub mod profile_list;
pub mod profile_states;
pub mod profiles;
mod retry;
pub mod runs;
pub mod sessions;
pub mod sync;
pub mod tenants;
mod transaction;
pub mod versions;

use std::collections::HashMap;
use std::time::Duration;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::operation::query::builders::QueryFluentBuilder;
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::{AttributeValue, ConditionCheck, Delete, Put, TransactWriteItem};
use chrono::{DateTime, Utc};
use rollcall_domain::base::ids::TenantId;

use condition::Condition;
pub use error::StoreError;
use items::string;
pub use lease::{Fence, Lease, LeaseStamp};
pub use page::Page;
pub use retry::Attempts;

/// The partition key.
pub const PARTITION_KEY: &str = "tenant";
/// The sort key.
pub const SORT_KEY: &str = "entity";
/// The sparse index that lists tenants for the fan-out.
pub const FANOUT_INDEX: &str = "fanout";
/// The attribute by which DynamoDB deletes expired items, in seconds since 1970.
pub const TTL_ATTRIBUTE: &str = "expires_at";
/// The lease that locks a tenant's profiles and settings during maintenance.
pub const MAINTENANCE_LEASE: &str = "maintenance";
/// The lease of the refresh.
pub const REFRESH_LEASE: &str = "refresh";
/// The lease of the directory sync.
pub const SYNC_LEASE: &str = "directory-sync";
/// The index of due times.
pub const DUE_INDEX: &str = "due";
/// The maximum number of items in one DynamoDB transaction.
const MAX_TRANSACTION: usize = 100;

/// The error of a transaction.
type TransactError =
    SdkError<TransactWriteItemsError, aws_sdk_dynamodb::config::http::HttpResponse>;

/// One item's attributes.
pub type Item = HashMap<String, AttributeValue>;

/// The client of the table.
#[derive(Debug, Clone)]
pub struct Store {
    client: Client,
    table: String,
}

/// Returns the current time for conditions of this crate.
pub(crate) fn now() -> DateTime<Utc> {
    Utc::now()
}

impl Store {
    /// Creates a client of the table with this name.
    pub fn new(config: &aws_config::SdkConfig, table: impl Into<String>) -> Self {
        Self {
            client: Client::new(config),
            table: table.into(),
        }
    }

    async fn get(&self, tenant: TenantId, entity: &str) -> Result<Option<Item>, StoreError> {
        let answer = self
            .client
            .get_item()
            .table_name(&self.table)
            .key(PARTITION_KEY, string(tenant))
            .key(SORT_KEY, string(entity))
            .consistent_read(true)
            .send()
            .await?;
        Ok(answer.item)
    }

    /// Returns all items of a tenant whose entity begins with `prefix`, from every page.
    async fn list(&self, tenant: TenantId, prefix: &str) -> Result<Vec<Item>, StoreError> {
        let mut items = Vec::new();
        self.each_page(tenant, prefix, |page| items.extend(page))
            .await?;
        Ok(items)
    }

    /// Returns a consistent query for a tenant's items whose entity begins with `prefix`.
    fn query(&self, tenant: TenantId, prefix: &str) -> QueryFluentBuilder {
        self.client
            .query()
            .table_name(&self.table)
            .key_condition_expression("#tenant = :tenant AND begins_with(#entity, :prefix)")
            .expression_attribute_names("#tenant", PARTITION_KEY)
            .expression_attribute_names("#entity", SORT_KEY)
            .expression_attribute_values(":tenant", string(tenant))
            .expression_attribute_values(":prefix", string(prefix))
            .consistent_read(true)
    }

    /// Reads the same items one page (a megabyte) at a time, so that large items are not all
    /// in memory at once.
    async fn each_page(
        &self,
        tenant: TenantId,
        prefix: &str,
        mut take: impl FnMut(Vec<Item>),
    ) -> Result<(), StoreError> {
        let mut start = None;
        loop {
            let query = self.query(tenant, prefix).set_exclusive_start_key(start);
            let answer = query.send().await?;
            take(answer.items.unwrap_or_default());
            start = answer.last_evaluated_key;
            if start.is_none() {
                return Ok(());
            }
        }
    }

    /// Returns a put, optionally with a condition.
    fn put(
        &self,
        item: Item,
        condition: Option<Condition>,
    ) -> Result<TransactWriteItem, StoreError> {
        let mut put = Put::builder().table_name(&self.table).set_item(Some(item));
        if let Some(condition) = condition {
            put = put
                .condition_expression(condition.expression)
                .set_expression_attribute_names(condition.names)
                .set_expression_attribute_values(condition.values);
        }
        Ok(TransactWriteItem::builder().put(put.build()?).build())
    }

    /// Returns a deletion, which also succeeds if the item does not exist.
    fn delete(&self, tenant: TenantId, entity: &str) -> Result<TransactWriteItem, StoreError> {
        let delete = Delete::builder()
            .table_name(&self.table)
            .key(PARTITION_KEY, string(tenant))
            .key(SORT_KEY, string(entity))
            .build()?;
        Ok(TransactWriteItem::builder().delete(delete).build())
    }

    /// Returns a deletion that requires the item to have this version.
    fn delete_version(
        &self,
        tenant: TenantId,
        entity: &str,
        version: u64,
    ) -> Result<TransactWriteItem, StoreError> {
        let condition = Condition::version(Some(version));
        let delete = Delete::builder()
            .table_name(&self.table)
            .key(PARTITION_KEY, string(tenant))
            .key(SORT_KEY, string(entity))
            .condition_expression(condition.expression)
            .set_expression_attribute_names(condition.names)
            .set_expression_attribute_values(condition.values)
            .build()?;
        Ok(TransactWriteItem::builder().delete(delete).build())
    }

    fn check(
        &self,
        tenant: TenantId,
        entity: &str,
        condition: Condition,
    ) -> Result<TransactWriteItem, StoreError> {
        let check = ConditionCheck::builder()
            .table_name(&self.table)
            .key(PARTITION_KEY, string(tenant))
            .key(SORT_KEY, string(entity))
            .condition_expression(condition.expression)
            .set_expression_attribute_names(condition.names)
            .set_expression_attribute_values(condition.values)
            .build()?;
        Ok(TransactWriteItem::builder().condition_check(check).build())
    }

    /// Writes all items or none; with a fence, only if its lease is still held. More items
    /// than fit in one transaction are written in several, each fenced.
    async fn write(
        &self,
        fence: Option<&Fence>,
        items: Vec<TransactWriteItem>,
    ) -> Result<(), StoreError> {
        let room = MAX_TRANSACTION - usize::from(fence.is_some());
        for chunk in transaction::chunks(&items, room) {
            let mut all = Vec::with_capacity(chunk.len() + 1);
            if let Some(fence) = fence {
                all.push(self.check(fence.tenant, &fence.entity(), fence.condition())?);
            }
            all.extend_from_slice(chunk);
            self.transact(all, fence.is_some()).await?;
        }
        Ok(())
    }

    async fn transact(
        &self,
        items: Vec<TransactWriteItem>,
        fenced: bool,
    ) -> Result<(), StoreError> {
        let refusal = |error| StoreError::transaction(error, fenced);
        self.transact_or(items, refusal).await
    }

    /// Sends a transaction and retries it if it conflicts with another transaction on the
    /// same items; a conflicting transaction writes nothing.
    async fn transact_or(
        &self,
        items: Vec<TransactWriteItem>,
        refusal: impl Fn(TransactError) -> StoreError,
    ) -> Result<(), StoreError> {
        let mut wait = Duration::from_millis(50);
        for attempt in 0..8 {
            let sent = self
                .client
                .transact_write_items()
                .set_transact_items(Some(items.clone()))
                .send()
                .await;
            match sent.map_err(&refusal) {
                Err(StoreError::Contended) => tokio::time::sleep(spread(wait)).await,
                other => return other.map(|_| ()),
            }
            if attempt < 5 {
                wait *= 2;
            }
        }
        Err(StoreError::Contended)
    }
}

/// Returns a random duration between half of `pause` and `pause`, so that writers that
/// conflicted do not retry at the same time.
fn spread(pause: Duration) -> Duration {
    let draw = uuid::Uuid::new_v4().as_bytes()[0];
    pause / 2 + pause * u32::from(draw) / 512
}
