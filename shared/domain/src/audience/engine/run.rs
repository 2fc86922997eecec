//! Runs a bound program over the users, tile by tile, and collects changes.

use super::bind::{Bound, Merge, Rows};
use super::compile::{Compiled, Op, Program};
use super::difference::{TileDifference, difference};
use super::posting_reader::PostingReader;
use super::scatter::scatter;
use super::tile::{Cursor, PEOPLE, Tile, WORDS, and, cut, for_each, load, mask, minus, or, unite};
use crate::audience::audience_change::AudienceChange;
use crate::base::ids::UserId;
use crate::base::rowset::RowSet;
use crate::snapshot::People;

/// The state of a program while it runs.
pub(super) struct Run<'r> {
    living: &'r [u64],
    /// Steps with slots in place of predicate numbers.
    ops: Vec<Op>,
    /// Bitmaps of the current tile.
    slots: Vec<Tile>,
    stack: Vec<Tile>,
    /// Bitmap of the current profile.
    top: Tile,
    readers: Vec<(u32, PostingReader<'r>)>,
    /// The data of each profile that every tile needs, contiguous in memory.
    outlines: Vec<Outline<'r>>,
    profiles: Vec<State<'r>>,
    /// Members of profiles that others name, in the current tile.
    named: Vec<Tile>,
    found: TileDifference,
}

/// The data of a profile that every tile needs.
struct Outline<'r> {
    /// End of its steps.
    end: usize,
    has_overrides: bool,
    is_named: bool,
    current: &'r [u64],
}

/// The data of a profile that few tiles need.
struct State<'r> {
    compiled: &'r Compiled<'r>,
    include: Option<Overrides>,
    exclude: Option<Overrides>,
    change: AudienceChange,
}

/// Rows of the users that an override names, ascending.
struct Overrides {
    rows: Vec<u32>,
    taken: usize,
}

impl Overrides {
    fn of(users: &[UserId], people: &People) -> Option<Self> {
        let found = users.iter().filter_map(|user| people.row(*user));
        let mut rows: Vec<u32> = found.collect();
        rows.sort_unstable();
        (!rows.is_empty()).then_some(Self { rows, taken: 0 })
    }

    fn tile(&mut self, base: u32) -> Tile {
        let rest = &self.rows[self.taken..];
        let before = rest.len();
        let (mut cursor, mut tile) = (Cursor::new(rest), [0; WORDS]);
        cursor.add(&mut tile, base);
        self.taken += before - cursor.left();
        tile
    }
}

impl<'r> Run<'r> {
    /// Computes the change of each profile against its current members. The counts of a change
    /// remain 0.
    pub(super) fn over(
        program: &'r Program<'r>,
        bound: &'r Bound<'r>,
        people: &'r People,
        current: &[Option<&'r RowSet>],
    ) -> Vec<AudienceChange> {
        let mut run = Self::new(program, bound, people, current);
        for tile in 0..people.rows().div_ceil(PEOPLE) {
            run.tile(bound, tile);
        }
        let states = run.profiles.into_iter();
        states.map(|state| state.change).collect()
    }

    fn new(
        program: &'r Program<'r>,
        bound: &'r Bound<'r>,
        people: &'r People,
        current: &[Option<&'r RowSet>],
    ) -> Self {
        let slot = |test: u32, negated: bool| {
            let (slot, complement) = bound.tests[test as usize];
            (slot, complement ^ negated)
        };
        let ops = program.ops.iter().map(|op| match *op {
            Op::Load(test, negated) => {
                let (s, n) = slot(test, negated);
                Op::Load(s, n)
            }
            Op::And(test, negated) => {
                let (s, n) = slot(test, negated);
                Op::And(s, n)
            }
            Op::Or(test, negated) => {
                let (s, n) = slot(test, negated);
                Op::Or(s, n)
            }
            other => other,
        });
        let profiles = program.members.iter().map(|compiled| State {
            include: Overrides::of(&compiled.audience.include, people),
            exclude: Overrides::of(&compiled.audience.exclude, people),
            change: AudienceChange::default(),
            compiled,
        });
        let outlines = program.members.iter().enumerate();
        let outlines = outlines.map(|(place, compiled)| Outline {
            end: compiled.end,
            has_overrides: compiled.audience.has_overrides(),
            is_named: compiled.is_named,
            current: current
                .get(place)
                .copied()
                .flatten()
                .map_or(&[][..], RowSet::words),
        });
        let readers = bound.rows.iter();
        let readers = readers.map(|Rows { slot, part }| (*slot, PostingReader::new(part)));
        Self {
            living: people.living.words(),
            ops: ops.collect(),
            slots: vec![[0; WORDS]; bound.slots as usize],
            stack: Vec::new(),
            top: [0; WORDS],
            readers: readers.collect(),
            outlines: outlines.collect(),
            profiles: profiles.collect(),
            named: vec![[0; WORDS]; program.members.len()],
            found: TileDifference::default(),
        }
    }

    fn tile(&mut self, bound: &Bound<'_>, tile: u32) {
        for column in &bound.scatters {
            scatter(column, &mut self.slots, tile);
        }
        for Merge { slot, from } in &bound.merges {
            unite(&mut self.top, &bound.from[from.clone()], &self.slots);
            self.slots[*slot as usize] = self.top;
        }
        for span in &bound.spans {
            let (until, before) = (span.until as usize, span.before as usize);
            minus(&mut self.top, &self.slots[until], &self.slots[before]);
            self.slots[span.slot as usize] = self.top;
        }
        for (slot, _) in &self.readers {
            self.slots[*slot as usize] = [0; WORDS];
        }
        for (slot, reader) in &mut self.readers {
            reader.add(&mut self.slots[*slot as usize], tile);
        }
        let living = cut(self.living, tile as usize);
        let mut begin = 0;
        for place in 0..self.outlines.len() {
            let outline = &self.outlines[place];
            let (end, current) = (outline.end, outline.current);
            let (has_overrides, is_named) = (outline.has_overrides, outline.is_named);
            combine(
                &self.ops[begin..end],
                &self.slots,
                &mut self.stack,
                &mut self.top,
            );
            begin = end;
            if has_overrides {
                self.overrides(place, &living, tile);
            }
            if is_named {
                load(&mut self.named[place], &self.top, false);
                and(&mut self.named[place], &living, false);
            }
            difference(&self.top, &living, current, tile, &mut self.found, || {
                &mut self.profiles[place].change
            });
        }
    }

    /// Applies the overrides of a profile to the result of its rules in `top`.
    fn overrides(&mut self, place: usize, living: &Tile, tile: u32) {
        let base = tile * PEOPLE;
        let state = &mut self.profiles[place];
        let audience = &state.compiled.audience;
        let mut exclude = state.exclude.as_mut().map(|rows| rows.tile(base));
        for named in &audience.exclude_profiles {
            or(
                exclude.get_or_insert([0; WORDS]),
                &self.named[*named],
                false,
            );
        }
        let mut include = state.include.as_mut().map(|rows| rows.tile(base));
        for named in &audience.include_profiles {
            or(
                include.get_or_insert([0; WORDS]),
                &self.named[*named],
                false,
            );
        }
        if let Some(mut include) = include {
            and(&mut include, &self.top, true);
            and(&mut include, living, false);
            if let Some(exclude) = &exclude {
                and(&mut include, exclude, true);
            }
            for_each(&include, base, |row| state.change.included.push(row));
            or(&mut self.top, &include, false);
        }
        if let Some(exclude) = &exclude {
            and(&mut self.top, exclude, true);
        }
    }
}

/// Runs one profile's steps and leaves the result in `top`.
fn combine(ops: &[Op], slots: &[Tile], stack: &mut Vec<Tile>, top: &mut Tile) {
    if ops.is_empty() {
        *top = [0; WORDS];
        return;
    }
    let mut first = true;
    for op in ops {
        match *op {
            Op::Load(slot, negated) => {
                if !first {
                    stack.push(*top);
                }
                load(top, &slots[slot as usize], negated);
            }
            Op::Constant(all) => {
                if !first {
                    stack.push(*top);
                }
                *top = [mask(all); WORDS];
            }
            Op::And(slot, negated) => and(top, &slots[slot as usize], negated),
            Op::Or(slot, negated) => or(top, &slots[slot as usize], negated),
            Op::Both => {
                if let Some(below) = stack.pop() {
                    and(top, &below, false);
                }
            }
            Op::Either => {
                if let Some(below) = stack.pop() {
                    or(top, &below, false);
                }
            }
        }
        first = false;
    }
    stack.clear();
}
