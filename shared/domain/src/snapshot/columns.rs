//! Columns of learner values: texts and times. Each distinct value is stored once, with a code per
//! row.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use chrono::{DateTime, Utc};

use super::codes::{Codes, MISSING};
use super::dictionary::{Dictionary, Interner};
use super::folded::folded;

/// A column of text values from one source.
#[derive(Debug, Clone, Default)]
pub struct TextColumn {
    dictionary: Dictionary,
    codes: Codes,
    /// Computed on first use, because most columns are used in no rule.
    folded: OnceLock<Dictionary>,
}

impl PartialEq for TextColumn {
    fn eq(&self, other: &Self) -> bool {
        self.dictionary == other.dictionary && self.codes == other.codes
    }
}

impl Eq for TextColumn {}

impl TextColumn {
    /// Builds the column from one optional value per row; blank values are treated as missing.
    pub fn build<'a>(rows: impl IntoIterator<Item = Option<&'a str>>) -> Self {
        let mut texts = Interner::default();
        let codes = rows
            .into_iter()
            .map(|value| value.map_or(MISSING, |text| texts.code(text)))
            .collect();
        Self::of(texts.finish(), codes)
    }

    /// Returns a column of the given parts; the codes must be those of the dictionary.
    pub(crate) fn of(dictionary: Dictionary, codes: Vec<u32>) -> Self {
        Self {
            codes: Codes::narrow(codes, dictionary.len()),
            dictionary,
            folded: OnceLock::new(),
        }
    }

    /// Returns a column of unchecked parts; `None` if a code is outside the dictionary.
    pub fn from_parts(dictionary: Dictionary, codes: Codes) -> Option<Self> {
        (codes.highest() <= dictionary.len()).then_some(Self {
            dictionary,
            codes,
            folded: OnceLock::new(),
        })
    }

    /// Returns the value of a row.
    pub fn get(&self, row: u32) -> Option<&str> {
        self.dictionary.get(self.codes.get(row))
    }

    /// Returns the distinct values.
    pub fn dictionary(&self) -> &Dictionary {
        &self.dictionary
    }

    /// Returns the distinct values folded for comparison (see [`crate::base::text::fold`]), with
    /// the same codes.
    pub fn folded(&self) -> &Dictionary {
        self.folded.get_or_init(|| folded(&self.dictionary))
    }

    /// Returns the code of every row; 0 is a missing value, 1 the dictionary's first text.
    pub fn codes(&self) -> &Codes {
        &self.codes
    }

    /// Returns the number of rows with each code; the first element counts missing values.
    pub fn counts(&self) -> Vec<u32> {
        let mut counts = vec![0; self.dictionary.len() as usize + 1];
        self.codes.for_each(|code| counts[code as usize] += 1);
        counts
    }
}

/// A column of times from one source, in milliseconds since 1970 UTC.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DateColumn {
    moments: Vec<i64>,
    codes: Codes,
}

impl DateColumn {
    /// Builds the column from one optional time per row.
    pub fn build(rows: impl IntoIterator<Item = Option<DateTime<Utc>>>) -> Self {
        let rows: Vec<Option<i64>> = rows
            .into_iter()
            .map(|moment| moment.map(|moment| moment.timestamp_millis()))
            .collect();
        let distinct: BTreeMap<i64, u32> = rows.iter().flatten().map(|at| (*at, 0)).collect();
        let code_of: BTreeMap<i64, u32> = distinct.into_keys().zip(1u32..).collect();
        let codes = rows
            .iter()
            .map(|at| at.and_then(|at| code_of.get(&at)).map_or(MISSING, |c| *c))
            .collect();
        let moments: Vec<i64> = code_of.into_keys().collect();
        Self {
            codes: Codes::narrow(codes, u32::try_from(moments.len()).unwrap_or(u32::MAX)),
            moments,
        }
    }

    /// Builds the column from a column of texts; each distinct text is parsed once.
    pub fn from_texts(texts: &TextColumn, moment: impl Fn(&str) -> Option<DateTime<Utc>>) -> Self {
        let read: Vec<Option<i64>> = std::iter::once(None)
            .chain(
                texts
                    .dictionary
                    .iter()
                    .map(|text| moment(text).map(|moment| moment.timestamp_millis())),
            )
            .collect();
        let mut moments: Vec<i64> = read.iter().flatten().copied().collect();
        moments.sort_unstable();
        moments.dedup();
        let translate: Vec<u32> = read
            .iter()
            .map(|at| {
                let place = at.and_then(|at| moments.binary_search(&at).ok());
                place.map_or(MISSING, |place| u32::try_from(place + 1).unwrap_or(MISSING))
            })
            .collect();
        let mut codes = Vec::with_capacity(texts.codes.len());
        texts
            .codes
            .for_each(|code| codes.push(translate[code as usize]));
        Self {
            codes: Codes::narrow(codes, u32::try_from(moments.len()).unwrap_or(u32::MAX)),
            moments,
        }
    }

    /// Returns a column of unchecked parts; `None` if the times are not ascending and distinct, or
    /// if a code is outside them.
    pub fn from_parts(moments: Vec<i64>, codes: Codes) -> Option<Self> {
        let ascending = moments.windows(2).all(|pair| pair[0] < pair[1]);
        (ascending && codes.highest() as usize <= moments.len()).then_some(Self { moments, codes })
    }

    /// Returns the time of a row, in milliseconds since 1970 UTC.
    pub fn get(&self, row: u32) -> Option<i64> {
        let place = (self.codes.get(row) as usize).checked_sub(1)?;
        self.moments.get(place).copied()
    }

    /// Returns the distinct times, ascending; the first has code 1.
    pub fn moments(&self) -> &[i64] {
        &self.moments
    }

    /// Returns the code of every row; 0 is a missing value.
    pub fn codes(&self) -> &Codes {
        &self.codes
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::snapshot::ingest::moment;

    #[test]
    fn a_column_keeps_each_value_once() {
        let column = TextColumn::build([
            Some("Denver"),
            None,
            Some(" Denver "),
            Some("  "),
            Some("Oslo"),
        ]);
        assert_eq!(
            column.dictionary().iter().collect::<Vec<_>>(),
            ["Denver", "Oslo"]
        );
        assert_eq!(column.counts(), [2, 2, 1]);
        assert_eq!(
            (column.get(2), column.get(3), column.get(99)),
            (Some("Denver"), None, None)
        );
    }

    #[test]
    fn moments_read_from_texts_are_those_of_the_rows() {
        let texts = [
            Some("2026-03-01"),
            Some("soon"),
            None,
            Some("2026-01-01"),
            Some("2026-03-01T00:00:00Z"),
        ];
        let read = DateColumn::from_texts(&TextColumn::build(texts), moment);
        assert_eq!(
            read,
            DateColumn::build(texts.map(|text| text.and_then(moment)))
        );
        assert_eq!(read.moments().len(), 2);
        assert_eq!(read.get(0), read.get(4));
        assert_eq!((read.get(1), read.get(2)), (None, None));
    }
}
