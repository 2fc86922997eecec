//! A bitmap of one tile of users and its operations.

/// Number of words in a tile. With 4,096 users per tile, the bitmaps of a thousand profiles just
/// fit into the second-level cache. With half as many, the overhead per profile and tile is larger
/// (measured 5 % slower).
pub(super) const WORDS: usize = 64;

/// One bit for each user of a tile.
pub(super) type Tile = [u64; WORDS];

/// Users in a tile.
#[expect(clippy::cast_possible_truncation, reason = "a tile has few words")]
pub(super) const PEOPLE: u32 = 64 * WORDS as u32;

/// Returns all ones if `negated`, else zero; exclusive or with it complements a bitmap if needed.
pub(super) const fn mask(negated: bool) -> u64 {
    if negated { u64::MAX } else { 0 }
}

/// Intersects with `other`, which is complemented first if `negated`.
pub(super) fn and(tile: &mut Tile, other: &Tile, negated: bool) {
    let mask = mask(negated);
    for (word, other) in tile.iter_mut().zip(other) {
        *word &= other ^ mask;
    }
}

/// Unites with `other`, which is complemented first if `negated`.
pub(super) fn or(tile: &mut Tile, other: &Tile, negated: bool) {
    let mask = mask(negated);
    for (word, other) in tile.iter_mut().zip(other) {
        *word |= other ^ mask;
    }
}

/// Computes the union of some slots. Each block of a few words is united over all slots, so that it
/// stays in registers.
pub(super) fn unite(tile: &mut Tile, from: &[u32], slots: &[Tile]) {
    const PART: usize = 8;
    for (part, words) in tile.chunks_exact_mut(PART).enumerate() {
        let mut united = [0; PART];
        for slot in from {
            let slot = &slots[*slot as usize][part * PART..][..PART];
            for (word, more) in united.iter_mut().zip(slot) {
                *word |= more;
            }
        }
        words.copy_from_slice(&united);
    }
}

/// Computes the difference of two bitmaps; `all` contains `part`.
pub(super) fn minus(tile: &mut Tile, all: &Tile, part: &Tile) {
    for ((word, all), part) in tile.iter_mut().zip(all).zip(part) {
        *word = all & !part;
    }
}

/// Copies `other`, complemented if `negated`.
pub(super) fn load(tile: &mut Tile, other: &Tile, negated: bool) {
    let mask = mask(negated);
    for (word, other) in tile.iter_mut().zip(other) {
        *word = other ^ mask;
    }
}

/// Returns tile number `at` of a bitmap of all users; words beyond its end are zero.
pub(super) fn cut(words: &[u64], at: usize) -> Tile {
    let mut tile = [0; WORDS];
    let rest = words.get(at * WORDS..).unwrap_or_default();
    for (word, from) in tile.iter_mut().zip(rest) {
        *word = *from;
    }
    tile
}

/// Calls `each` with the row of every user in the tile that begins at row `base`.
pub(super) fn for_each(tile: &Tile, base: u32, mut each: impl FnMut(u32)) {
    for (word, start) in tile.iter().zip((base..).step_by(64)) {
        let mut left = *word;
        while left != 0 {
            each(start + left.trailing_zeros());
            left &= left - 1;
        }
    }
}

/// A reader of ascending rows, tile by tile.
pub(super) struct Cursor<'a> {
    rest: &'a [u32],
}

impl<'a> Cursor<'a> {
    pub(super) fn new(rows: &'a [u32]) -> Self {
        Self { rest: rows }
    }

    /// Returns the number of rows not yet read.
    pub(super) fn left(&self) -> usize {
        self.rest.len()
    }

    /// Adds the rows of the next tile; tiles must be requested in order.
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
