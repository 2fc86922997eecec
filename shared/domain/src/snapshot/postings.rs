//! A set of rows of one course: a list if it is short, a bitmap if that is smaller.

/// A set with fewer than one row in `DENSE` is stored as a list, otherwise as a bitmap.
const DENSE: usize = 128;
/// The number of words between two running counts of rows.
const BLOCK: usize = 8;

/// A set of rows, ascending and below a fixed number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Postings {
    /// The rows themselves.
    Sparse(Vec<u32>),
    /// One bit per row.
    Dense {
        /// Bit `row % 64` of word `row / 64`.
        words: Vec<u64>,
        /// The number of rows before every eighth word.
        ranks: Vec<u32>,
        /// The number of rows.
        len: u32,
    },
}

impl Default for Postings {
    fn default() -> Self {
        Self::Sparse(Vec::new())
    }
}

impl Postings {
    /// Stores rows; the caller ensures that they are ascending, distinct and below `universe`.
    pub(crate) fn of(rows: Vec<u32>, universe: u32) -> Self {
        if Self::is_short(rows.len(), universe) {
            return Self::Sparse(rows);
        }
        let mut words = vec![0u64; (universe as usize).div_ceil(64)];
        for row in &rows {
            words[(row / 64) as usize] |= 1 << (row % 64);
        }
        Self::dense(words)
    }

    /// Stores those of the rows whose mark, at the same index, has `bit` set; `None` if their
    /// number is not `count`.
    pub(super) fn marked(
        rows: &[u32],
        marks: &[u8],
        bit: u32,
        count: usize,
        universe: u32,
    ) -> Option<Self> {
        let marked = rows.iter().zip(marks);
        if Self::is_short(count, universe) {
            // Every row is written, and unmarked ones are overwritten by the next: marks are
            // unpredictable, so this avoids a branch.
            let (mut found, mut place) = (vec![0; count + 1], 0);
            for (row, mark) in marked {
                found[place.min(count)] = *row;
                place += usize::from(mark >> bit & 1);
            }
            found.truncate(count);
            return (place == count).then_some(Self::Sparse(found));
        }
        let mut words = vec![0u64; (universe as usize).div_ceil(64)];
        for (row, mark) in marked {
            words[(row / 64) as usize] |= u64::from(mark >> bit & 1) << (row % 64);
        }
        let found = Self::dense(words);
        (found.len() == count).then_some(found)
    }

    /// Returns true if this number of rows is stored as a list.
    fn is_short(rows: usize, universe: u32) -> bool {
        rows < universe as usize / DENSE
    }

    fn dense(words: Vec<u64>) -> Self {
        let mut so_far = 0;
        let ranks = words
            .chunks(BLOCK)
            .map(|block| {
                let before = so_far;
                so_far += block.iter().map(|word| word.count_ones()).sum::<u32>();
                before
            })
            .collect();
        Self::Dense {
            words,
            ranks,
            len: so_far,
        }
    }

    /// Returns the memory size of this number of rows, in bytes.
    pub(super) fn bytes(rows: usize, universe: u32) -> u64 {
        if Self::is_short(rows, universe) {
            return rows as u64 * 4;
        }
        let words = u64::from(universe).div_ceil(64);
        words * 8 + words.div_ceil(BLOCK as u64) * 4
    }

    /// Returns the number of rows.
    pub fn len(&self) -> usize {
        match self {
            Self::Sparse(rows) => rows.len(),
            Self::Dense { len, .. } => *len as usize,
        }
    }

    /// Returns true if there are no rows.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns the index of a row among the rows, if it is one of them.
    pub fn place(&self, row: u32) -> Option<usize> {
        match self {
            Self::Sparse(rows) => rows.binary_search(&row).ok(),
            Self::Dense { words, ranks, .. } => {
                let at = (row / 64) as usize;
                let word = *words.get(at)?;
                if word >> (row % 64) & 1 == 0 {
                    return None;
                }
                let before = word & ((1 << (row % 64)) - 1);
                let block = at / BLOCK;
                let between: u32 = words[block * BLOCK..at]
                    .iter()
                    .map(|word| word.count_ones())
                    .sum();
                Some((ranks[block] + between + before.count_ones()) as usize)
            }
        }
    }

    /// Returns true if the set contains the row.
    pub fn contains(&self, row: u32) -> bool {
        match self {
            Self::Sparse(rows) => rows.binary_search(&row).is_ok(),
            Self::Dense { words, .. } => words
                .get((row / 64) as usize)
                .is_some_and(|word| word >> (row % 64) & 1 == 1),
        }
    }

    /// Calls `each` with every row, ascending.
    pub fn for_each(&self, mut each: impl FnMut(u32)) {
        match self {
            Self::Sparse(rows) => rows.iter().for_each(|row| each(*row)),
            Self::Dense { words, .. } => {
                for (word, base) in words.iter().zip((0u32..).step_by(64)) {
                    let mut left = *word;
                    while left != 0 {
                        each(base + left.trailing_zeros());
                        left &= left - 1;
                    }
                }
            }
        }
    }

    /// Returns all rows, ascending.
    pub fn to_vec(&self) -> Vec<u32> {
        let mut rows = Vec::with_capacity(self.len());
        self.for_each(|row| rows.push(row));
        rows
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    proptest! {
        #[test]
        fn short_or_long_they_are_the_rows_given(rows: BTreeSet<u16>, few in any::<bool>()) {
            let rows: Vec<u32> = rows.into_iter().map(u32::from).collect();
            let universe = if few { u32::MAX / 2 } else { 1 << 16 };
            prop_assume!(few || rows.len() >= 600 || rows.len() < 512);
            let postings = Postings::of(rows.clone(), universe.min(1 << 20));
            prop_assert_eq!(postings.to_vec(), rows.clone());
            prop_assert_eq!(postings.len(), rows.len());
            for row in [0, 1, 63, 64, 65, 511, 512, 40_000, 65_535] {
                let place = rows.binary_search(&row).ok();
                prop_assert_eq!(postings.place(row), place);
                prop_assert_eq!(postings.contains(row), place.is_some());
            }
        }
    }

    #[test]
    fn many_rows_become_a_bitmap_and_keep_their_places() {
        let rows: Vec<u32> = (0..5_000).map(|n| n * 3 + n % 2).collect();
        let postings = Postings::of(rows.clone(), 20_000);
        assert!(matches!(postings, Postings::Dense { .. }));
        for (place, row) in rows.iter().enumerate() {
            assert_eq!(postings.place(*row), Some(place));
        }
        assert!(!postings.contains(2) && postings.place(19_999).is_none());
    }
}
