//! Writes enrolments course by course.

use std::io::{Error, Write};

use super::super::names::{COMPLETED_AT, COURSES, DUE_AT, GAPS_8, GAPS_16, STATUS};
use super::super::numbers::{put, put_u32s};
use super::super::people::U32;
use super::super::writer::Writer;
use super::sizes::{SETS, TABLE, U8, U16};
use crate::base::ids::CourseId;
use crate::snapshot::{CourseActivities, Enrolments};

/// The columns while they are collected.
#[derive(Default)]
struct Columns {
    ids: Vec<u8>,
    enrolled: Vec<u32>,
    sets: [Vec<u32>; SETS],
    steps: Vec<u32>,
    widths: Vec<u8>,
    gaps8: Vec<u8>,
    gaps16: Vec<u16>,
    status: Vec<u8>,
    completed_at: Vec<u32>,
    due_at: Vec<u32>,
}

/// Writes the columns.
pub(in crate::snapshot::format) fn write<W: Write>(
    writer: &mut Writer<W>,
    enrolments: &Enrolments,
    rows: u32,
) -> std::io::Result<()> {
    let mut columns = Columns::default();
    let mut status_of = vec![0u8; rows as usize];
    for (course, activities) in enrolments.iter() {
        columns.add(course, activities, &mut status_of)?;
    }
    drop(status_of);
    columns.write(writer)
}

impl Columns {
    fn add(
        &mut self,
        course: CourseId,
        activities: &CourseActivities,
        status_of: &mut [u8],
    ) -> std::io::Result<()> {
        let wrong = || {
            Error::other(format!(
                "the enrolments of course {course} are inconsistent"
            ))
        };
        let count = |number: usize| u32::try_from(number).map_err(|_| wrong());
        self.ids.extend_from_slice(course.uuid().as_bytes());
        let sets = [
            &activities.completed,
            &activities.in_progress,
            &activities.late,
            &activities.open,
        ];
        for ((set, bit), counts) in sets.iter().zip(0..).zip(&mut self.sets) {
            set.for_each(|row| {
                if let Some(status) = status_of.get_mut(row as usize) {
                    *status |= 1 << bit;
                }
            });
            counts.push(count(set.len())?);
        }
        let enrolled = activities.enrolled.to_vec();
        self.enrolled.push(count(enrolled.len())?);
        let from = self.status.len();
        for row in &enrolled {
            let status = status_of.get_mut(*row as usize).ok_or_else(wrong)?;
            self.status.push(std::mem::take(status));
        }
        let marks = self.status[from..]
            .iter()
            .map(|status| status.count_ones() as usize);
        let sound = marks.sum::<usize>() == sets.iter().map(|set| set.len()).sum::<usize>()
            && activities.completed_at.len() == activities.completed.len()
            && activities.due_at.len() == activities.open.len()
            && !activities.due_at.contains(&0);
        if !sound {
            return Err(wrong());
        }
        self.completed_at
            .extend_from_slice(&activities.completed_at);
        self.due_at.extend_from_slice(&activities.due_at);
        self.gaps(&enrolled);
        Ok(())
    }

    /// Appends the rows as gaps of one or two bytes each, whichever is shorter in all.
    fn gaps(&mut self, rows: &[u32]) {
        let gaps = || {
            let before = std::iter::once(0).chain(rows.iter().map(|row| row + 1));
            rows.iter().zip(before).map(|(row, before)| row - before)
        };
        let bytes: usize = gaps().map(|gap| gap as usize / 0xff + 1).sum();
        let shorts: usize = gaps().map(|gap| gap as usize / 0xffff + 1).sum();
        if bytes <= shorts * 2 {
            for gap in gaps() {
                self.gaps8
                    .extend(std::iter::repeat_n(u8::MAX, gap as usize / 0xff));
                self.gaps8.push(u8::try_from(gap % 0xff).unwrap_or(0));
            }
            self.steps.push(u32::try_from(bytes).unwrap_or(u32::MAX));
            self.widths.push(1);
        } else {
            for gap in gaps() {
                self.gaps16
                    .extend(std::iter::repeat_n(u16::MAX, gap as usize / 0xffff));
                self.gaps16.push(u16::try_from(gap % 0xffff).unwrap_or(0));
            }
            self.steps.push(u32::try_from(shorts).unwrap_or(u32::MAX));
            self.widths.push(2);
        }
    }

    fn write<W: Write>(self, writer: &mut Writer<W>) -> std::io::Result<()> {
        let mut table = self.ids;
        put_u32s(&mut table, &self.enrolled);
        for counts in &self.sets {
            put_u32s(&mut table, counts);
        }
        put_u32s(&mut table, &self.steps);
        table.extend_from_slice(&self.widths);
        writer.column(COURSES, TABLE, self.enrolled.len(), &table)?;
        writer.column(GAPS_8, U8, self.gaps8.len(), &self.gaps8)?;
        let mut raw = Vec::new();
        put(&mut raw, &self.gaps16, u16::to_le_bytes);
        writer.column(GAPS_16, U16, self.gaps16.len(), &raw)?;
        writer.column(STATUS, U8, self.status.len(), &self.status)?;
        for (name, moments) in [(COMPLETED_AT, self.completed_at), (DUE_AT, self.due_at)] {
            let mut raw = Vec::new();
            put_u32s(&mut raw, &moments);
            writer.column(name, U32, moments.len(), &raw)?;
        }
        Ok(())
    }
}
