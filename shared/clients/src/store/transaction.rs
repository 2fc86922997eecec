//! Transactions whose items define the error that their failed condition means.

use aws_sdk_dynamodb::types::{AttributeValue, TransactWriteItem};
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

/// Maximum size of the items of a transaction in bytes; DynamoDB's limit is 4 MB.
const MAX_BYTES: usize = 3_500_000;

/// Splits writes into parts of at most `room` items and [`MAX_BYTES`] bytes.
pub(super) fn chunks(
    items: &[TransactWriteItem],
    room: usize,
) -> impl Iterator<Item = &[TransactWriteItem]> {
    let mut rest = items;
    std::iter::from_fn(move || {
        let mut bytes = 0;
        let fitting = rest.iter().take(room).take_while(|item| {
            bytes += size(item);
            bytes <= MAX_BYTES
        });
        // A single item is never too large.
        let count = fitting.count().max(1).min(rest.len());
        let (chunk, more) = rest.split_at(count);
        rest = more;
        (!chunk.is_empty()).then_some(chunk)
    })
}

/// Returns the approximate size of a written item: its names and the texts and bytes in it.
fn size(item: &TransactWriteItem) -> usize {
    let Some(put) = item.put() else {
        return 0;
    };
    let sizes = put.item().iter().map(|(name, value)| {
        name.len()
            + match value {
                AttributeValue::S(text) | AttributeValue::N(text) => text.len(),
                AttributeValue::B(bytes) => bytes.as_ref().len(),
                _ => 0,
            }
    });
    sizes.sum()
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

    fn item(bytes: usize) -> TransactWriteItem {
        let put = aws_sdk_dynamodb::types::Put::builder()
            .table_name("t")
            .item("doc", AttributeValue::S("x".repeat(bytes)))
            .build()
            .expect("no item");
        TransactWriteItem::builder().put(put).build()
    }

    /// F-25: a hundred large documents are more than a transaction may hold.
    #[test]
    fn transactions_are_split_by_count_and_by_size() {
        let lengths = |items: &[TransactWriteItem]| -> Vec<usize> {
            chunks(items, 99).map(<[_]>::len).collect()
        };
        assert!(lengths(&[]).is_empty());
        assert_eq!(lengths(&vec![item(10); 100]), [99, 1]);
        assert_eq!(lengths(&vec![item(350_000); 25]), [9, 9, 7]);
        assert_eq!(lengths(&[item(10), item(4_000_000), item(10)]), [1, 1, 1]);
    }

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
