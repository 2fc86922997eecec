//! A bitmap of one tile of people and what can be done with it.

/// Words of a tile for everybody. With 4,096 people the bitmaps of a thousand
/// profiles' tests just fit into a second-level cache; with half as many,
/// handling each profile in each tile weighs more (measured 5 % slower).
pub(super) const WIDE: usize = 64;
/// Words of a tile for a few people, most of which would be empty otherwise.
pub(super) const NARROW: usize = 16;

/// One bit for each person of a tile.
pub(super) type Tile<const W: usize> = [u64; W];

/// People of a tile.
#[expect(clippy::cast_possible_truncation, reason = "a tile has few words")]
pub(super) const fn people<const W: usize>() -> u32 {
    64 * W as u32
}

/// Everybody for `true`, nobody for `false`: turns a bitmap into its complement
/// by exclusive or.
pub(super) const fn mask(negated: bool) -> u64 {
    if negated { u64::MAX } else { 0 }
}

/// Keeps who is in both; `other` is complemented first when `negated`.
pub(super) fn and<const W: usize>(tile: &mut Tile<W>, other: &Tile<W>, negated: bool) {
    let mask = mask(negated);
    for (word, other) in tile.iter_mut().zip(other) {
        *word &= other ^ mask;
    }
}

/// Adds who is in the other; `other` is complemented first when `negated`.
pub(super) fn or<const W: usize>(tile: &mut Tile<W>, other: &Tile<W>, negated: bool) {
    let mask = mask(negated);
    for (word, other) in tile.iter_mut().zip(other) {
        *word |= other ^ mask;
    }
}

/// Everyone in any of some slots. A few words at a time go through all of them:
/// those stay in registers.
pub(super) fn unite<const W: usize>(tile: &mut Tile<W>, from: &[u32], slots: &[Tile<W>]) {
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
pub(super) fn minus<const W: usize>(tile: &mut Tile<W>, whole: &Tile<W>, part: &Tile<W>) {
    for ((word, whole), part) in tile.iter_mut().zip(whole).zip(part) {
        *word = whole & !part;
    }
}

/// Takes over the other, complemented when `negated`.
pub(super) fn load<const W: usize>(tile: &mut Tile<W>, other: &Tile<W>, negated: bool) {
    let mask = mask(negated);
    for (word, other) in tile.iter_mut().zip(other) {
        *word = other ^ mask;
    }
}

/// The words of tile number `at` out of a bitmap of everybody; what lies behind
/// its end is nobody.
pub(super) fn cut<const W: usize>(words: &[u64], at: usize) -> Tile<W> {
    let mut tile = [0; W];
    let rest = words.get(at * W..).unwrap_or_default();
    for (word, from) in tile.iter_mut().zip(rest) {
        *word = *from;
    }
    tile
}

/// Calls `each` with the row of every person in the tile that begins at row `base`.
pub(super) fn for_each<const W: usize>(tile: &Tile<W>, base: u32, mut each: impl FnMut(u32)) {
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
    pub(super) fn add<const W: usize>(&mut self, tile: &mut Tile<W>, base: u32) {
        let mut taken = 0;
        for row in self.rest {
            let place = row.wrapping_sub(base);
            if place >= people::<W>() {
                break;
            }
            tile[(place / 64) as usize] |= 1 << (place % 64);
            taken += 1;
        }
        self.rest = &self.rest[taken..];
    }
}
