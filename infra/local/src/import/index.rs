//! Lookup of loaded users and courses by the keys that other files use.

use std::collections::HashMap;
use std::hash::Hash;

use uuid::Uuid;

/// The result of a lookup.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RowStatus {
    /// One loaded row with this id.
    Loaded(Uuid),
    /// A loaded account that is disabled and therefore has no Learn365 user.
    Disabled,
    /// Several loaded rows have the key.
    Several,
    /// Only an invalid row has the key.
    Refused,
}

/// The lookup result of a key, and the line of its row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) line: u64,
    pub(super) status: RowStatus,
}

/// Entries by key.
pub(super) struct Index<K>(HashMap<K, Entry>);

impl<K> Default for Index<K> {
    fn default() -> Self {
        Self(HashMap::new())
    }
}

impl<K: Eq + Hash> Index<K> {
    pub(super) fn find(&self, key: &K) -> Option<Entry> {
        self.0.get(key).copied()
    }

    /// Returns the line of the loaded row with this key, if any.
    pub(super) fn taken(&self, key: &K) -> Option<u64> {
        let entry = self.find(key)?;
        (entry.status != RowStatus::Refused).then_some(entry.line)
    }

    /// Adds a loaded row. Two rows with the same key make it ambiguous, unless one of them is
    /// disabled: a current account may have the mail address of a former one.
    pub(super) fn load(&mut self, key: K, line: u64, status: RowStatus) {
        use RowStatus::{Disabled, Loaded, Refused, Several};
        let entry = self.0.entry(key).or_insert(Entry { line, status });
        match (entry.status, status) {
            (Refused | Disabled, _) => *entry = Entry { line, status },
            (Loaded(before), Loaded(now)) if before != now => entry.status = Several,
            _ => {}
        }
    }

    /// Records an invalid row, unless a loaded row has the key.
    pub(super) fn refuse(&mut self, key: K, line: u64) {
        self.0.entry(key).or_insert(Entry {
            line,
            status: RowStatus::Refused,
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_loaded_row_outranks_a_disabled_one_and_both_a_refused_one() {
        use RowStatus::{Disabled, Loaded, Refused, Several};
        let (a, b) = (Loaded(Uuid::from_u128(1)), Loaded(Uuid::from_u128(2)));
        let table = [
            (vec![a], a, 1),
            (vec![a, a], a, 1),
            (vec![a, b], Several, 1),
            (vec![a, b, a], Several, 1),
            (vec![Disabled, a], a, 2),
            (vec![a, Disabled], a, 1),
            (vec![Refused, Disabled, a], a, 3),
            (vec![a, Refused], a, 1),
            (vec![Refused, Refused], Refused, 1),
        ];
        for (rows, status, line) in table {
            let mut index = Index::default();
            for (row, number) in rows.iter().zip(1..) {
                match row {
                    Refused => index.refuse("key", number),
                    loaded => index.load("key", number, *loaded),
                }
            }
            assert_eq!(index.find(&"key"), Some(Entry { line, status }), "{rows:?}");
            let taken = (status != Refused).then_some(line);
            assert_eq!(index.taken(&"key"), taken, "{rows:?}");
        }
    }
}
