//! Which rows of a set were seen, in about ten bytes a row.

use std::hash::{BuildHasher as _, RandomState};

use uuid::Uuid;

/// Short lists grow in small steps, where one large table would double: with
/// millions of rows that is what decides how much memory a refresh needs. At
/// twenty million a list holds three hundred hashes, still quick to look through.
const LISTS: usize = 1 << 16;

/// Hashes of ids. Should two ids ever have the same, a row is left out, the
/// count tells, and the set is read again with another hash.
#[derive(Default)]
pub(super) struct IdDedup {
    lists: Vec<Vec<u64>>,
    hasher: RandomState,
}

impl IdDedup {
    /// Notes an id; `false` if it was seen before.
    pub(super) fn insert(&mut self, id: Uuid) -> bool {
        if self.lists.is_empty() {
            self.lists = vec![Vec::new(); LISTS];
        }
        let hash = self.hasher.hash_one(id);
        // The modulus fits, whatever the width of a machine word.
        let list = usize::try_from(hash % LISTS as u64).unwrap_or_default();
        let list = &mut self.lists[list];
        let fresh = !list.contains(&hash);
        if fresh {
            list.push(hash);
        }
        fresh
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_fresh_once() {
        let mut seen = IdDedup::default();
        let ids = || (0..300_000u128).map(|n| Uuid::from_u128(n << 64));
        assert!(ids().all(|id| seen.insert(id)));
        assert!(!ids().any(|id| seen.insert(id)));
    }
}
