//! Finds single rows and names: a learner's row by id, those of postings by place or out of a set.

use super::postings::BLOCK;
use super::{People, Postings, Snapshot, Source};
use crate::ids::UserId;
use crate::rowset::RowSet;

impl People {
    /// The row of a learner.
    pub fn row(&self, id: UserId) -> Option<u32> {
        let place = self.place(id);
        // A person who came back with another Entra object has an empty row, too.
        let same = self.by_id[place..].iter().copied();
        same.take_while(|row| self.ids[*row as usize] == id)
            .find(|row| self.living.contains(*row))
    }

    /// Where in `by_id` ids of at least `id` begin. Ids are random numbers, so
    /// the place is near where its value lies among all values.
    fn place(&self, id: UserId) -> usize {
        let below = |place: usize| self.ids[self.by_id[place] as usize] < id;
        let count = self.by_id.len();
        let share = id.uuid().as_u128() >> 64;
        let guess = usize::try_from((share * count as u128) >> 64).unwrap_or(0);
        let (mut low, mut high, mut step) = (guess.min(count), guess.min(count), 8);
        while low > 0 && !below(low - 1) {
            low = low.saturating_sub(step);
            step *= 4;
        }
        step = 8;
        while high < count && below(high) {
            high = (high + step).min(count);
            step *= 4;
        }
        let rows = &self.by_id[low..high];
        low + rows.partition_point(|row| self.ids[*row as usize] < id)
    }
}

impl Snapshot {
    /// What people call a source of values; the id of a field that is gone.
    pub fn label(&self, source: &Source) -> String {
        match source {
            Source::Property(property) => property.label().to_owned(),
            Source::Custom(id) => {
                let field = self.custom_field(*id);
                field.map_or_else(|| id.to_string(), |field| field.title.clone())
            }
            Source::Entra(name) => format!("Entra ID: {name}"),
        }
    }
}

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
                // Few are wanted: a block is searched only if it has one.
                for (block, rows) in rows.chunks(BLOCK).enumerate() {
                    let any = rows
                        .iter()
                        .fold(false, |any, row| any | wanted.contains(*row));
                    if any {
                        for (place, row) in (block * BLOCK..).zip(rows) {
                            if wanted.contains(*row) {
                                each(place, *row);
                            }
                        }
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
