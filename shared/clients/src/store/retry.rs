//! Optimistic changes: read, change, write on condition, and retry after a conflict.

use super::StoreError;

/// The number of attempts. Each conflict means that another writer succeeded, and few
/// functions write one item at the same time, so eight attempts are rarely exhausted.
const TRIES: u32 = 8;

/// Counts the attempts of one change.
#[derive(Debug, Default)]
pub struct Attempts {
    failed: u32,
}

impl Attempts {
    /// Counts a failed write. Returns `Ok` if the change is to be repeated with the item as
    /// it is stored now.
    ///
    /// # Errors
    /// [`StoreError::Contended`] if every attempt conflicted; every other error than
    /// [`StoreError::Conflict`] at once.
    pub fn retry(&mut self, error: StoreError) -> Result<(), StoreError> {
        match error {
            StoreError::Conflict if self.remain() => Ok(()),
            StoreError::Conflict => Err(StoreError::Contended),
            error => Err(error),
        }
    }

    /// Counts a conflict; returns whether another attempt is left.
    pub(super) fn remain(&mut self) -> bool {
        self.failed += 1;
        self.failed < TRIES
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_conflict_is_tried_again_and_not_forever() {
        let mut attempts = Attempts::default();
        for _ in 1..TRIES {
            assert!(attempts.retry(StoreError::Conflict).is_ok());
        }
        let last = attempts.retry(StoreError::Conflict);
        assert!(matches!(last, Err(StoreError::Contended)));
        let refused = Attempts::default().retry(StoreError::Locked);
        assert!(matches!(refused, Err(StoreError::Locked)));
    }
}
