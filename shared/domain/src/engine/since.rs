//! What changed since an earlier evaluation: only people whose data changed and people whom time moved.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};

use super::compile::Program;
use super::select::Selection;
use super::{tests_of_people, tests_of_values};
use crate::rowset::RowSet;
use crate::rules::{DateTest, Leaf};
use crate::snapshot::{DateColumn, Snapshot, Source};

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
    /// program; `before` are its audiences, as rows. Equal to evaluating all
    /// people again and comparing, provided that the snapshot is of the same
    /// lineage as the earlier one and not older, which the caller makes sure of.
    pub fn shifts(
        &self,
        snapshot: &Snapshot,
        at: DateTime<Utc>,
        since: Since,
        before: &[Option<&RowSet>],
    ) -> Vec<Shift> {
        let rows = self.affected(snapshot, at, since);
        let selection = Selection::of(snapshot, &rows, self);
        let before = before
            .iter()
            .map(|set| set.map(|set| selection.narrow(set)))
            .collect::<Vec<_>>();
        let before: Vec<_> = before.iter().map(Option::as_ref).collect();
        let changes = self.evaluate(&selection.snapshot, at, &before);
        changes
            .into_iter()
            .map(|change| Shift {
                joins: selection.widen(&change.joins),
                leaves: selection.widen(&change.leaves),
            })
            .collect()
    }

    /// Everyone whose membership may have changed since: their data did, or a
    /// test that counts days from now may answer otherwise.
    pub fn affected(&self, snapshot: &Snapshot, at: DateTime<Utc>, since: Since) -> RowSet {
        let mut rows = snapshot.people.changed_since(since.step);
        let (before, now) = (since.at.timestamp_millis(), at.timestamp_millis());
        let mut dates: BTreeMap<&Source, Crossing<'_>> = BTreeMap::new();
        for leaf in &self.leaves {
            match leaf {
                Leaf::Date(source, test) => {
                    if let Some(column) = snapshot.people.dates.get(source) {
                        let crossing = dates.entry(source).or_insert_with(|| Crossing::of(column));
                        crossing.note(test, before, now);
                    }
                }
                Leaf::Activity(course, test) => {
                    if let Some(course) = snapshot.enrolments.of(*course) {
                        tests_of_people::crossing(course, *test, before, now, |row| {
                            rows.insert(row);
                        });
                    }
                }
                Leaf::Missing(_) | Leaf::Text(..) | Leaf::Number(..) | Leaf::Boolean(..) => {}
            }
        }
        for crossing in dates.values() {
            crossing.add_to(&mut rows);
        }
        rows
    }
}

/// Moments that some test of a column answers otherwise at another time.
struct Crossing<'a> {
    column: &'a DateColumn,
    /// By code.
    crosses: Vec<bool>,
}

impl<'a> Crossing<'a> {
    fn of(column: &'a DateColumn) -> Self {
        Self {
            crosses: vec![false; column.moments().len() + 1],
            column,
        }
    }

    fn note(&mut self, test: &DateTest, before: i64, now: i64) {
        let was = tests_of_values::range(self.column, test, before);
        let is = tests_of_values::range(self.column, test, now);
        // What lies between the two beginnings, and between the two ends, crosses.
        for (a, b) in [(was.start, is.start), (was.end, is.end)] {
            self.crosses[a.min(b) as usize..a.max(b) as usize].fill(true);
        }
    }

    fn add_to(&self, rows: &mut RowSet) {
        if !self.crosses.contains(&true) {
            return;
        }
        let mut row = 0;
        self.column.codes().for_each(|code| {
            if self.crosses[code as usize] {
                rows.insert(row);
            }
            row += 1;
        });
    }
}
