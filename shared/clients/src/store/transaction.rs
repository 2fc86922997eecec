//! Transactions whose items say what it means when their condition fails.

use aws_sdk_dynamodb::types::TransactWriteItem;
use rollcall_domain::base::ids::TenantId;

use super::{Store, StoreError};

/// Writes that happen together or not at all, in the order in which refusals count.
#[derive(Debug, Default)]
pub(super) struct Writes {
    items: Vec<TransactWriteItem>,
    refusals: Vec<Refusal>,
}

/// What a failed condition means.
#[derive(Debug, Clone, Copy)]
pub(super) enum Refusal {
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

impl Writes {
    /// Adds one; `refusal` is what it means when its condition fails.
    pub(super) fn add(&mut self, item: TransactWriteItem, refusal: Refusal) {
        self.items.push(item);
        self.refusals.push(refusal);
    }

    /// Adds one without a condition.
    pub(super) fn also(&mut self, item: TransactWriteItem) {
        self.add(item, Refusal::Never);
    }

    /// The first refusal, in the order they were added, among failed places.
    fn refusal(&self, failed: &[usize]) -> Option<StoreError> {
        let mut refusals = failed.iter().filter_map(|place| self.refusals.get(*place));
        refusals.find_map(|refusal| match refusal {
            Refusal::Locked => Some(StoreError::Locked),
            Refusal::LeaseLost => Some(StoreError::LeaseLost),
            Refusal::Conflict => Some(StoreError::Conflict),
            Refusal::TitleTaken => Some(StoreError::TitleTaken),
            Refusal::Contended => Some(StoreError::Contended),
            Refusal::Never => None,
        })
    }
}

impl Store {
    /// Begins writes that maintenance forbids while it works: the lock is a
    /// condition of the same transaction (S4-110…114), and it is told first.
    pub(super) fn unless_locked(&self, tenant: TenantId) -> Result<Writes, StoreError> {
        let mut writes = Writes::default();
        writes.add(self.unlocked(tenant)?, Refusal::Locked);
        Ok(writes)
    }

    /// Carries them out.
    pub(super) async fn commit(&self, writes: Writes) -> Result<(), StoreError> {
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
        let writes = Writes {
            items: Vec::new(),
            refusals: vec![Refusal::Locked, Refusal::Conflict, Refusal::TitleTaken],
        };
        assert!(matches!(writes.refusal(&[0, 1]), Some(StoreError::Locked)));
        assert!(matches!(writes.refusal(&[2]), Some(StoreError::TitleTaken)));
        assert!(writes.refusal(&[]).is_none());
    }
}
