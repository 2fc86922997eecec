//! Leases: locks with an owner, an expiry and a fencing token that only increases.
//!
//! The lease of a crashed owner expires. An owner that resumes after a long pause has an
//! outdated token, so its next write is rejected (S4-116).

use std::collections::HashMap;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use aws_sdk_dynamodb::error::ProvideErrorMetadata;
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::operation::update_item::builders::UpdateItemFluentBuilder;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnValue, TransactWriteItem};
use chrono::{DateTime, TimeDelta, Utc};
use rollcall_domain::base::ids::TenantId;
use uuid::Uuid;

use super::items::{integer, moment, number, string};
use super::{Condition, Item, PARTITION_KEY, SORT_KEY, Store, StoreError, now};

/// The pause between two attempts to acquire a lease that another owner holds.
const RETRY_PAUSE: Duration = Duration::from_millis(200);

/// The proof that a write belongs to the current lease.
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
            expression: "#owner = :owner AND #token = :token AND #until > :now".to_owned(),
            names: Some(HashMap::from([
                ("#owner".to_owned(), "owner".to_owned()),
                ("#token".to_owned(), "token".to_owned()),
                ("#until".to_owned(), "lease_until".to_owned()),
            ])),
            values: Some(HashMap::from([
                (":now".to_owned(), moment(now())),
                (":owner".to_owned(), string(self.owner)),
                (":token".to_owned(), number(self.token)),
            ])),
        }
    }
}

fn entity(name: &str) -> String {
    format!("lease#{name}")
}

/// The state of a lease at one time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LeaseStamp {
    /// True if an owner holds it.
    pub held: bool,
    /// The number of times it was acquired.
    pub taken: u64,
}

/// A lock that this process holds.
#[derive(Debug)]
pub struct Lease {
    store: Store,
    fence: Fence,
    length: Duration,
    until: AtomicI64,
}

impl Lease {
    /// Acquires the lease if it is free or expired; returns `None` if another owner holds it.
    pub async fn acquire(
        store: &Store,
        tenant: TenantId,
        name: &str,
        length: Duration,
    ) -> Result<Option<Self>, StoreError> {
        let (owner, at) = (Uuid::new_v4(), now());
        let until = expiry(at, length);
        let update = store
            .update(tenant, &entity(name))
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
            .return_values(ReturnValue::AllNew);
        let Some(attributes) = send_conditional(update).await? else {
            return Ok(None);
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

    /// Acquires the lease as soon as it is free; returns `None` if another owner still holds
    /// it after `patience`.
    pub async fn acquire_within(
        store: &Store,
        tenant: TenantId,
        name: &str,
        length: Duration,
        patience: Duration,
    ) -> Result<Option<Self>, StoreError> {
        let give_up = tokio::time::Instant::now() + patience;
        loop {
            let lease = Self::acquire(store, tenant, name, length).await?;
            if lease.is_some() || tokio::time::Instant::now() > give_up {
                return Ok(lease);
            }
            tokio::time::sleep(RETRY_PAUSE).await;
        }
    }

    /// Returns the proof for writes under this lease.
    pub fn fence(&self) -> &Fence {
        &self.fence
    }

    /// Returns the token, which is larger than that of every earlier owner.
    pub fn token(&self) -> u64 {
        self.fence.token
    }

    /// Extends the lease if a sixth of it has elapsed. Returns `false` if it is lost
    /// (acquired by another owner, or expired): the caller must stop at once.
    pub async fn renew(&self) -> Result<bool, StoreError> {
        let left = self.until.load(Ordering::Relaxed) - now().timestamp_millis();
        let enough = i64::try_from(self.length.as_millis() / 6 * 5).unwrap_or(i64::MAX);
        if left > enough {
            return Ok(true);
        }
        self.confirm().await
    }

    /// Checks in the table whether the lease is still held, regardless of the last heartbeat,
    /// and extends it. Returns `false` if it is lost.
    pub async fn confirm(&self) -> Result<bool, StoreError> {
        let until = expiry(now(), self.length);
        let held = self.set_until(moment(until)).await?;
        if held {
            self.until
                .store(until.timestamp_millis(), Ordering::Relaxed);
        }
        Ok(held)
    }

    /// Runs `work` with a heartbeat. If the lease is lost, `work` is dropped at its current
    /// await point, including requests in flight.
    pub async fn while_held<T>(&self, work: impl Future<Output = T>) -> Result<T, StoreError> {
        let mut work = std::pin::pin!(work);
        loop {
            tokio::select! {
                done = &mut work => return Ok(done),
                () = tokio::time::sleep(self.length / 6) => match self.renew().await {
                    Ok(true) => {}
                    Ok(false) => return Err(StoreError::LeaseLost),
                    // An unreachable table does not mean that the lease is lost: the next
                    // heartbeat checks again, and returns `false` if the lease has expired.
                    Err(error) => tracing::warn!(%error, "a heartbeat failed"),
                },
            }
        }
    }

    /// Releases the lease, so that the next owner does not wait for its expiry.
    pub async fn release(self) -> Result<(), StoreError> {
        self.set_until(number(0)).await.map(|_| ())
    }

    async fn set_until(&self, until: AttributeValue) -> Result<bool, StoreError> {
        let condition = self.fence.condition();
        let update = self
            .store
            .update(self.fence.tenant, &self.fence.entity())
            .update_expression("SET #until = :until")
            .condition_expression(condition.expression)
            .set_expression_attribute_names(condition.names)
            .set_expression_attribute_values(condition.values)
            .expression_attribute_values(":until", until);
        Ok(send_conditional(update).await?.is_some())
    }
}

/// Sends a conditional update; returns `None` if its condition fails. An update that
/// conflicts with a transaction on the same item, such as an administrator's save, is
/// rejected without effect and retried.
async fn send_conditional(update: UpdateItemFluentBuilder) -> Result<Option<Item>, StoreError> {
    let mut pause = Duration::from_millis(25);
    loop {
        let error = match update.clone().send().await {
            Ok(answer) => return Ok(Some(answer.attributes.unwrap_or_default())),
            Err(error) => error,
        };
        let service = error.as_service_error();
        if service.is_some_and(UpdateItemError::is_conditional_check_failed_exception) {
            return Ok(None);
        }
        let code = service.and_then(ProvideErrorMetadata::code);
        if code != Some("TransactionConflictException") || pause > Duration::from_secs(2) {
            return Err(error.into());
        }
        tokio::time::sleep(pause).await;
        pause *= 2;
    }
}

fn expiry(at: DateTime<Utc>, length: Duration) -> DateTime<Utc> {
    at + TimeDelta::from_std(length).unwrap_or(TimeDelta::MAX)
}

impl Store {
    /// Returns the expiry of a lease, if it is held.
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

    /// Returns whether a lease is held and how many times it was acquired. If two stamps are
    /// equal and not held, no owner held the lease between them.
    pub async fn lease_stamp(
        &self,
        tenant: TenantId,
        name: &str,
    ) -> Result<LeaseStamp, StoreError> {
        let item = self.get(tenant, &entity(name)).await?.unwrap_or_default();
        let until = integer(&item, "lease_until").and_then(DateTime::from_timestamp_millis);
        Ok(LeaseStamp {
            held: until.is_some_and(|until| until > now()),
            taken: integer(&item, "token").unwrap_or_default(),
        })
    }

    /// Expires a lease while its owner works, as a wrong clock would.
    #[cfg(feature = "testing")]
    pub async fn expire_lease(&self, tenant: TenantId, name: &str) -> Result<(), StoreError> {
        let update = self
            .update(tenant, &entity(name))
            .update_expression("SET #until = :zero")
            .expression_attribute_names("#until", "lease_until")
            .expression_attribute_values(":zero", number(0));
        send_conditional(update).await.map(|_| ())
    }

    fn update(&self, tenant: TenantId, entity: &str) -> UpdateItemFluentBuilder {
        self.client
            .update_item()
            .table_name(&self.table)
            .key(PARTITION_KEY, string(tenant))
            .key(SORT_KEY, string(entity))
    }

    /// Returns the check that an administrator's write adds to its transaction: maintenance
    /// does not hold the lock (S4-110…114).
    pub(super) fn unlocked(&self, tenant: TenantId) -> Result<TransactWriteItem, StoreError> {
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
