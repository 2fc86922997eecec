//! Runs a bound program over all people, tile by tile, and hands out changes.

use chrono::{DateTime, Utc};

use super::bind::{Bound, Merge, Reader, Rows};
use super::compile::{Compiled, Op, Program};
use super::difference::difference;
use super::scatter::scatter;
use super::tile::{
    Cursor, NOBODY, PEOPLE, Tile, WORDS, and, cut, for_each, load, mask, minus, or, unite,
};
use crate::change::Change;
use crate::rowset::RowSet;
use crate::snapshot::Snapshot;

impl Program<'_> {
    /// Evaluates every profile at a moment and compares with its current
    /// members (rows of the same snapshot); answers in the order of the
    /// profiles. A profile without current members has none.
    pub fn evaluate(
        &self,
        snapshot: &Snapshot,
        at: DateTime<Utc>,
        current: &[Option<&RowSet>],
    ) -> Vec<Change> {
        let bound = Bound::new(self, snapshot, at.timestamp_millis());
        let mut run = Run::new(self, snapshot, &bound, current);
        for tile in 0..snapshot.people.rows().div_ceil(PEOPLE) {
            run.tile(&bound, tile);
        }
        run.finish()
    }
}

struct Run<'r> {
    snapshot: &'r Snapshot,
    /// Steps with slots in place of test numbers.
    ops: Vec<Op>,
    /// Bitmaps of the present tile.
    slots: Vec<Tile>,
    stack: Vec<Tile>,
    /// People of the profile at hand.
    top: Tile,
    readers: Vec<(u32, Vec<Reader<'r>>)>,
    /// What every tile asks of each profile, close together in memory.
    outlines: Vec<Outline<'r>>,
    profiles: Vec<State<'r>>,
    /// Members of profiles that others name, in the present tile.
    named: Vec<Tile>,
}

/// The part of a profile that every tile needs.
struct Outline<'r> {
    /// Where its steps end.
    end: usize,
    has_overrides: bool,
    is_named: bool,
    current: &'r [u64],
}

/// The part of a profile that few tiles need.
struct State<'r> {
    compiled: &'r Compiled<'r>,
    include: Option<Overrides>,
    exclude: Option<Overrides>,
    /// How many the current members are.
    before: usize,
    change: Change,
}

/// People an override names, ascending by row.
struct Overrides {
    rows: Vec<u32>,
    taken: usize,
}

impl Overrides {
    fn of(snapshot: &Snapshot, users: &[crate::ids::UserId]) -> Option<Self> {
        let found = users.iter().filter_map(|user| snapshot.people.row(*user));
        let mut rows: Vec<u32> = found.collect();
        rows.sort_unstable();
        (!rows.is_empty()).then_some(Self { rows, taken: 0 })
    }

    fn tile(&mut self, base: u32) -> Tile {
        let rest = &self.rows[self.taken..];
        let before = rest.len();
        let (mut cursor, mut tile) = (Cursor::new(rest), NOBODY);
        cursor.add(&mut tile, base);
        self.taken += before - cursor.left();
        tile
    }
}

impl<'r> Run<'r> {
    fn new(
        program: &'r Program<'r>,
        snapshot: &'r Snapshot,
        bound: &'r Bound<'r>,
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
        let members = program.members.iter().enumerate();
        let now = |place: usize| current.get(place).copied().flatten();
        let profiles = members.map(|(place, compiled)| State {
            include: Overrides::of(snapshot, &compiled.audience.include),
            exclude: Overrides::of(snapshot, &compiled.audience.exclude),
            before: now(place).map_or(0, RowSet::len),
            change: Change::default(),
            compiled,
        });
        let outlines = program.members.iter().enumerate();
        let outlines = outlines.map(|(place, compiled)| Outline {
            end: compiled.end,
            has_overrides: compiled.audience.has_overrides(),
            is_named: compiled.is_named,
            current: now(place).map_or(&[], RowSet::words),
        });
        let readers = bound.rows.iter().map(|Rows { slot, parts }| {
            let parts = parts.iter().map(|part| Reader::new(part));
            (*slot, parts.collect())
        });
        Self {
            snapshot,
            ops: ops.collect(),
            slots: vec![NOBODY; bound.slots as usize],
            stack: Vec::new(),
            top: NOBODY,
            readers: readers.collect(),
            outlines: outlines.collect(),
            profiles: profiles.collect(),
            named: vec![NOBODY; program.members.len()],
        }
    }

    fn tile(&mut self, bound: &Bound<'_>, tile: u32) {
        for column in &bound.scatters {
            scatter(column, &mut self.slots, tile);
        }
        for Merge { slot, from } in &bound.merges {
            unite(&mut self.top, from, &self.slots);
            self.slots[*slot as usize] = self.top;
        }
        for span in &bound.spans {
            let (until, before) = (span.until as usize, span.before as usize);
            minus(&mut self.top, &self.slots[until], &self.slots[before]);
            self.slots[span.slot as usize] = self.top;
        }
        for (slot, readers) in &mut self.readers {
            let slot = &mut self.slots[*slot as usize];
            *slot = NOBODY;
            for reader in readers {
                reader.add(slot, tile);
            }
        }
        let living = cut(self.snapshot.people.living.words(), tile as usize);
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
            difference(&self.top, &living, current, tile, || {
                &mut self.profiles[place].change
            });
        }
    }

    /// Overrides of the profile whose rules' people are on top.
    fn overrides(&mut self, place: usize, living: &Tile, tile: u32) {
        let base = tile * PEOPLE;
        let state = &mut self.profiles[place];
        let audience = &state.compiled.audience;
        let mut exclude = state.exclude.as_mut().map(|rows| rows.tile(base));
        for named in &audience.exclude_profiles {
            or(exclude.get_or_insert(NOBODY), &self.named[*named], false);
        }
        let mut include = state.include.as_mut().map(|rows| rows.tile(base));
        for named in &audience.include_profiles {
            or(include.get_or_insert(NOBODY), &self.named[*named], false);
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

    fn finish(self) -> Vec<Change> {
        let people = &self.snapshot.people;
        let states = self.profiles.into_iter();
        states
            .map(|state| {
                let mut change = state.change;
                let members = state.before + change.joins.len() - change.leaves.len();
                change.members = u32::try_from(members).unwrap_or(u32::MAX);
                // Who has no account is in no group, so all of them are among those who join.
                let unreachable = change
                    .joins
                    .iter()
                    .filter(|row| !people.is_reachable(**row));
                change.unreachable = u32::try_from(unreachable.count()).unwrap_or(u32::MAX);
                change
            })
            .collect()
    }
}

/// Runs one profile's steps; what they leave is in `top`.
fn combine(ops: &[Op], slots: &[Tile], stack: &mut Vec<Tile>, top: &mut Tile) {
    if ops.is_empty() {
        *top = NOBODY;
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
