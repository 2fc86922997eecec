//! Small numbers for long ids: each distinct id is kept once.

use std::hash::{BuildHasher as _, Hash};

use hashbrown::{DefaultHashBuilder, HashTable};

/// Distinct ids in the order of their arrival; an id's number is its place.
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
    /// The number of an id; `None` for a new one beyond `limit` ids.
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

    /// The number of an id that is known.
    pub(super) fn find(&self, id: T) -> Option<u32> {
        let hash = self.hasher.hash_one(id);
        self.known
            .find(hash, |number| self.ids[*number as usize] == id)
            .copied()
    }

    /// All ids in the order of their numbers.
    pub(super) fn ids(&self) -> &[T] {
        &self.ids
    }

    /// The ids alone; what is not needed any more is freed.
    pub(super) fn into_ids(self) -> Vec<T> {
        self.ids
    }
}
