//! Distributes the users of a tile over bitmaps by the codes of a column.

use super::bind::Scatter;
use super::tile::{PEOPLE, Tile, WORDS, or};
use crate::snapshot::Codes;

/// Sets the bit of each user of a tile in the slot of the user's code.
pub(super) fn scatter(column: &Scatter<'_>, slots: &mut [Tile], tile: u32) {
    let (first, last) = (column.first as usize, column.last as usize);
    slots[first..=last].fill([0; WORDS]);
    let start = (tile * PEOPLE) as usize;
    match column.codes {
        Codes::Byte(codes) => scatter_codes(&codes[start..], &column.slots, slots, |code| {
            usize::from(*code)
        }),
        Codes::Short(codes) => scatter_codes(&codes[start..], &column.slots, slots, |code| {
            usize::from(*code)
        }),
        Codes::Wide(codes) => {
            scatter_codes(&codes[start..], &column.slots, slots, |code| *code as usize);
        }
    }
    if column.running {
        // Class 0 (no value) is in none of the slots.
        for slot in first + 1..last {
            let (before, after) = slots.split_at_mut(slot + 1);
            or(&mut after[0], &before[slot], false);
        }
    }
}

fn scatter_codes<C>(
    codes: &[C],
    slot_of: &[u32],
    slots: &mut [Tile],
    code_of: impl Fn(&C) -> usize,
) {
    for (word, codes) in codes.chunks(64).take(WORDS).enumerate() {
        let mut bit = 1u64;
        for code in codes {
            let slot = slot_of[code_of(code)] as usize;
            slots[slot][word] |= bit;
            bit <<= 1;
        }
    }
}
