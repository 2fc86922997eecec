//! A snapshot the other way round: what each person did, and who has a moment between two.

use std::collections::BTreeMap;
use std::ops::Range;

use super::deed::Deed;
use super::tests_of_people::Window;
use super::timeline::{Event, Timeline};
use crate::snapshot::{DateColumn, Enrolments, Snapshot, Source};

/// A snapshot with what finding a few people takes: enrolments person by person,
/// and rows in the order of their moments. Made once for a loaded snapshot; it
/// pays where the same snapshot is asked again and again.
#[derive(Debug)]
pub struct PersonIndex<'s> {
    pub(super) snapshot: &'s Snapshot,
    /// Where each row's deeds begin; one number more than rows.
    begins: Vec<usize>,
    deeds: Vec<Deed>,
    /// The steps of the lineage in which rows changed.
    changed: Timeline,
    pub(super) completed: Timeline,
    pub(super) due: Timeline,
    dates: BTreeMap<&'s Source, ByMoment>,
}

/// Rows in the order of their moments' codes.
#[derive(Debug)]
struct ByMoment {
    /// Where the rows of each code begin; one number more than codes.
    begins: Vec<u32>,
    rows: Vec<u32>,
}

impl<'s> PersonIndex<'s> {
    /// Makes the index of a snapshot.
    pub fn of(snapshot: &'s Snapshot) -> Self {
        let (begins, deeds) = by_person(&snapshot.enrolments, snapshot.people.rows());
        let courses = || (0u32..).zip(snapshot.enrolments.iter());
        let completed: Vec<_> = courses()
            .map(|(place, (_, course))| (place, &course.completed, &course.completed_at[..]))
            .collect();
        let due: Vec<_> = courses()
            .map(|(place, (_, course))| (place, &course.open, &course.due_at[..]))
            .collect();
        let dates = snapshot.people.dates.iter();
        let changed = (0u32..).zip(&snapshot.people.changed_in);
        let changed = changed.map(|(row, step)| Event {
            moment: *step,
            row,
            course: 0,
        });
        Self {
            snapshot,
            begins,
            deeds,
            changed: Timeline::sorted(changed.collect()),
            completed: Timeline::of(&completed),
            due: Timeline::of(&due),
            dates: dates
                .map(|(source, column)| (source, ByMoment::of(column)))
                .collect(),
        }
    }

    /// Rows that changed after a step of the lineage.
    pub(super) fn changed_since(&self, step: u32) -> impl Iterator<Item = u32> {
        let after = step.checked_add(1).map_or(&[][..], |first| {
            self.changed.within(Window {
                first,
                last: u32::MAX,
            })
        });
        after.iter().map(|event| event.row)
    }

    /// What the person in this row did.
    pub(super) fn deeds(&self, row: u32) -> &[Deed] {
        let row = row as usize;
        match (self.begins.get(row), self.begins.get(row + 1)) {
            (Some(begin), Some(end)) => &self.deeds[*begin..*end],
            _ => &[],
        }
    }

    /// Rows whose moment has one of these codes.
    pub(super) fn dated(&self, source: &Source, codes: Range<u32>) -> &[u32] {
        let Some(dates) = self.dates.get(source) else {
            return &[];
        };
        let begin = |code: u32| dates.begins.get(code as usize).copied();
        let end = begin(codes.end).unwrap_or(0) as usize;
        let begin = begin(codes.start).unwrap_or(0) as usize;
        dates.rows.get(begin..end).unwrap_or_default()
    }
}

/// Where each row's deeds begin, and all of them, person by person.
fn by_person(enrolments: &Enrolments, rows: u32) -> (Vec<usize>, Vec<Deed>) {
    let mut begins = vec![0; rows as usize + 1];
    let mut all = Vec::with_capacity(usize::try_from(enrolments.len()).unwrap_or(0));
    for ((_, activities), course) in enrolments.iter().zip(0u32..) {
        for (row, entry) in activities.entries() {
            for deed in Deed::of(course, &entry) {
                begins[row as usize + 1] += 1;
                all.push((row, deed));
            }
        }
    }
    let mut so_far = 0;
    for begin in &mut begins {
        so_far += *begin;
        *begin = so_far;
    }
    let (mut deeds, mut next) = (vec![Deed::default(); all.len()], begins.clone());
    for (row, deed) in all {
        let next = &mut next[row as usize];
        deeds[*next] = deed;
        *next += 1;
    }
    (begins, deeds)
}

impl ByMoment {
    fn of(column: &DateColumn) -> Self {
        let mut begins = vec![0; column.moments().len() + 2];
        column
            .codes()
            .for_each(|code| begins[code as usize + 1] += 1);
        let mut so_far = 0;
        for begin in &mut begins {
            so_far += *begin;
            *begin = so_far;
        }
        let mut rows = vec![0; so_far as usize];
        let (mut next, mut row) = (begins.clone(), 0);
        column.codes().for_each(|code| {
            let next = &mut next[code as usize];
            rows[*next as usize] = row;
            *next += 1;
            row += 1;
        });
        Self { begins, rows }
    }
}
