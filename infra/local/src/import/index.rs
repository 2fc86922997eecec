//! Finds loaded people and courses by what other files call them.

use std::collections::HashMap;
use std::hash::Hash;

use uuid::Uuid;

/// What a key stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    /// One loaded row with this id.
    Loaded(Uuid),
    /// A loaded account that is disabled, so that Learn365 does not know it.
    Disabled,
    /// Several loaded rows.
    Several,
    /// Only a row that was refused.
    Refused,
}

/// A key's standing and the line of the row it comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) line: u64,
    pub(super) standing: Standing,
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

    /// The line of the loaded row that has this key already.
    pub(super) fn taken(&self, key: &K) -> Option<u64> {
        let entry = self.find(key)?;
        (entry.standing != Standing::Refused).then_some(entry.line)
    }

    /// Adds a loaded row. Two rows with one key make it ambiguous, unless one of them is disabled:
    /// the mail address of a former account lives on in the present one.
    pub(super) fn load(&mut self, key: K, line: u64, standing: Standing) {
        use Standing::{Disabled, Loaded, Refused, Several};
        let entry = self.0.entry(key).or_insert(Entry { line, standing });
        match (entry.standing, standing) {
            (Refused | Disabled, _) => *entry = Entry { line, standing },
            (Loaded(before), Loaded(now)) if before != now => entry.standing = Several,
            _ => {}
        }
    }

    /// Remembers a refused row, unless a loaded one has the key.
    pub(super) fn refuse(&mut self, key: K, line: u64) {
        self.0.entry(key).or_insert(Entry {
            line,
            standing: Standing::Refused,
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_loaded_row_outranks_a_disabled_one_and_both_a_refused_one() {
        use Standing::{Disabled, Loaded, Refused, Several};
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
        for (rows, standing, line) in table {
            let mut index = Index::default();
            for (row, number) in rows.iter().zip(1..) {
                match row {
                    Refused => index.refuse("key", number),
                    loaded => index.load("key", number, *loaded),
                }
            }
            assert_eq!(
                index.find(&"key"),
                Some(Entry { line, standing }),
                "{rows:?}"
            );
            let taken = (standing != Refused).then_some(line);
            assert_eq!(index.taken(&"key"), taken, "{rows:?}");
        }
    }
}
