//! The users that pass a predicate about a course, read tile by tile.

use super::tile::{Cursor, PEOPLE, Tile, WORDS};
use crate::snapshot::Postings;

/// Some of the users that pass a predicate.
pub(super) enum PostingPart<'a> {
    /// As stored in the snapshot.
    Stored(&'a Postings),
    /// Ascending rows, determined for the time of evaluation.
    Found(Vec<u32>),
}

/// Reads rows tile by tile.
pub(super) enum PostingReader<'a> {
    Words(&'a [u64]),
    Rows(Cursor<'a>),
}

impl<'a> PostingReader<'a> {
    pub(super) fn new(part: &'a PostingPart<'_>) -> Self {
        match part {
            PostingPart::Stored(Postings::Dense { words, .. }) => Self::Words(words),
            PostingPart::Stored(Postings::Sparse(rows)) | PostingPart::Found(rows) => {
                Self::Rows(Cursor::new(rows))
            }
        }
    }

    /// Adds the users of a tile to its bitmap; tiles must be requested in order.
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
