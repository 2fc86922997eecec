//! Lookup of single rows and labels: a learner's row by id, the label of a source.

use super::{People, Snapshot, Source};
use crate::base::ids::UserId;

impl People {
    /// Returns the row of a learner.
    pub fn row(&self, id: UserId) -> Option<u32> {
        let place = self.place(id);
        // A learner who returned with another Entra object has an empty row, too.
        let same = self.by_id[place..].iter().copied();
        same.take_while(|row| self.ids[*row as usize] == id)
            .find(|row| self.living.contains(*row))
    }

    /// Returns the position in `by_id` at which ids of at least `id` begin. Ids are random, so the
    /// search starts at the position estimated from the id's value (interpolation search).
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
    /// Returns the label of a source; for a deleted field its id.
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
