//! A program bound to a snapshot: the slot of each predicate's bitmap in a tile and how to fill it.

use std::ops::Range;

use super::compile::Program;
use super::equivalence_classes::EquivalenceClasses;
use super::posting_reader::PostingPart;
use super::predicate_index::TextPredicates;
use super::{activity_predicates, value_predicates};
use crate::rules::{DatePredicate, NumberPredicate};
use crate::snapshot::{Codes, People, Snapshot, Source};

/// The slot whose bitmap is always empty.
pub(super) const EMPTY: u32 = 0;

/// A column and the slot for each of its codes.
pub(super) struct Scatter<'a> {
    pub(super) codes: &'a Codes,
    /// The slot of each code.
    pub(super) slots: Vec<u32>,
    /// The first and last slot that it fills.
    pub(super) first: u32,
    pub(super) last: u32,
    /// True if each slot includes all slots before it. Classes ascend with the values, so a range
    /// of values is the difference of two slots.
    pub(super) running: bool,
}

/// A slot that is the union of other slots, given as a range of [`Bound::from`].
pub(super) struct Merge {
    pub(super) slot: u32,
    pub(super) from: Range<usize>,
}

/// A slot that is the difference of two slots; the first contains the second.
pub(super) struct Span {
    pub(super) slot: u32,
    pub(super) until: u32,
    pub(super) before: u32,
}

/// A slot filled from rows. Several entries with the same slot are united.
pub(super) struct Rows<'a> {
    pub(super) slot: u32,
    pub(super) part: PostingPart<'a>,
}

/// A program bound to the users of a snapshot, ready to run.
pub(super) struct Bound<'a> {
    pub(super) scatters: Vec<Scatter<'a>>,
    pub(super) merges: Vec<Merge>,
    /// The slots that merges refer to.
    pub(super) from: Vec<u32>,
    pub(super) spans: Vec<Span>,
    pub(super) rows: Vec<Rows<'a>>,
    /// For each predicate, its slot and whether the slot holds the complement.
    pub(super) tests: Vec<(u32, bool)>,
    /// Number of slots.
    pub(super) slots: u32,
}

impl<'a> Bound<'a> {
    /// Evaluates every predicate once per distinct value; `now` in milliseconds since 1970 UTC.
    pub(super) fn new(program: &Program<'_>, snapshot: &'a Snapshot, now: i64) -> Self {
        let mut bound = Self {
            scatters: Vec::new(),
            merges: Vec::new(),
            from: Vec::new(),
            spans: Vec::new(),
            rows: Vec::new(),
            tests: vec![(EMPTY, false); program.leaves.len()],
            slots: EMPTY + 1,
        };
        let (asked, people) = (&program.asked, &snapshot.people);
        for (test, course, activity) in &asked.activities {
            let slot = bound.slot();
            if let Some(course) = snapshot.enrolments.course(*course) {
                let parts = activity_predicates::rows(course, *activity, now);
                let parts = parts.into_iter().flatten();
                bound.rows.extend(parts.map(|part| Rows { slot, part }));
            }
            bound.tests[*test] = (slot, false);
        }
        for (source, tests) in &asked.texts {
            bound.texts(people, source, tests);
        }
        for (source, tests) in &asked.numbers {
            bound.numbers(people, source, tests);
        }
        for (source, tests) in &asked.dates {
            bound.dates(people, source, tests, now);
        }
        bound
    }

    fn slot(&mut self) -> u32 {
        self.slots += 1;
        self.slots - 1
    }

    /// Allocates consecutive slots, one for each class, and returns the first.
    fn slots_for(&mut self, classes: u32) -> u32 {
        let first = self.slots;
        self.slots += classes;
        first
    }

    fn texts(&mut self, people: &'a People, source: &Source, tests: &TextPredicates<'_>) {
        let Some(column) = people.texts.get(source) else {
            // A column that does not exist has no values, so the value of every user is missing.
            if let Some(missing) = tests.missing {
                self.tests[tests.listed[missing]] = (EMPTY, true);
            }
            return;
        };
        let decided = value_predicates::decide(column, tests);
        let mut classes = EquivalenceClasses::new(column.dictionary().len() + 1);
        classes.split(decided.lists.iter().map(|(_, list)| list));
        for (tests, signatures) in &decided.signed {
            classes.refine(signatures, tests.len());
        }
        let some_code = classes.renumber();
        let first = self.slots_for(classes.count);
        let (mut marks, mut union) = (Vec::new(), Vec::new());
        for (test, list) in decided.lists.iter() {
            classes.of_list(list, &mut marks, &mut union);
            self.tests[test] = self.union(&union, first, classes.count);
        }
        for (tests, signatures) in &decided.signed {
            let of_class = some_code.iter().map(|code| signatures[*code as usize]);
            let of_class: Vec<u16> = of_class.collect();
            for (bit, (test, _)) in tests.iter().enumerate() {
                passing(&of_class, bit, &mut union);
                self.tests[*test] = self.union(&union, first, classes.count);
            }
        }
        self.scatter(column.codes(), &classes, first);
    }

    /// Returns the slot of a union of classes, or of its complement if that is smaller, with a
    /// flag.
    fn union(&mut self, union: &[u32], first: u32, classes: u32) -> (u32, bool) {
        let all_but = union.len() * 2 > classes as usize;
        let begin = self.from.len();
        if all_but {
            let mut next = union.iter().peekable();
            let others = (0..classes).filter(|class| next.next_if_eq(&class).is_none());
            self.from.extend(others.map(|class| first + class));
        } else {
            self.from.extend(union.iter().map(|class| first + class));
        }
        let slot = match self.from[begin..] {
            [] => EMPTY,
            [only] => {
                self.from.truncate(begin);
                only
            }
            _ => {
                let slot = self.slot();
                let from = begin..self.from.len();
                self.merges.push(Merge { slot, from });
                slot
            }
        };
        (slot, all_but)
    }

    fn dates(
        &mut self,
        people: &'a People,
        source: &Source,
        tests: &[(usize, &DatePredicate)],
        now: i64,
    ) {
        let Some(column) = people.dates.get(source) else {
            return;
        };
        let ranges = tests
            .iter()
            .map(|(place, test)| (*place, value_predicates::range(column, test, now)));
        let moments = u32::try_from(column.moments().len()).unwrap_or(u32::MAX);
        self.spans(column.codes(), 0..=moments, moments, ranges.collect());
    }

    fn numbers(
        &mut self,
        people: &'a People,
        source: &Source,
        tests: &[(usize, &NumberPredicate)],
    ) {
        let Some(column) = people.texts.get(source) else {
            return;
        };
        let (numbers, ranks) = value_predicates::ranks(column.dictionary());
        let ranges = tests
            .iter()
            .map(|(place, test)| (*place, value_predicates::number_range(&numbers, test)));
        let highest = u32::try_from(numbers.len()).unwrap_or(u32::MAX);
        self.spans(column.codes(), ranks, highest, ranges.collect());
    }

    /// Allocates slots for predicates that each hold for a range of ranks. `ranks` gives the rank
    /// of every code, from 0 (no value) to `highest`.
    fn spans(
        &mut self,
        codes: &'a Codes,
        ranks: impl IntoIterator<Item = u32>,
        highest: u32,
        ranges: Vec<(usize, Range<u32>)>,
    ) {
        let classes =
            EquivalenceClasses::cut(highest + 1, ranges.iter().map(|(_, range)| range.clone()));
        let first = self.slots_for(classes.count);
        // The slot of a class contains that class and all before it, except class 0 (no value).
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

    fn scatter(&mut self, codes: &'a Codes, classes: &EquivalenceClasses, first: u32) {
        self.scatters.push(Scatter {
            codes,
            slots: classes.of.iter().map(|class| first + class).collect(),
            first,
            last: first + classes.count - 1,
            running: false,
        });
    }
}

/// Collects the classes whose signature has the bit set, in ascending order.
fn passing(signatures: &[u16], bit: usize, classes: &mut Vec<u32>) {
    classes.clear();
    classes.resize(signatures.len(), 0);
    let mut count = 0;
    // Every class is written, but `count` advances only for matches: no branch to mispredict.
    for (class, signature) in (0u32..).zip(signatures) {
        classes[count] = class;
        count += usize::from(signature >> bit & 1);
    }
    classes.truncate(count);
}
