//! A bitmap of one tile of people and what can be done with it.

/// Words of a tile. 2,048 people keep the working set of a thousand profiles
/// within the second-level cache and a single bitmap within four cache lines.
pub(super) const WORDS: usize = 32;
/// People of a tile.
pub(super) const PEOPLE: u32 = 64 * 32;

/// One bit for each person of a tile.
pub(super) type Tile = [u64; WORDS];

/// Nobody.
pub(super) const NOBODY: Tile = [0; WORDS];

/// Everybody for `true`, nobody for `false`: turns a bitmap into its complement
/// by exclusive or.
pub(super) const fn mask(negated: bool) -> u64 {
    if negated { u64::MAX } else { 0 }
}

/// Keeps who is in both; `other` is complemented first when `negated`.
pub(super) fn and(tile: &mut Tile, other: &Tile, negated: bool) {
    let mask = mask(negated);
    for (word, other) in tile.iter_mut().zip(other) {
        *word &= other ^ mask;
    }
}

/// Adds who is in the other; `other` is complemented first when `negated`.
pub(super) fn or(tile: &mut Tile, other: &Tile, negated: bool) {
    let mask = mask(negated);
    for (word, other) in tile.iter_mut().zip(other) {
        *word |= other ^ mask;
    }
}

/// Who is in the first and not in the second, which the first takes in.
pub(super) fn minus(tile: &mut Tile, whole: &Tile, part: &Tile) {
    for ((word, whole), part) in tile.iter_mut().zip(whole).zip(part) {
        *word = whole & !part;
    }
}

/// Takes over the other, complemented when `negated`.
pub(super) fn load(tile: &mut Tile, other: &Tile, negated: bool) {
    let mask = mask(negated);
    for (word, other) in tile.iter_mut().zip(other) {
        *word = other ^ mask;
    }
}

/// The words of tile number `at` out of a bitmap of everybody; what lies behind
/// its end is nobody.
pub(super) fn cut(words: &[u64], at: usize) -> Tile {
    let mut tile = NOBODY;
    let rest = words.get(at * WORDS..).unwrap_or_default();
    for (word, from) in tile.iter_mut().zip(rest) {
        *word = *from;
    }
    tile
}

/// Calls `each` with the row of every person in the tile that begins at row `base`.
pub(super) fn for_each(tile: &Tile, base: u32, mut each: impl FnMut(u32)) {
    for (word, start) in tile.iter().zip((base..).step_by(64)) {
        let mut left = *word;
        while left != 0 {
            each(start + left.trailing_zeros());
            left &= left - 1;
        }
    }
}

/// Ascending rows, taken tile by tile.
pub(super) struct Cursor<'a> {
    rest: &'a [u32],
}

impl<'a> Cursor<'a> {
    pub(super) fn new(rows: &'a [u32]) -> Self {
        Self { rest: rows }
    }

    /// How many rows are still to come.
    pub(super) fn left(&self) -> usize {
        self.rest.len()
    }

    /// Adds the next tile's people; tiles must be asked for in order.
    pub(super) fn add(&mut self, tile: &mut Tile, base: u32) {
        let mut taken = 0;
        for row in self.rest {
            let place = row.wrapping_sub(base);
            if place >= PEOPLE {
                break;
            }
            tile[(place / 64) as usize] |= 1 << (place % 64);
            taken += 1;
        }
        self.rest = &self.rest[taken..];
    }
}
