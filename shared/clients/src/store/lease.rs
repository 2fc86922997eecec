//! Leases: locks with owner, expiry and a fencing token that only grows.
//!
//! A dead owner's lease expires. An owner that was paused and wakes late finds
//! its token outdated at the next write, which then does not happen (S4-116).

use std::collections::HashMap;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use aws_sdk_dynamodb::types::ReturnValue;
use chrono::{DateTime, TimeDelta, Utc};
use rollcall_domain::ids::TenantId;
use uuid::Uuid;

use super::items::{integer, moment, number, string};
use super::{Condition, PARTITION_KEY, SORT_KEY, Store, StoreError, now};

/// The proof that a write belongs to a live lease.
#[derive(Debug, Clone)]
pub struct Fence {
    pub(super) tenant: TenantId,
    name: String,
    owner: Uuid,
    token: u64,
}

impl Fence {
    pub(super) fn entity(&self) -> String {
        entity(&self.name)
    }

    pub(super) fn condition(&self) -> Condition {
        Condition {
            expression: "#owner = :owner AND #token = :token".to_owned(),
            names: Some(HashMap::from([
                ("#owner".to_owned(), "owner".to_owned()),
                ("#token".to_owned(), "token".to_owned()),
            ])),
            values: Some(HashMap::from([
                (":owner".to_owned(), string(self.owner)),
                (":token".to_owned(), number(self.token)),
            ])),
        }
    }
}

fn entity(name: &str) -> String {
    format!("lease#{name}")
}

/// A lock that is held.
#[derive(Debug)]
pub struct Lease {
    store: Store,
    fence: Fence,
    length: Duration,
    until: AtomicI64,
}

impl Lease {
    /// Takes the lease if it is free or expired; `None` while another owner lives.
    pub async fn acquire(
        store: &Store,
        tenant: TenantId,
        name: &str,
        length: Duration,
    ) -> Result<Option<Self>, StoreError> {
        let (owner, at) = (Uuid::new_v4(), now());
        let until = end(at, length);
        let taken = store
            .client
            .update_item()
            .table_name(&store.table)
            .key(PARTITION_KEY, string(tenant))
            .key(SORT_KEY, string(entity(name)))
            .update_expression("SET #owner = :owner, #until = :until, #token = if_not_exists(#token, :zero) + :one")
            .condition_expression("attribute_not_exists(#until) OR #until < :now")
            .expression_attribute_names("#owner", "owner")
            .expression_attribute_names("#until", "lease_until")
            .expression_attribute_names("#token", "token")
            .expression_attribute_values(":owner", string(owner))
            .expression_attribute_values(":until", moment(until))
            .expression_attribute_values(":now", moment(at))
            .expression_attribute_values(":zero", number(0))
            .expression_attribute_values(":one", number(1))
            .return_values(ReturnValue::AllNew)
            .send()
            .await;
        let attributes = match taken {
            Ok(answer) => answer.attributes.unwrap_or_default(),
            Err(error) if error.as_service_error().is_some_and(aws_sdk_dynamodb::operation::update_item::UpdateItemError::is_conditional_check_failed_exception) => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        let token = integer(&attributes, "token")
            .ok_or_else(|| super::items::unreadable(&entity(name), "it has no token"))?;
        Ok(Some(Self {
            store: store.clone(),
            fence: Fence {
                tenant,
                name: name.to_owned(),
                owner,
                token,
            },
            length,
            until: AtomicI64::new(until.timestamp_millis()),
        }))
    }

    /// The proof that writes carry.
    pub fn fence(&self) -> &Fence {
        &self.fence
    }

    /// The token: larger than that of every earlier owner.
    pub fn token(&self) -> u64 {
        self.fence.token
    }

    /// Heartbeat: extends the lease once half of it is used. `false` means that
    /// it is lost and the owner must stop at once.
    pub async fn keep(&self) -> Result<bool, StoreError> {
        let left = self.until.load(Ordering::Relaxed) - now().timestamp_millis();
        let half = i64::try_from(self.length.as_millis() / 2).unwrap_or(i64::MAX);
        if left > half {
            return Ok(true);
        }
        let until = end(now(), self.length);
        let kept = self.set_until(moment(until)).await?;
        if kept {
            self.until
                .store(until.timestamp_millis(), Ordering::Relaxed);
        }
        Ok(kept)
    }

    /// Gives the lease back; the next owner need not wait for its expiry.
    pub async fn release(self) -> Result<(), StoreError> {
        self.set_until(number(0)).await.map(|_| ())
    }

    async fn set_until(
        &self,
        until: aws_sdk_dynamodb::types::AttributeValue,
    ) -> Result<bool, StoreError> {
        let condition = self.fence.condition();
        let sent = self
            .store
            .client
            .update_item()
            .table_name(&self.store.table)
            .key(PARTITION_KEY, string(self.fence.tenant))
            .key(SORT_KEY, string(self.fence.entity()))
            .update_expression("SET #until = :until")
            .condition_expression(condition.expression)
            .set_expression_attribute_names(condition.names)
            .set_expression_attribute_values(condition.values)
            .expression_attribute_names("#until", "lease_until")
            .expression_attribute_values(":until", until)
            .send()
            .await;
        match sent {
            Ok(_) => Ok(true),
            Err(error) if error.as_service_error().is_some_and(aws_sdk_dynamodb::operation::update_item::UpdateItemError::is_conditional_check_failed_exception) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }
}

fn end(at: DateTime<Utc>, length: Duration) -> DateTime<Utc> {
    at + TimeDelta::from_std(length).unwrap_or(TimeDelta::MAX)
}

impl Store {
    /// Until when a lease is held, if it is.
    pub async fn held_until(
        &self,
        tenant: TenantId,
        name: &str,
    ) -> Result<Option<DateTime<Utc>>, StoreError> {
        let item = self.get(tenant, &entity(name)).await?;
        Ok(item
            .and_then(|item| integer(&item, "lease_until"))
            .and_then(DateTime::from_timestamp_millis)
            .filter(|until| *until > now()))
    }

    /// What an administrator's write carries in its transaction: no maintenance
    /// at this very moment (S4-110…114).
    pub(super) fn unlocked(
        &self,
        tenant: TenantId,
    ) -> Result<aws_sdk_dynamodb::types::TransactWriteItem, StoreError> {
        self.check(
            tenant,
            &entity(super::MAINTENANCE_LEASE),
            Condition {
                expression: "attribute_not_exists(#until) OR #until < :now".to_owned(),
                names: Some(HashMap::from([(
                    "#until".to_owned(),
                    "lease_until".to_owned(),
                )])),
                values: Some(HashMap::from([(":now".to_owned(), moment(now()))])),
            },
        )
    }
}
