//! Evaluates predicates on texts, numbers, booleans and dates, once per distinct value.

use std::ops::Range;

use super::equivalence_classes::{SIGNED, Signatures};
use super::posting_lists::PostingLists;
use super::predicate_index::TextPredicates;
use super::texts::{Edges, containing};
use crate::rules::evaluate::{DAY_MS, number_holds};
use crate::rules::{
    DatePredicate, Leaf, NumberPredicate, TextPredicate, parse_boolean, parse_number,
};
use crate::snapshot::{DateColumn, Dictionary, TextColumn};

/// The results of a column's predicates for each of its codes.
pub(super) struct ColumnVerdicts<'t> {
    /// Codes of the predicates that few codes pass, by predicate.
    pub(super) lists: PostingLists<'t>,
    /// All other predicates, in chunks, with the signature of each code.
    pub(super) signed: Vec<(&'t [(usize, &'t Leaf)], Signatures)>,
}

/// Evaluates the predicates of a text column for every code.
pub(super) fn decide<'t>(column: &TextColumn, tests: &'t TextPredicates<'t>) -> ColumnVerdicts<'t> {
    let mut values = Values::new(column);
    let codes = column.dictionary().len() as usize + 1;
    let signed = tests.signed.chunks(SIGNED).map(|tests| {
        let mut signatures = vec![0; codes];
        let mut edges = Edges::default();
        for (bit, (_, test)) in tests.iter().enumerate() {
            match test {
                Leaf::Text(_, TextPredicate::BeginsWith(part)) => edges.begin(part, 1 << bit),
                Leaf::Text(_, TextPredicate::EndsWith(part)) => edges.end(part, 1 << bit),
                test => values.sign(test, 1 << bit, &mut signatures),
            }
        }
        if !edges.is_empty() {
            edges.sign(column.folded(), &mut signatures);
        }
        (tests, signatures)
    });
    ColumnVerdicts {
        signed: signed.collect(),
        lists: lists(column, tests),
    }
}

/// Finds the codes of predicates for equality (with one or several texts) and for missing values.
/// Every value is looked up once, regardless of the number of predicates.
fn lists<'t>(column: &TextColumn, tests: &'t TextPredicates<'t>) -> PostingLists<'t> {
    let mut found: Vec<(usize, u32)> = tests.missing.map(|test| (test, 0)).into_iter().collect();
    if !tests.wanted.is_empty() {
        for (code, text) in (1u32..).zip(column.folded().iter()) {
            found.extend(tests.wanted.by(text).map(|test| (test, code)));
        }
    }
    PostingLists::of(&tests.listed, &found)
}

/// A column and its values parsed as numbers, if needed.
struct Values<'a> {
    column: &'a TextColumn,
    numbers: Option<Vec<Option<f64>>>,
}

impl<'a> Values<'a> {
    fn new(column: &'a TextColumn) -> Self {
        Self {
            column,
            numbers: None,
        }
    }

    /// Sets a bit in the signature of every code that passes a predicate.
    fn sign(&mut self, test: &Leaf, bit: u16, signatures: &mut Signatures) {
        match test {
            Leaf::Text(_, TextPredicate::Contains(part)) => {
                containing(self.column.folded(), part, |code| signatures[code] |= bit);
            }
            Leaf::Text(_, TextPredicate::Matches(pattern)) => {
                let texts = self
                    .column
                    .dictionary()
                    .iter()
                    .map(|text| pattern.is_match(text));
                sign_each(texts, bit, signatures);
            }
            Leaf::Number(_, test) => {
                let dictionary = self.column.dictionary();
                let numbers = self
                    .numbers
                    .get_or_insert_with(|| dictionary.iter().map(parse_number).collect());
                let holds = |number: &Option<f64>| number.is_some_and(|n| number_holds(test, n));
                sign_each(numbers.iter().map(holds), bit, signatures);
            }
            Leaf::Boolean(_, truth) => {
                let texts = self.column.dictionary().iter().map(parse_boolean);
                sign_each(texts.map(|read| read == Some(*truth)), bit, signatures);
            }
            Leaf::Text(..) | Leaf::Missing(_) | Leaf::Date(..) | Leaf::Activity(..) => {}
        }
    }
}

fn sign_each(holds: impl Iterator<Item = bool>, bit: u16, signatures: &mut Signatures) {
    for (signature, holds) in signatures.iter_mut().skip(1).zip(holds) {
        *signature |= if holds { bit } else { 0 };
    }
}

/// Returns the numbers of a dictionary in ascending order, and for each code the rank of its
/// number, from 1. The rank of a text that is not a number is 0.
pub(super) fn ranks(dictionary: &Dictionary) -> (Vec<f64>, Vec<u32>) {
    // Adding zero turns minus zero into zero.
    let read = dictionary
        .iter()
        .map(|text| parse_number(text).map(|n| n + 0.0));
    let read: Vec<Option<f64>> = read.collect();
    let mut numbers: Vec<f64> = read.iter().flatten().copied().collect();
    numbers.sort_unstable_by(f64::total_cmp);
    numbers.dedup();
    let rank = |number: f64| {
        let before = numbers.partition_point(|known| *known < number);
        u32::try_from(before + 1).unwrap_or(u32::MAX)
    };
    let ranks = read.iter().map(|number| number.map_or(0, rank));
    let ranks = std::iter::once(0).chain(ranks).collect();
    (numbers, ranks)
}

/// Returns the ranks for which a predicate holds, if they are contiguous.
pub(super) fn number_range(numbers: &[f64], test: &NumberPredicate) -> Range<u32> {
    let place = |before: usize| u32::try_from(before + 1).unwrap_or(u32::MAX);
    let from = |number: f64| place(numbers.partition_point(|known| *known < number));
    let past = |number: f64| place(numbers.partition_point(|known| *known <= number));
    let end = place(numbers.len());
    match test {
        NumberPredicate::Equals(number) => from(*number)..past(*number),
        NumberPredicate::Less(number) => 1..from(*number),
        NumberPredicate::AtMost(number) => 1..past(*number),
        NumberPredicate::Greater(number) => past(*number)..end,
        NumberPredicate::AtLeast(number) => from(*number)..end,
        NumberPredicate::Between(low, high) => from(*low)..past(*high).max(from(*low)),
        // Not contiguous; evaluated for each number as a signature.
        NumberPredicate::In(_) => 1..1,
    }
}

/// Returns the codes of the dates for which a predicate holds; they are always contiguous.
pub(super) fn range(column: &DateColumn, test: &DatePredicate, now: i64) -> Range<u32> {
    let ago = |days: u32| now.saturating_sub(i64::from(days) * DAY_MS);
    let ahead = |days: u32| now.saturating_add(i64::from(days) * DAY_MS);
    let (from, until) = match test {
        DatePredicate::Before(instant) => (i64::MIN, *instant),
        DatePredicate::After(instant) => (instant.saturating_add(1), i64::MAX),
        DatePredicate::Within(start, end) => (*start, *end),
        DatePredicate::InLast(days) => (ago(*days), now.saturating_add(1)),
        DatePredicate::InNext(days) => (now, ahead(*days).saturating_add(1)),
        DatePredicate::MoreThanAgo(days) => (i64::MIN, ago(*days)),
    };
    let place = |moment: i64| {
        let before = column.moments().partition_point(|known| *known < moment);
        u32::try_from(before + 1).unwrap_or(u32::MAX)
    };
    place(from)..place(until).max(place(from))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::evaluate::date_holds;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn moments_of_a_test_are_neighbours(
            moments in proptest::collection::btree_set(-20i64..20, 0..20),
            now in -3i64..3, operand in -15i64..15, days in 0u32..12,
        ) {
            let moments: Vec<i64> = moments.into_iter().map(|day| day * DAY_MS).collect();
            let now = now * DAY_MS;
            let column = DateColumn::from_parts(moments.clone(), crate::snapshot::Codes::default()).expect("moments not ascending");
            let at = operand * DAY_MS;
            for test in [
                DatePredicate::Before(at), DatePredicate::After(at), DatePredicate::Within(at, at + 3 * DAY_MS), DatePredicate::Within(at, at - 1),
                DatePredicate::InLast(days), DatePredicate::InNext(days), DatePredicate::MoreThanAgo(days),
            ] {
                let range = range(&column, &test, now);
                for (code, moment) in (1u32..).zip(&moments) {
                    prop_assert_eq!(range.contains(&code), date_holds(&test, *moment, now), "{:?} {}", test, moment);
                }
            }
        }
    }
}
