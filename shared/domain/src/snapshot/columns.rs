//! The columns a snapshot is made of: dictionary texts, moments, course-major enrolments.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::ids::CourseId;
use crate::lms::Progress;

/// The code of a missing value.
const MISSING: u32 = u32::MAX;

/// Texts of one source: each distinct value once, a code per row.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct TextColumn {
    values: Vec<String>,
    codes: Vec<u32>,
}

impl TextColumn {
    /// Builds the column from one optional value per row; blanks count as missing.
    pub fn build<'a>(rows: impl IntoIterator<Item = Option<&'a str>>) -> Self {
        let mut column = Self::default();
        let mut known: HashMap<String, u32> = HashMap::new();
        for value in rows {
            let code = match value.and_then(crate::text::clean) {
                None => MISSING,
                Some(text) => *known.entry(text).or_insert_with_key(|text| {
                    column.values.push(text.clone());
                    u32::try_from(column.values.len() - 1).unwrap_or(MISSING)
                }),
            };
            column.codes.push(code);
        }
        column
    }

    /// The value of a row.
    pub fn get(&self, row: u32) -> Option<&str> {
        let code = self.code(row)?;
        Some(&self.values[code as usize])
    }

    /// The dictionary code of a row's value.
    pub fn code(&self, row: u32) -> Option<u32> {
        self.codes
            .get(row as usize)
            .copied()
            .filter(|code| *code != MISSING)
    }

    /// The distinct values; a code is a place in this list.
    pub fn values(&self) -> &[String] {
        &self.values
    }

    /// How many rows hold each distinct value, in the order of `values`.
    pub fn counts(&self) -> Vec<u32> {
        let mut counts = vec![0; self.values.len()];
        for code in &self.codes {
            if let Some(count) = counts.get_mut(*code as usize) {
                *count += 1;
            }
        }
        counts
    }

    /// How many rows the column has.
    pub fn len(&self) -> usize {
        self.codes.len()
    }

    /// Whether it has no rows.
    pub fn is_empty(&self) -> bool {
        self.codes.is_empty()
    }

    /// Whether every code points into the dictionary.
    pub(super) fn is_sound(&self, rows: usize) -> bool {
        self.codes.len() == rows
            && self
                .codes
                .iter()
                .all(|code| *code == MISSING || (*code as usize) < self.values.len())
    }
}

/// Moments of one source, in milliseconds since 1970 UTC.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct DateColumn {
    moments: Vec<Option<i64>>,
}

impl DateColumn {
    /// Builds the column from one optional moment per row.
    pub fn build(rows: impl IntoIterator<Item = Option<DateTime<Utc>>>) -> Self {
        Self {
            moments: rows
                .into_iter()
                .map(|moment| moment.map(|moment| moment.timestamp_millis()))
                .collect(),
        }
    }

    /// The moment of a row, in milliseconds since 1970 UTC.
    pub fn get(&self, row: u32) -> Option<i64> {
        self.moments.get(row as usize).copied().flatten()
    }

    /// How many rows the column has.
    pub fn len(&self) -> usize {
        self.moments.len()
    }

    /// Whether it has no rows.
    pub fn is_empty(&self) -> bool {
        self.moments.is_empty()
    }
}

/// One enrolment of one person, moments in milliseconds since 1970 UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Enrolment {
    /// The person's row.
    pub row: u32,
    /// How far they are.
    pub progress: Progress,
    /// When it was completed.
    pub completed_at: Option<i64>,
    /// By when it should be completed.
    pub due_at: Option<i64>,
}

/// Enrolments grouped by course: a rule about a course reads one run of rows.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Enrolments {
    courses: Vec<CourseId>,
    ends: Vec<u64>,
    rows: Vec<Enrolment>,
}

impl Enrolments {
    /// Groups enrolments by course and sorts each group by person.
    pub fn build(mut all: Vec<(CourseId, Enrolment)>) -> Self {
        all.sort_by_key(|(course, enrolment)| (*course, enrolment.row));
        let mut enrolments = Self::default();
        for (course, enrolment) in all {
            if enrolments.courses.last() != Some(&course) {
                enrolments.courses.push(course);
                enrolments.ends.push(enrolments.rows.len() as u64);
            }
            enrolments.rows.push(enrolment);
            if let Some(end) = enrolments.ends.last_mut() {
                *end += 1;
            }
        }
        enrolments
    }

    /// The enrolments in a course, ordered by person; several may share a row.
    pub fn of(&self, course: CourseId) -> &[Enrolment] {
        let Ok(index) = self.courses.binary_search(&course) else {
            return &[];
        };
        let start = index.checked_sub(1).map_or(0, |before| self.ends[before]);
        let range =
            usize::try_from(start).unwrap_or(0)..usize::try_from(self.ends[index]).unwrap_or(0);
        self.rows.get(range).unwrap_or(&[])
    }

    /// How many enrolments there are.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Whether ends ascend to the number of rows and rows point at people.
    pub(super) fn is_sound(&self, people: u32) -> bool {
        self.courses.len() == self.ends.len()
            && self.courses.is_sorted()
            && self.ends.is_sorted()
            && self.ends.last().copied().unwrap_or(0) == self.rows.len() as u64
            && self.rows.iter().all(|enrolment| enrolment.row < people)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    fn enrolment(row: u32) -> Enrolment {
        Enrolment {
            row,
            progress: Progress::NotStarted,
            completed_at: None,
            due_at: None,
        }
    }

    #[test]
    fn a_column_keeps_each_value_once() {
        let column = TextColumn::build([
            Some("Denver"),
            None,
            Some(" Denver "),
            Some("  "),
            Some("Oslo"),
        ]);
        assert_eq!(column.values(), ["Denver", "Oslo"]);
        assert_eq!(column.counts(), [2, 1]);
        assert_eq!(
            (column.get(2), column.get(3), column.get(99)),
            (Some("Denver"), None, None)
        );
    }

    #[test]
    fn enrolments_of_a_course_stand_together() {
        let (a, b) = (
            CourseId::new(Uuid::from_u128(1)),
            CourseId::new(Uuid::from_u128(2)),
        );
        let all = Enrolments::build(vec![
            (b, enrolment(4)),
            (a, enrolment(7)),
            (b, enrolment(1)),
            (a, enrolment(7)),
        ]);
        assert_eq!(all.of(a), [enrolment(7), enrolment(7)]);
        assert_eq!(all.of(b), [enrolment(1), enrolment(4)]);
        assert!(all.of(CourseId::new(Uuid::from_u128(3))).is_empty());
        assert!(all.is_sound(8) && !all.is_sound(7));
    }
}
