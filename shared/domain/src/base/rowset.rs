//! A set of snapshot rows as a bitmap with one bit per row, cheap to combine and compare.

/// A set of row numbers below a fixed limit.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct RowSet {
    words: Vec<u64>,
    rows: u32,
    /// Number of rows in the set, cached because it is read more often than it changes.
    len: usize,
}

impl std::fmt::Debug for RowSet {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}

impl RowSet {
    /// Creates the empty set over rows `0..rows`.
    pub fn new(rows: u32) -> Self {
        Self {
            words: vec![0; (rows as usize).div_ceil(64)],
            rows,
            len: 0,
        }
    }

    /// Returns the number of rows in the range (not in the set).
    pub fn universe(&self) -> u32 {
        self.rows
    }

    /// Returns the bitmap: row `n` is bit `n % 64` of word `n / 64`.
    pub fn words(&self) -> &[u64] {
        &self.words
    }

    /// Creates a set from a bitmap over rows `0..rows`; `None` if the bitmap has another length or
    /// contains rows outside the range.
    pub fn from_words(words: Vec<u64>, rows: u32) -> Option<Self> {
        let fits = words.len() == (rows as usize).div_ceil(64);
        let spare = match rows % 64 {
            0 => 0,
            used => words.last().map_or(0, |last| last >> used),
        };
        let len = count(&words);
        (fits && spare == 0).then_some(Self { words, rows, len })
    }

    /// Adds a row; rows outside the range are ignored.
    pub fn insert(&mut self, row: u32) {
        if row < self.rows {
            let (word, bit) = (&mut self.words[(row / 64) as usize], 1 << (row % 64));
            self.len += usize::from(*word & bit == 0);
            *word |= bit;
        }
    }

    /// Removes a row.
    pub fn remove(&mut self, row: u32) {
        if row < self.rows {
            let (word, bit) = (&mut self.words[(row / 64) as usize], 1 << (row % 64));
            self.len -= usize::from(*word & bit != 0);
            *word &= !bit;
        }
    }

    /// Returns true if the row is in the set.
    pub fn contains(&self, row: u32) -> bool {
        row < self.rows && self.words[(row / 64) as usize] >> (row % 64) & 1 == 1
    }

    /// Returns the number of rows in the set.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Returns true if the set is empty.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Adds all rows of the other set.
    pub fn union(&mut self, other: &Self) {
        for (mine, theirs) in self.words.iter_mut().zip(&other.words) {
            *mine |= theirs;
        }
        self.len = count(&self.words);
    }

    /// Removes all rows of the other set.
    pub fn subtract(&mut self, other: &Self) {
        for (mine, theirs) in self.words.iter_mut().zip(&other.words) {
            *mine &= !theirs;
        }
        self.len = count(&self.words);
    }

    /// Iterates over the rows of `self` that are not in `other`, ascending.
    pub fn difference<'a>(&'a self, other: &'a Self) -> impl Iterator<Item = u32> + 'a {
        let theirs = other.words.iter().copied().chain(std::iter::repeat(0));
        bits(
            self.words
                .iter()
                .zip(theirs)
                .map(|(mine, theirs)| mine & !theirs),
        )
    }

    /// Iterates over the rows, ascending.
    pub fn iter(&self) -> impl Iterator<Item = u32> + '_ {
        bits(self.words.iter().copied())
    }
}

fn count(words: &[u64]) -> usize {
    words.iter().map(|word| word.count_ones() as usize).sum()
}

impl Extend<u32> for RowSet {
    fn extend<T: IntoIterator<Item = u32>>(&mut self, rows: T) {
        for row in rows {
            self.insert(row);
        }
    }
}

fn bits(words: impl Iterator<Item = u64>) -> impl Iterator<Item = u32> {
    words.zip(0u32..).flat_map(|(mut word, index)| {
        std::iter::from_fn(move || {
            (word != 0).then(|| {
                let bit = word.trailing_zeros();
                word &= word - 1;
                index * 64 + bit
            })
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    fn set_of(rows: &BTreeSet<u32>) -> RowSet {
        let mut set = RowSet::new(300);
        set.extend(rows.iter().copied());
        set
    }

    proptest! {
        #[test]
        fn it_behaves_as_an_ordered_set(a: BTreeSet<u8>, b: BTreeSet<u8>) {
            let a: BTreeSet<u32> = a.into_iter().map(u32::from).collect();
            let b: BTreeSet<u32> = b.into_iter().map(u32::from).collect();
            let (mut union, left, right) = (set_of(&a), set_of(&a), set_of(&b));
            prop_assert_eq!(left.len(), a.len());
            prop_assert_eq!(left.iter().collect::<BTreeSet<_>>(), a.clone());
            prop_assert_eq!(left.difference(&right).collect::<Vec<_>>(), a.difference(&b).copied().collect::<Vec<_>>());
            union.union(&right);
            prop_assert_eq!(union.iter().collect::<BTreeSet<_>>(), &a | &b);
            union.subtract(&right);
            prop_assert_eq!(union.iter().collect::<BTreeSet<_>>(), &a - &b);
        }
    }

    #[test]
    fn rows_outside_the_range_are_never_members() {
        let mut set = RowSet::new(10);
        set.insert(10);
        assert!(set.is_empty() && !set.contains(10));
    }
}
