//! A program bound to a snapshot: where in a tile each test's bitmap stands and how it gets there.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ops::Range;

use super::classes::Classes;
use super::compile::Program;
use super::tile::{Cursor, PEOPLE, Tile, WORDS};
use super::{tests_of_people, tests_of_values};
use crate::rules::{DateTest, Leaf, NumberTest};
use crate::snapshot::{Codes, Postings, Snapshot, Source};

/// The slot that always holds nobody.
pub(super) const EMPTY: u32 = 0;
/// A column whose codes are scattered over slots.
pub(super) struct Scatter<'a> {
    pub(super) codes: &'a Codes,
    /// The slot of each code.
    pub(super) slots: Vec<u32>,
    /// The slots it fills.
    pub(super) first: u32,
    pub(super) last: u32,
    /// Whether each slot takes in all slots before it: classes that ascend
    /// with moments, so that a span of time is the difference of two slots.
    pub(super) running: bool,
}

/// A slot made of others.
pub(super) struct Merge {
    pub(super) slot: u32,
    pub(super) from: Vec<u32>,
}

/// A slot that is the difference of two, of which the first takes in the second.
pub(super) struct Span {
    pub(super) slot: u32,
    pub(super) until: u32,
    pub(super) before: u32,
}

/// A slot filled from rows.
pub(super) struct Rows<'a> {
    pub(super) slot: u32,
    pub(super) parts: Vec<Cow<'a, Postings>>,
}

/// A program and a snapshot, ready to run.
pub(super) struct Bound<'a> {
    pub(super) scatters: Vec<Scatter<'a>>,
    pub(super) merges: Vec<Merge>,
    pub(super) spans: Vec<Span>,
    pub(super) rows: Vec<Rows<'a>>,
    /// Where each test's bitmap stands, and whether as its complement.
    pub(super) tests: Vec<(u32, bool)>,
    /// How many slots there are.
    pub(super) slots: u32,
}

impl<'a> Bound<'a> {
    /// Decides every test; `now` in milliseconds since 1970 UTC.
    pub(super) fn new(program: &Program<'_>, snapshot: &'a Snapshot, now: i64) -> Self {
        let mut bound = Self {
            scatters: Vec::new(),
            merges: Vec::new(),
            spans: Vec::new(),
            rows: Vec::new(),
            tests: vec![(EMPTY, false); program.leaves.len()],
            slots: EMPTY + 1,
        };
        let mut texts: BTreeMap<&Source, Vec<usize>> = BTreeMap::new();
        let mut numbers: BTreeMap<&Source, Vec<(usize, &NumberTest)>> = BTreeMap::new();
        let mut dates: BTreeMap<&Source, Vec<(usize, &DateTest)>> = BTreeMap::new();
        for (place, leaf) in program.leaves.iter().enumerate() {
            match leaf {
                Leaf::Date(source, test) => dates.entry(source).or_default().push((place, test)),
                Leaf::Activity(course, test) => {
                    if let Some(course) = snapshot.enrolments.of(*course) {
                        let slot = bound.slot();
                        let parts = tests_of_people::rows(course, *test, now);
                        bound.rows.push(Rows { slot, parts });
                        bound.tests[place] = (slot, false);
                    }
                }
                Leaf::Number(source, test) if !matches!(test, NumberTest::In(_)) => {
                    numbers.entry(source).or_default().push((place, test));
                }
                Leaf::Missing(source)
                | Leaf::Text(source, _)
                | Leaf::Number(source, _)
                | Leaf::Boolean(source, _) => texts.entry(source).or_default().push(place),
            }
        }
        for (source, places) in texts {
            bound.texts(program, snapshot, source, &places);
        }
        for (source, tests) in numbers {
            bound.numbers(snapshot, source, &tests);
        }
        for (source, tests) in dates {
            bound.dates(snapshot, source, &tests, now);
        }
        bound
    }

    fn slot(&mut self) -> u32 {
        self.slots += 1;
        self.slots - 1
    }

    /// Slots for so many classes.
    fn slots_for(&mut self, classes: u32) -> u32 {
        let first = self.slots;
        self.slots += classes;
        first
    }

    fn texts(
        &mut self,
        program: &Program<'_>,
        snapshot: &'a Snapshot,
        source: &Source,
        places: &[usize],
    ) {
        let Some(column) = snapshot.people.texts.get(source) else {
            // A column that does not exist has no values: everybody's is missing.
            for place in places {
                let missing = matches!(program.leaves[*place], Leaf::Missing(_));
                self.tests[*place] = (EMPTY, missing);
            }
            return;
        };
        let tests: Vec<&Leaf> = places.iter().map(|place| program.leaves[*place]).collect();
        let decided = tests_of_values::decide(column, &tests);
        let mut classes = Classes::new(column.dictionary().len() + 1);
        classes.split(decided.lists.iter().map(|(_, list)| list.as_slice()));
        for (tests, signatures) in &decided.signed {
            classes.refine(signatures, tests.len());
        }
        let some_code = classes.settle();
        let first = self.slots_for(classes.count);
        let mut marks = Vec::new();
        for (test, list) in &decided.lists {
            let union = classes.of_list(list, &mut marks);
            self.tests[places[*test]] = self.union(union, first, classes.count);
        }
        for (tests, signatures) in &decided.signed {
            for (bit, test) in tests.iter().enumerate() {
                let passes = |code: &u32| signatures[*code as usize] >> bit & 1 == 1;
                let union = (0u32..).zip(&some_code).filter(|(_, code)| passes(code));
                let union = union.map(|(class, _)| class).collect();
                self.tests[places[*test]] = self.union(union, first, classes.count);
            }
        }
        self.scatter(column.codes(), &classes, first);
    }

    /// Where the union of classes stands, or that of all others as its complement.
    fn union(&mut self, mut union: Vec<u32>, first: u32, classes: u32) -> (u32, bool) {
        let all_but = union.len() * 2 > classes as usize;
        if all_but {
            let mut next = union.into_iter().peekable();
            union = (0..classes)
                .filter(|class| next.next_if_eq(class).is_none())
                .collect();
        }
        let slot = match union[..] {
            [] => EMPTY,
            [only] => first + only,
            _ => {
                let slot = self.slot();
                let from = union.into_iter().map(|class| first + class).collect();
                self.merges.push(Merge { slot, from });
                slot
            }
        };
        (slot, all_but)
    }

    fn dates(
        &mut self,
        snapshot: &'a Snapshot,
        source: &Source,
        tests: &[(usize, &DateTest)],
        now: i64,
    ) {
        let Some(column) = snapshot.people.dates.get(source) else {
            return;
        };
        let ranges = tests
            .iter()
            .map(|(place, test)| (*place, tests_of_values::range(column, test, now)));
        let moments = u32::try_from(column.moments().len()).unwrap_or(u32::MAX);
        self.spans(column.codes(), 0..=moments, moments, ranges.collect());
    }

    fn numbers(&mut self, snapshot: &'a Snapshot, source: &Source, tests: &[(usize, &NumberTest)]) {
        let Some(column) = snapshot.people.texts.get(source) else {
            return;
        };
        let (numbers, ranks) = tests_of_values::ranks(column.dictionary());
        let ranges = tests
            .iter()
            .map(|(place, test)| (*place, tests_of_values::number_range(&numbers, test)));
        let highest = u32::try_from(numbers.len()).unwrap_or(u32::MAX);
        self.spans(column.codes(), ranks, highest, ranges.collect());
    }

    /// Tests that hold for a range of ranks each. `ranks` gives the rank of
    /// every code, from 0 (none) to `highest`.
    fn spans(
        &mut self,
        codes: &'a Codes,
        ranks: impl IntoIterator<Item = u32>,
        highest: u32,
        ranges: Vec<(usize, Range<u32>)>,
    ) {
        let classes = Classes::cut(highest + 1, ranges.iter().map(|(_, range)| range.clone()));
        let first = self.slots_for(classes.count);
        // The slot of a class holds it and all before it, class 0 (no value) left out.
        let until = |rank: u32| match classes.of.get(rank as usize) {
            None | Some(0) => EMPTY,
            Some(class) => first + class,
        };
        for (place, range) in ranges {
            let slot = match (until(range.start - 1), range.is_empty()) {
                (_, true) => EMPTY,
                (EMPTY, false) => until(range.end - 1),
                (before, false) => {
                    let slot = self.slot();
                    let until = until(range.end - 1);
                    self.spans.push(Span {
                        slot,
                        until,
                        before,
                    });
                    slot
                }
            };
            self.tests[place] = (slot, false);
        }
        let slots = ranks
            .into_iter()
            .map(|rank| first + classes.of[rank as usize]);
        self.scatters.push(Scatter {
            codes,
            slots: slots.collect(),
            first,
            last: first + classes.count - 1,
            running: true,
        });
    }

    fn scatter(&mut self, codes: &'a Codes, classes: &Classes, first: u32) {
        self.scatters.push(Scatter {
            codes,
            slots: classes.of.iter().map(|class| first + class).collect(),
            first,
            last: first + classes.count - 1,
            running: false,
        });
    }
}

/// Hands out rows tile by tile.
pub(super) enum Reader<'a> {
    Words(&'a [u64]),
    Rows(Cursor<'a>),
}

impl<'a> Reader<'a> {
    pub(super) fn new(rows: &'a Postings) -> Self {
        match rows {
            Postings::Sparse(rows) => Self::Rows(Cursor::new(rows)),
            Postings::Dense { words, .. } => Self::Words(words),
        }
    }

    /// Adds the people of the tile with this number; tiles are asked for in order.
    pub(super) fn add(&mut self, tile: &mut Tile, at: u32) {
        match self {
            Self::Words(words) => {
                let rest = words.get(at as usize * WORDS..).unwrap_or_default();
                for (word, more) in tile.iter_mut().zip(rest) {
                    *word |= more;
                }
            }
            Self::Rows(cursor) => cursor.add(tile, at * PEOPLE),
        }
    }
}
