//! Small numbers for long ids: each distinct id is stored once.

use std::hash::{BuildHasher as _, Hash};

use hashbrown::{DefaultHashBuilder, HashTable};

/// Distinct ids in order of arrival; the number of an id is its index.
#[derive(Debug, Clone)]
pub(super) struct Numbers<T> {
    ids: Vec<T>,
    known: HashTable<u32>,
    hasher: DefaultHashBuilder,
}

impl<T> Default for Numbers<T> {
    fn default() -> Self {
        Self {
            ids: Vec::new(),
            known: HashTable::new(),
            hasher: DefaultHashBuilder::default(),
        }
    }
}

impl<T: Copy + Eq + Hash> Numbers<T> {
    /// Returns the number of an id, adding it if new; `None` for a new id beyond `limit` ids.
    pub(super) fn number(&mut self, id: T, limit: u32) -> Option<u32> {
        if let Some(number) = self.find(id) {
            return Some(number);
        }
        let number = u32::try_from(self.ids.len())
            .ok()
            .filter(|number| *number < limit)?;
        self.ids.push(id);
        let (ids, hasher) = (&self.ids, &self.hasher);
        self.known
            .insert_unique(hasher.hash_one(id), number, |number| {
                hasher.hash_one(ids[*number as usize])
            });
        Some(number)
    }

    /// Returns the number of a known id.
    pub(super) fn find(&self, id: T) -> Option<u32> {
        let hash = self.hasher.hash_one(id);
        self.known
            .find(hash, |number| self.ids[*number as usize] == id)
            .copied()
    }

    /// Returns all ids in the order of their numbers.
    pub(super) fn ids(&self) -> &[T] {
        &self.ids
    }

    /// Returns the ids and frees the hash table.
    pub(super) fn into_ids(self) -> Vec<T> {
        self.ids
    }
}
