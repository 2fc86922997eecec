//! Transactions whose items define the error that their failed condition means.

use aws_sdk_dynamodb::types::TransactWriteItem;
use rollcall_domain::base::ids::TenantId;

use super::{Store, StoreError};

/// Writes that are applied together or not at all, in the order in which failures count.
#[derive(Debug, Default)]
pub(super) struct Transaction {
    items: Vec<TransactWriteItem>,
    refusals: Vec<ConditionFailure>,
}

/// The meaning of a failed condition.
#[derive(Debug, Clone, Copy)]
pub(super) enum ConditionFailure {
    /// Maintenance holds the lock of the tenant.
    Locked,
    /// The lease under which the job works is lost.
    LeaseLost,
    /// Another writer was faster.
    Conflict,
    /// The title belongs to another profile.
    TitleTaken,
    /// Another writer has changed an item that this write was checked against.
    Contended,
    /// The item has no condition.
    Never,
}

impl Transaction {
    /// Adds a write; `refusal` is the meaning of its failed condition.
    pub(super) fn add(&mut self, item: TransactWriteItem, refusal: ConditionFailure) {
        self.items.push(item);
        self.refusals.push(refusal);
    }

    /// Adds a write without a condition.
    pub(super) fn also(&mut self, item: TransactWriteItem) {
        self.add(item, ConditionFailure::Never);
    }

    /// Returns the first failure, in the order of the writes.
    fn refusal(&self, failed: &[usize]) -> Option<StoreError> {
        let mut refusals = failed.iter().filter_map(|index| self.refusals.get(*index));
        refusals.find_map(|refusal| match refusal {
            ConditionFailure::Locked => Some(StoreError::Locked),
            ConditionFailure::LeaseLost => Some(StoreError::LeaseLost),
            ConditionFailure::Conflict => Some(StoreError::Conflict),
            ConditionFailure::TitleTaken => Some(StoreError::TitleTaken),
            ConditionFailure::Contended => Some(StoreError::Contended),
            ConditionFailure::Never => None,
        })
    }
}

impl Store {
    /// Begins writes that are rejected during maintenance: the lock is a condition of the
    /// same transaction (S4-110…114) and takes precedence over other failures.
    pub(super) fn unless_locked(&self, tenant: TenantId) -> Result<Transaction, StoreError> {
        let mut writes = Transaction::default();
        writes.add(self.unlocked(tenant)?, ConditionFailure::Locked);
        Ok(writes)
    }

    /// Sends the transaction.
    pub(super) async fn commit(&self, writes: Transaction) -> Result<(), StoreError> {
        let items = writes.items.clone();
        self.transact_or(items, |error| {
            let failed = StoreError::failed_indexes(&error);
            writes
                .refusal(&failed)
                .unwrap_or_else(|| StoreError::transaction(error, false))
        })
        .await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lock_is_reported_before_a_conflict() {
        let writes = Transaction {
            items: Vec::new(),
            refusals: vec![
                ConditionFailure::Locked,
                ConditionFailure::Conflict,
                ConditionFailure::TitleTaken,
            ],
        };
        assert!(matches!(writes.refusal(&[0, 1]), Some(StoreError::Locked)));
        assert!(matches!(writes.refusal(&[2]), Some(StoreError::TitleTaken)));
        assert!(writes.refusal(&[]).is_none());
    }
}
