//! Detects duplicate rows of a set in about ten bytes per row.

use std::hash::{BuildHasher as _, RandomState};

use uuid::Uuid;

/// Number of hash lists. Many short lists grow in small steps, where one large table would double;
/// with millions of rows this determines the memory of a refresh. At twenty million rows a list has
/// about three hundred hashes, which is still fast to search.
const LISTS: usize = 1 << 16;

/// Hashes of ids. If two ids collide, a row is dropped, the count does not match, and the set is
/// read again with a new random hash.
#[derive(Default)]
pub(super) struct IdDedup {
    lists: Vec<Vec<u64>>,
    hasher: RandomState,
}

impl IdDedup {
    /// Returns true if an id was added.
    pub(super) fn contains(&self, id: Uuid) -> bool {
        let (list, hash) = self.place(id);
        let list = self.lists.get(list);
        list.is_some_and(|list| list.contains(&hash))
    }

    fn place(&self, id: Uuid) -> (usize, u64) {
        let hash = self.hasher.hash_one(id);
        // The remainder fits into `usize` on every platform.
        (
            usize::try_from(hash % LISTS as u64).unwrap_or_default(),
            hash,
        )
    }

    /// Adds an id; returns `false` if it was already present.
    pub(super) fn insert(&mut self, id: Uuid) -> bool {
        if self.lists.is_empty() {
            self.lists = vec![Vec::new(); LISTS];
        }
        let (list, hash) = self.place(id);
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
        assert!(ids().all(|id| seen.contains(id)) && !seen.contains(Uuid::max()));
        assert!(!IdDedup::default().contains(Uuid::max()));
    }
}
