//! Detects the learners that differ from the previous snapshot, column by column.

use std::collections::HashMap;

use super::previous::Previous;
use super::rows::Rows;
use crate::base::rowset::RowSet;
use crate::snapshot::codes::MISSING;
use crate::snapshot::{CourseActivities, Enrolments, Source, TextColumn};

/// The code of a text that is not in the new column.
const UNKNOWN: u32 = u32::MAX;

/// Compares new columns with those of the previous snapshot.
pub(super) struct Changes<'p, P: Previous> {
    previous: Option<&'p P>,
    /// Rows of learners who are in both snapshots.
    stayed: RowSet,
    changed: RowSet,
    unread: Option<P::Error>,
}

impl<'p, P: Previous> Changes<'p, P> {
    /// Begins a comparison; without rows taken over from the previous snapshot it compares nothing.
    pub(super) fn new(previous: Option<&'p P>, rows: &Rows, unread: Option<P::Error>) -> Self {
        let mut stayed = RowSet::new(rows.carried);
        stayed.extend(rows.identity.living.iter());
        Self {
            previous: previous.filter(|_| rows.carried > 0),
            changed: RowSet::new(rows.carried),
            stayed,
            unread,
        }
    }

    /// Compares the texts of a source; `None` means that the source no longer has values.
    pub(super) fn text(&mut self, source: &Source, new: Option<&TextColumn>) {
        let Some(previous) = self.previous else {
            return;
        };
        let old = match previous.text(source) {
            Ok(old) => old.unwrap_or_default(),
            Err(error) => return self.give_up(error),
        };
        let nothing = TextColumn::default();
        let new = new.unwrap_or(&nothing);
        let code_of: HashMap<&str, u32> = new.dictionary().iter().zip(1..).collect();
        let translated: Vec<u32> = std::iter::once(MISSING)
            .chain(
                old.dictionary()
                    .iter()
                    .map(|text| code_of.get(text).copied().unwrap_or(UNKNOWN)),
            )
            .collect();
        let differs = |row: &u32| {
            let old = translated.get(old.codes().get(*row) as usize);
            old != Some(&new.codes().get(*row))
        };
        self.changed.extend(self.stayed.iter().filter(differs));
    }

    /// Marks learners who lost their value because the source no longer exists.
    pub(super) fn vanished(&mut self, is_there: impl Fn(&Source) -> bool) {
        let Some(previous) = self.previous else {
            return;
        };
        for source in previous.sources() {
            if !is_there(&source) {
                self.text(&source, None);
            }
        }
    }

    /// Compares enrolments course by course.
    pub(super) fn enrolments(&mut self, new: &Enrolments) {
        let Some(previous) = self.previous else {
            return;
        };
        let old = match previous.enrolments() {
            Ok(old) => old,
            Err(error) => return self.give_up(error),
        };
        let nothing = CourseActivities::default();
        let only_old = old
            .iter()
            .filter(|(course, _)| new.course(*course).is_none());
        let pairs = new
            .iter()
            .map(|(course, new)| (old.course(course).unwrap_or(&nothing), new))
            .chain(only_old.map(|(_, old)| (old, &nothing)));
        for (old, new) in pairs {
            if old != new {
                self.changed.extend(different(old, new));
            }
        }
    }

    /// Writes the step into the rows that changed. Returns the error with which a part of the
    /// previous snapshot could not be read, if any.
    pub(super) fn finish(self, step: u32, changed_in: &mut [u32]) -> Option<P::Error> {
        for row in self.changed.iter().filter(|row| self.stayed.contains(*row)) {
            changed_in[row as usize] = step;
        }
        self.unread
    }

    /// Marks all rows as changed, because the old data is not available.
    fn give_up(&mut self, error: P::Error) {
        self.previous = None;
        self.changed.union(&self.stayed);
        self.unread = Some(error);
    }
}

/// Returns the rows that differ between two states of one course, ascending.
fn different(old: &CourseActivities, new: &CourseActivities) -> Vec<u32> {
    let (old, new) = (old.entries(), new.entries());
    let (mut old, mut new) = (old.iter().peekable(), new.iter().peekable());
    let mut rows = Vec::new();
    loop {
        let (was, is) = match (old.peek(), new.peek()) {
            (None, None) => return rows,
            (Some((was, _)), Some((is, _))) => (*was, *is),
            (Some((was, _)), None) => (*was, u32::MAX),
            (None, Some((is, _))) => (u32::MAX, *is),
        };
        let row = was.min(is);
        let (was, is) = (
            old.next_if(|(at, _)| *at == row),
            new.next_if(|(at, _)| *at == row),
        );
        if was.map(|(_, entry)| entry) != is.map(|(_, entry)| entry) {
            rows.push(row);
        }
    }
}
