//! What changed since an earlier evaluation: only people whose data changed and people whom time moved.

use chrono::{DateTime, Utc};

use super::bind::Bound;
use super::compile::Program;
use super::deeds::Deeds;
use super::index::PersonIndex;
use super::moved::moved;
use super::rolls::Rolls;
use super::run::{Run, Setting};
use super::select::Selection;
use super::tile::{NARROW, WIDE, people};
use crate::rowset::RowSet;

/// An earlier evaluation.
#[derive(Debug, Clone, Copy)]
pub struct Since {
    /// The step of the lineage its snapshot had.
    pub step: u32,
    /// The moment it was made for.
    pub at: DateTime<Utc>,
}

/// What changed for one profile. Rows are ascending.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Shift {
    /// Those who are in the audience now and were not.
    pub joins: Vec<u32>,
    /// Those who were and are not now.
    pub leaves: Vec<u32>,
}

impl Program<'_> {
    /// What changed for each profile since an earlier evaluation of the same
    /// program; `before` are its audiences. Equal to evaluating all people again
    /// and comparing, provided that the snapshot is of the same lineage as the
    /// earlier one and not older, which the caller makes sure of.
    pub fn shifts(
        &self,
        index: &PersonIndex<'_>,
        at: DateTime<Utc>,
        since: Since,
        before: &Rolls,
    ) -> Vec<Shift> {
        let affected = self.affected(index, at, since);
        let rows: Vec<u32> = affected.iter().collect();
        if rows.len() <= people::<NARROW>() as usize {
            self.shifts_of::<NARROW>(index, at, rows, before)
        } else {
            self.shifts_of::<WIDE>(index, at, rows, before)
        }
    }

    /// What changed for some rows.
    fn shifts_of<const W: usize>(
        &self,
        index: &PersonIndex<'_>,
        at: DateTime<Utc>,
        rows: Vec<u32>,
        before: &Rolls,
    ) -> Vec<Shift> {
        let now = at.timestamp_millis();
        let few = Selection::of(&index.snapshot.people, rows, &self.asked);
        let deeds = Deeds::of(self, index, &few.rows, now);
        let bound = Bound::new(self, few.columns(), now, |test, _, _| {
            [deeds.part(test), None]
        });
        let stride = few.rows.len().div_ceil(64).next_multiple_of(W);
        let before = before.columns(&few.rows, stride);
        let setting = Setting {
            rows: few.count(),
            living: &few.living,
            current: |place: usize| {
                let words = before.get(place * stride..(place + 1) * stride);
                words.unwrap_or_default()
            },
            row: |user| few.places.get(&user).copied(),
        };
        let changes = Run::<W>::over(self, &bound, &setting);
        let shifts = changes.into_iter().map(|change| Shift {
            joins: few.widen(change.joins),
            leaves: few.widen(change.leaves),
        });
        shifts.collect()
    }

    /// Everyone whose membership may have changed since: their data did, or a
    /// test that counts days from now may answer otherwise.
    pub fn affected(&self, index: &PersonIndex<'_>, at: DateTime<Utc>, since: Since) -> RowSet {
        let mut rows = RowSet::new(index.snapshot.people.rows());
        rows.extend(index.changed_since(since.step));
        let times = (since.at.timestamp_millis(), at.timestamp_millis());
        moved(&self.asked, index, times, &mut rows);
        rows
    }
}
