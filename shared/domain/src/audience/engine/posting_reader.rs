//! People found by tests about courses: the parts of a test's people, and reading them tile by tile.

use super::tile::{Cursor, PEOPLE, Tile, WORDS};
use crate::snapshot::Postings;

/// Some of those who pass a test.
pub(super) enum PostingPart<'a> {
    /// As the snapshot keeps them.
    Kept(&'a Postings),
    /// Ascending rows, found for the moment of evaluation.
    Found(Vec<u32>),
}

/// Hands out rows tile by tile.
pub(super) enum PostingReader<'a> {
    Words(&'a [u64]),
    Rows(Cursor<'a>),
}

impl<'a> PostingReader<'a> {
    pub(super) fn new(part: &'a PostingPart<'_>) -> Self {
        match part {
            PostingPart::Kept(Postings::Dense { words, .. }) => Self::Words(words),
            PostingPart::Kept(Postings::Sparse(rows)) | PostingPart::Found(rows) => {
                Self::Rows(Cursor::new(rows))
            }
        }
    }

    /// Adds the people of the tile with this number; tiles are asked for in order.
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
