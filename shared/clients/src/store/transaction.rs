//! Transactions whose items say what it means when their condition fails.

use aws_sdk_dynamodb::types::TransactWriteItem;
use rollcall_domain::base::ids::TenantId;

use super::{Store, StoreError};

/// Writes that happen together or not at all, in the order in which refusals count.
#[derive(Debug, Default)]
pub(super) struct Transaction {
    items: Vec<TransactWriteItem>,
    refusals: Vec<ConditionFailure>,
}

/// What a failed condition means.
#[derive(Debug, Clone, Copy)]
pub(super) enum ConditionFailure {
    /// Maintenance works on the tenant.
    Locked,
    /// The lease under which the job works is lost.
    LeaseLost,
    /// Somebody else was faster.
    Conflict,
    /// The title belongs to another profile.
    TitleTaken,
    /// Somebody has written something that this write was checked against.
    Contended,
    /// The item has no condition that could fail.
    Never,
}

impl Transaction {
    /// Adds one; `refusal` is what it means when its condition fails.
    pub(super) fn add(&mut self, item: TransactWriteItem, refusal: ConditionFailure) {
        self.items.push(item);
        self.refusals.push(refusal);
    }

    /// Adds one without a condition.
    pub(super) fn also(&mut self, item: TransactWriteItem) {
        self.add(item, ConditionFailure::Never);
    }

    /// The first refusal, in the order they were added, among failed places.
    fn refusal(&self, failed: &[usize]) -> Option<StoreError> {
        let mut refusals = failed.iter().filter_map(|place| self.refusals.get(*place));
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
    /// Begins writes that maintenance forbids while it works: the lock is a
    /// condition of the same transaction (S4-110…114), and it is told first.
    pub(super) fn unless_locked(&self, tenant: TenantId) -> Result<Transaction, StoreError> {
        let mut writes = Transaction::default();
        writes.add(self.unlocked(tenant)?, ConditionFailure::Locked);
        Ok(writes)
    }

    /// Carries them out.
    pub(super) async fn commit(&self, writes: Transaction) -> Result<(), StoreError> {
        let items = writes.items.clone();
        self.transact_or(items, |error| {
            let failed = StoreError::failed_places(&error);
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
    fn the_lock_is_told_before_a_conflict() {
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
