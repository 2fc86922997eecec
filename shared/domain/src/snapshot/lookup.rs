//! Finds single rows among postings: the row at a place, the ones of a set.

use super::Postings;
use super::postings::BLOCK;
use crate::rowset::RowSet;

impl Postings {
    /// The row at a place among the rows; the opposite of [`Self::place`].
    pub fn at(&self, place: usize) -> Option<u32> {
        match self {
            Self::Sparse(rows) => rows.get(place).copied(),
            Self::Dense { words, ranks, len } => {
                let place = u32::try_from(place).ok().filter(|place| place < len)?;
                let block = ranks.partition_point(|before| *before <= place) - 1;
                let mut left = place - ranks[block];
                let words = (0u32..).zip(words).skip(block * BLOCK).take(BLOCK);
                for (at, word) in words {
                    let here = word.count_ones();
                    if left >= here {
                        left -= here;
                        continue;
                    }
                    let mut word = *word;
                    for _ in 0..left {
                        word &= word - 1;
                    }
                    return Some(at * 64 + word.trailing_zeros());
                }
                None
            }
        }
    }

    /// Calls `each` with the place and the row of every one that `wanted` holds.
    pub fn among(&self, wanted: &RowSet, mut each: impl FnMut(usize, u32)) {
        match self {
            Self::Sparse(rows) => {
                for (place, row) in rows.iter().enumerate() {
                    if wanted.contains(*row) {
                        each(place, *row);
                    }
                }
            }
            Self::Dense { words, .. } => {
                let both = words.iter().zip(wanted.words());
                for ((mine, wanted), base) in both.zip((0u32..).step_by(64)) {
                    let mut left = mine & wanted;
                    while left != 0 {
                        let row = base + left.trailing_zeros();
                        each(self.place(row).unwrap_or_default(), row);
                        left &= left - 1;
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_found_by_place_and_by_set() {
        for (step, universe) in [(3, 20_000u32), (700, 20_000)] {
            let rows: Vec<u32> = (0..universe / step).map(|n| n * step + n % 2).collect();
            let postings = Postings::of(rows.clone(), universe);
            for (place, row) in rows.iter().enumerate() {
                assert_eq!(postings.at(place), Some(*row));
            }
            assert_eq!(postings.at(rows.len()), None);
            let mut wanted = RowSet::new(universe);
            wanted.extend(rows.iter().copied().step_by(5).chain([2, 63, 64, 19_999]));
            let mut found = Vec::new();
            postings.among(&wanted, |place, row| found.push((place, row)));
            let among = rows.iter().copied().enumerate();
            let expected: Vec<_> = among.filter(|(_, row)| wanted.contains(*row)).collect();
            assert_eq!(found, expected);
        }
    }
}
