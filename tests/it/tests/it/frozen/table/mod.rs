//! All kinds of items in the state table, with their DynamoDB attributes.

mod connections;
mod jobs;
mod mails;
mod people;
mod profiles;
mod sessions;
mod sync;
mod tenants;

use std::time::Duration;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::AttributeValue;
use rollcall_clients::store::{
    DUE_INDEX, FANOUT_INDEX, Item, Lease, MAINTENANCE_LEASE, PARTITION_KEY, REFRESH_LEASE,
    SORT_KEY, SYNC_LEASE, Store, TTL_ATTRIBUTE,
};
use rollcall_domain::base::ids::TenantId;
use serde_json::{Map, Value, json};

use super::samples::TENANT;
use super::steady::Clock;
use crate::harness::{aws_config, create_table};

/// A separate table for one test, so that other tests do not change its items.
struct Table {
    name: String,
    client: Client,
    store: Store,
    clock: Clock,
}

impl Table {
    async fn new(name: &str) -> Self {
        let config = aws_config().await;
        let name = format!("frozen-{name}");
        create_table(&config, &name).await;
        Self {
            client: Client::new(&config),
            store: Store::new(&config, &name),
            clock: Clock::start(),
            name,
        }
    }

    /// Acquires a lease of the tenant, as jobs do before writing.
    async fn lease(&self, tenant: TenantId, name: &str) -> Lease {
        let length = Duration::from_mins(10);
        let lease = Lease::acquire(&self.store, tenant, name, length).await;
        lease.expect("lease request failed").expect("lock not free")
    }

    /// Returns all items of the table, sorted by key.
    async fn everything(&self) -> Vec<Value> {
        let pages = self.client.scan().table_name(&self.name);
        let items = pages.consistent_read(true).into_paginator().items().send();
        let items = items.collect::<Result<Vec<Item>, _>>().await;
        let mut items = items.expect("table not read");
        let key = |item: &Item| {
            let text = |name: &str| item[name].as_s().expect("not a string").clone();
            (text(PARTITION_KEY), text(SORT_KEY))
        };
        items.sort_by_key(key);
        items.iter().map(|item| self.shown(item)).collect()
    }

    /// Returns all items except leases.
    async fn items(&self) -> Value {
        let mut items = self.everything().await;
        items.retain(|item| {
            let entity = item[SORT_KEY]["S"].as_str().expect("not a string");
            !entity.starts_with("lease#")
        });
        items.into()
    }

    fn shown(&self, item: &Item) -> Value {
        let attributes = item.iter().map(|(name, value)| {
            let shown = self.attribute(name, value);
            (name.clone(), shown)
        });
        attributes.collect::<Map<_, _>>().into()
    }

    /// Returns an attribute with its type; random values are replaced by descriptions.
    fn attribute(&self, name: &str, value: &AttributeValue) -> Value {
        match value {
            AttributeValue::S(text) if name == "owner" => {
                json!({"S": format!("[{} random characters]", text.len())})
            }
            AttributeValue::S(text) if text.starts_with("audit#") => {
                let (event, random) = text.rsplit_once('#').expect("no random part");
                json!({"S": format!("{event}#[{} random characters]", random.len())})
            }
            AttributeValue::S(text) => match serde_json::from_str::<Value>(text) {
                Ok(document @ Value::Object(_)) => {
                    json!({"S holding JSON": self.clock.document(document)})
                }
                _ => json!({"S": self.clock.text(text)}),
            },
            AttributeValue::N(number) => json!({"N": self.clock.number(name, number)}),
            AttributeValue::B(bytes) => {
                let dump = super::steady::dump(bytes.as_ref());
                json!({"B": dump.lines().collect::<Vec<_>>()})
            }
            other => panic!("add a format for {other:?} here"),
        }
    }
}

#[test]
fn names_of_the_table() {
    insta::assert_json_snapshot!(json!({
        "partition key": PARTITION_KEY,
        "sort key": SORT_KEY,
        "index that lists tenants": FANOUT_INDEX,
        "index of what is due": DUE_INDEX,
        "attribute that ends an item": TTL_ATTRIBUTE,
        "leases": [MAINTENANCE_LEASE, REFRESH_LEASE, SYNC_LEASE],
    }));
}

#[tokio::test]
async fn leases() {
    let table = Table::new("leases").await;
    let held = table.lease(TENANT, MAINTENANCE_LEASE).await;
    let given_back = table.lease(TENANT, REFRESH_LEASE).await;
    given_back.release().await.expect("not released");
    let again = table.lease(TENANT, REFRESH_LEASE).await;
    again.release().await.expect("not released");
    let expired = table.lease(TENANT, SYNC_LEASE).await;
    let expire = table.store.expire_lease(TENANT, SYNC_LEASE).await;
    expire.expect("not expired");
    insta::assert_json_snapshot!(table.everything().await);
    drop((held, expired));
}
