//! A bitmap of one tile of people and what can be done with it.

/// Words of a tile. With 4,096 people the bitmaps of a thousand
/// profiles' tests just fit into a second-level cache; with half as many,
/// handling each profile in each tile weighs more (measured 5 % slower).
pub(super) const WORDS: usize = 64;

/// One bit for each person of a tile.
pub(super) type Tile = [u64; WORDS];

/// People of a tile.
#[expect(clippy::cast_possible_truncation, reason = "a tile has few words")]
pub(super) const PEOPLE: u32 = 64 * WORDS as u32;

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

/// Everyone in any of some slots. A few words at a time go through all of them:
/// those stay in registers.
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
    let mut tile = [0; WORDS];
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
