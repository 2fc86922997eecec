//! The predicates of a program by column and course, indexed once for all evaluations.

use std::collections::BTreeMap;

use hashbrown::HashMap;

use crate::base::ids::CourseId;
use crate::rules::{ActivityPredicate, DatePredicate, Leaf, NumberPredicate, TextPredicate};
use crate::snapshot::Source;

/// Predicates with their numbers, by the column or course they read.
#[derive(Debug, Default)]
pub(super) struct PredicateIndex<'a> {
    pub(super) texts: BTreeMap<&'a Source, TextPredicates<'a>>,
    /// Predicates that hold for a contiguous range of numbers.
    pub(super) numbers: BTreeMap<&'a Source, Vec<(usize, &'a NumberPredicate)>>,
    pub(super) dates: BTreeMap<&'a Source, Vec<(usize, &'a DatePredicate)>>,
    /// Sorted by course.
    pub(super) activities: Vec<(usize, CourseId, ActivityPredicate)>,
}

/// The predicates on a column's texts.
#[derive(Debug, Default)]
pub(super) struct TextPredicates<'a> {
    /// Predicates that few values pass: equality, lists, missing value.
    pub(super) listed: Vec<usize>,
    /// The texts these compare with; predicates are given by their position in `listed`.
    pub(super) wanted: ComparedTexts<'a>,
    /// The position in `listed` of the predicate for a missing value.
    pub(super) missing: Option<usize>,
    /// All other predicates.
    pub(super) signed: Vec<(usize, &'a Leaf)>,
}

impl<'a> PredicateIndex<'a> {
    pub(super) fn of(leaves: &[&'a Leaf]) -> Self {
        let mut asked = Self::default();
        for (test, leaf) in leaves.iter().copied().enumerate() {
            match leaf {
                Leaf::Date(source, date) => {
                    asked.dates.entry(source).or_default().push((test, date));
                }
                Leaf::Activity(course, activity) => {
                    asked.activities.push((test, *course, *activity));
                }
                Leaf::Number(source, number) if !matches!(number, NumberPredicate::In(_)) => {
                    let numbers = asked.numbers.entry(source).or_default();
                    numbers.push((test, number));
                }
                Leaf::Missing(source)
                | Leaf::Text(source, _)
                | Leaf::Number(source, _)
                | Leaf::Boolean(source, _) => {
                    asked.texts.entry(source).or_default().add(test, leaf);
                }
            }
        }
        asked.activities.sort_by_key(|(_, course, _)| *course);
        asked
    }
}

impl<'a> TextPredicates<'a> {
    fn add(&mut self, test: usize, leaf: &'a Leaf) {
        let here = self.listed.len();
        match leaf {
            Leaf::Text(_, TextPredicate::Equals(text)) => self.wanted.add(text, here),
            Leaf::Text(_, TextPredicate::In(texts)) => {
                for text in texts {
                    self.wanted.add(text, here);
                }
            }
            Leaf::Missing(_) => self.missing = Some(here),
            _ => {
                self.signed.push((test, leaf));
                return;
            }
        }
        self.listed.push(test);
    }
}

/// The texts that predicates compare with, and which predicates these are.
#[derive(Debug, Default)]
pub(super) struct ComparedTexts<'a> {
    /// The index in `tests` of the last entry for each text.
    last: HashMap<&'a str, usize>,
    /// Predicates, each with the index of the previous entry for the same text.
    tests: Vec<(usize, Option<usize>)>,
    /// Bit set of the lengths of the texts.
    lengths: u64,
}

impl<'a> ComparedTexts<'a> {
    fn add(&mut self, text: &'a str, test: usize) {
        let before = self.last.insert(text, self.tests.len());
        self.tests.push((test, before));
        self.lengths |= length_bit(text);
    }

    /// Returns true if no predicate compares with a text.
    pub(super) fn is_empty(&self) -> bool {
        self.tests.is_empty()
    }

    /// Iterates over the predicates that compare with a text.
    pub(super) fn by(&self, text: &str) -> impl Iterator<Item = usize> {
        let may = self.lengths & length_bit(text) != 0;
        let last = may.then(|| self.last.get(text)).flatten();
        let mut next = last.map(|last| self.tests[*last]);
        std::iter::from_fn(move || {
            let (test, before) = next?;
            next = before.map(|before| self.tests[before]);
            Some(test)
        })
    }
}

/// Returns the bit of a text's length, a cheap first check; lengths from 63 share a bit.
fn length_bit(text: &str) -> u64 {
    1 << text.len().min(63)
}
