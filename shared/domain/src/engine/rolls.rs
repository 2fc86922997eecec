//! Who is in which audience, kept row by row: a few people's are close together.

use super::since::Shift;
use crate::rowset::RowSet;

/// Bits of a square that is turned over at once.
const SIDE: usize = 64;

/// The audiences of all profiles, one bit for each person and profile, person by
/// person. Whoever asks what changed keeps it from one time to the next.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Rolls {
    words: Vec<u64>,
    /// Words of one row.
    width: usize,
    profiles: usize,
}

impl Rolls {
    /// Keeps audiences as rows of one lineage, in the order of the profiles. A
    /// profile without any has none.
    pub fn of(audiences: &[Option<&RowSet>]) -> Self {
        let sets = audiences.iter().flatten();
        let rows = sets.map(|set| set.words().len() * SIDE).max().unwrap_or(0);
        let width = audiences.len().div_ceil(SIDE);
        let mut words = vec![0; rows * width];
        for (column, profiles) in audiences.chunks(SIDE).enumerate() {
            for (block, rows) in words.chunks_mut(width * SIDE).enumerate() {
                let mut square = [0; SIDE];
                for (word, audience) in square.iter_mut().zip(profiles) {
                    let words = audience.map_or(&[][..], RowSet::words);
                    *word = words.get(block).copied().unwrap_or(0);
                }
                turn(&mut square);
                let column = rows.iter_mut().skip(column).step_by(width);
                column.zip(square).for_each(|(word, turned)| *word = turned);
            }
        }
        Self {
            words,
            width,
            profiles: audiences.len(),
        }
    }

    /// Takes in what changed, in the order of the profiles.
    pub fn apply(&mut self, shifts: &[Shift]) {
        for (profile, shift) in shifts.iter().enumerate().take(self.profiles) {
            let (word, bit) = (profile / SIDE, 1 << (profile % SIDE));
            for row in &shift.joins {
                let place = *row as usize * self.width + word;
                if place >= self.words.len() {
                    self.words.resize((*row as usize + 1) * self.width, 0);
                }
                self.words[place] |= bit;
            }
            for row in &shift.leaves {
                if let Some(word) = self.words.get_mut(*row as usize * self.width + word) {
                    *word &= !bit;
                }
            }
        }
    }

    /// The audiences of some rows, numbered anew from 0: `stride` words for each
    /// profile, which is enough for all rows.
    pub(super) fn columns(&self, rows: &[u32], stride: usize) -> Vec<u64> {
        let mut columns = vec![0; self.profiles * stride];
        for (block, rows) in rows.chunks(SIDE).enumerate() {
            for column in 0..self.width {
                let mut square = [0; SIDE];
                for (word, row) in square.iter_mut().zip(rows) {
                    let place = *row as usize * self.width + column;
                    *word = self.words.get(place).copied().unwrap_or(0);
                }
                turn(&mut square);
                let profiles = columns.chunks_exact_mut(stride).skip(column * SIDE);
                profiles
                    .zip(square)
                    .for_each(|(words, turned)| words[block] = turned);
            }
        }
        columns
    }
}

/// Turns a square of bits over: bit `b` of word `a` becomes bit `a` of word `b`.
fn turn(square: &mut [u64; SIDE]) {
    let (mut size, mut mask) = (SIDE / 2, u64::MAX >> (SIDE / 2));
    while size > 0 {
        // Quarters that lie across change places, in ever smaller squares.
        for begin in (0..SIDE).step_by(2 * size) {
            for at in begin..begin + size {
                let across = (square[at] >> size ^ square[at + size]) & mask;
                square[at] ^= across << size;
                square[at + size] ^= across;
            }
        }
        size /= 2;
        mask ^= mask << size;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    proptest! {
        #[test]
        fn rows_are_read_and_changed_as_in_sets(
            sets in proptest::collection::vec(proptest::option::of(proptest::collection::btree_set(0u32..200, 0..40)), 0..140),
            joins in proptest::collection::btree_set(0u32..300, 0..9),
            leaves in proptest::collection::btree_set(0u32..300, 0..9),
            rows in proptest::collection::btree_set(0u32..300, 0..150),
        ) {
            let kept: Vec<Option<RowSet>> = sets.iter().map(|set| set.as_ref().map(|rows| {
                let mut set = RowSet::new(200);
                set.extend(rows.iter().copied());
                set
            })).collect();
            let mut rolls = Rolls::of(&kept.iter().map(Option::as_ref).collect::<Vec<_>>());
            let mut sets: Vec<BTreeSet<u32>> = sets.into_iter().map(Option::unwrap_or_default).collect();
            let mut shifts = vec![Shift::default(); sets.len()];
            if let (Some(shift), Some(set)) = (shifts.last_mut(), sets.last_mut()) {
                shift.joins = joins.difference(&leaves).copied().collect();
                shift.leaves = leaves.iter().copied().collect();
                set.extend(&shift.joins);
                set.retain(|row| !leaves.contains(row));
            }
            rolls.apply(&shifts);
            let rows: Vec<u32> = rows.into_iter().collect();
            let stride = rows.len().div_ceil(64) + 1;
            let columns = rolls.columns(&rows, stride);
            for (set, words) in sets.iter().zip(columns.chunks(stride)) {
                for (at, row) in rows.iter().enumerate() {
                    prop_assert_eq!(words[at / 64] >> (at % 64) & 1 == 1, set.contains(row));
                }
            }
        }
    }
}
