//! Computes who joins and who leaves: desired members of a tile against the current ones.

use super::tile::{PEOPLE, Tile, WORDS, cut};
use crate::audience::audience_change::AudienceChange;

/// Words compared together.
const BLOCK: usize = 8;

/// Rows that join and leave one profile in one tile.
#[derive(Default)]
pub(super) struct TileDifference {
    joins: Vec<u32>,
    leaves: Vec<u32>,
}

/// Appends the rows that join and leave to the profile's change. They are collected in a reused
/// buffer first, so that each list grows once per tile.
pub(super) fn difference<'c>(
    members: &Tile,
    living: &Tile,
    current: &[u64],
    tile: u32,
    found: &mut TileDifference,
    change: impl FnOnce() -> &'c mut AudienceChange,
) {
    let rest = current.get(tile as usize * WORDS..).unwrap_or_default();
    let padded;
    let current = if let Some(current) = rest.first_chunk::<WORDS>() {
        current
    } else {
        padded = cut(rest, 0);
        &padded
    };
    let mut differ = [0; WORDS];
    for place in 0..WORDS {
        differ[place] = (members[place] & living[place]) ^ current[place];
    }
    if differ.iter().fold(0, |any, word| any | word) == 0 {
        return;
    }
    found.joins.clear();
    found.leaves.clear();
    // Few words differ, so whole blocks are skipped first.
    for (block, words) in differ.chunks(BLOCK).enumerate() {
        if words.iter().fold(0, |any, word| any | word) == 0 {
            continue;
        }
        for (place, differ) in (block * BLOCK..).zip(words) {
            let base = tile * PEOPLE + 64 * u32::try_from(place).unwrap_or(0);
            let (mut joins, mut leaves) = (differ & !current[place], differ & current[place]);
            while joins != 0 {
                found.joins.push(base + joins.trailing_zeros());
                joins &= joins - 1;
            }
            while leaves != 0 {
                found.leaves.push(base + leaves.trailing_zeros());
                leaves &= leaves - 1;
            }
        }
    }
    let change = change();
    change.joins.extend_from_slice(&found.joins);
    change.leaves.extend_from_slice(&found.leaves);
}
