//! The values of one source as they arrive, and the column built from them.

use crate::snapshot::TextColumn;
use crate::snapshot::codes::MISSING;
use crate::snapshot::dictionary::{Dictionary, Interner};

/// The maximum size in bytes of the distinct texts of one source: as much as a file can contain,
/// and two of them together still fit into one dictionary.
const MAX_TEXT: u32 = (2 << 30) - 1;

/// Values in order of arrival, as pairs of position and code. Missing values take no memory.
#[derive(Debug, Clone)]
pub(super) struct Cells {
    texts: Interner,
    values: Vec<(u32, u32)>,
    /// The maximum size of the distinct texts in bytes.
    max_text: u32,
}

impl Default for Cells {
    fn default() -> Self {
        Self::of_at_most(MAX_TEXT)
    }
}

impl Cells {
    /// Returns an empty set of values with the given maximum size of distinct texts, in bytes.
    pub(super) fn of_at_most(max_text: u32) -> Self {
        Self {
            texts: Interner::default(),
            values: Vec::new(),
            max_text,
        }
    }

    /// Stores a value at a position; a later value at the same position replaces it. Returns `None`
    /// if its text exceeds the maximum size.
    #[must_use]
    pub(super) fn put(&mut self, place: u32, text: &str) -> Option<()> {
        let code = self.texts.code_within(text, self.max_text)?;
        if code != MISSING {
            self.values.push((place, code));
        }
        Some(())
    }

    /// Builds the column over rows; `row_of` maps a position to its row. `fallback` provides the
    /// values of rows that have none here.
    pub(super) fn column(
        mut self,
        fallback: Self,
        rows: u32,
        row_of: impl Fn(u32) -> Option<u32>,
    ) -> TextColumn {
        let translated: Vec<u32> = std::iter::once(MISSING)
            .chain(
                fallback
                    .texts
                    .dictionary()
                    .iter()
                    .map(|text| self.texts.code(text)),
            )
            .collect();
        let filled = fallback
            .values
            .into_iter()
            .map(|(place, code)| (place, translated[code as usize]));
        let mut codes = vec![MISSING; rows as usize];
        for (place, code) in filled.chain(self.values) {
            let cell = row_of(place).and_then(|row| codes.get_mut(row as usize));
            if let Some(cell) = cell {
                *cell = code;
            }
        }
        in_order_of_rows(&self.texts.finish(), codes)
    }
}

/// Renumbers the texts by their first row, so that the order of arrival has no influence, and omits
/// unused texts.
fn in_order_of_rows(texts: &Dictionary, mut codes: Vec<u32>) -> TextColumn {
    let mut renumbered = vec![MISSING; texts.len() as usize + 1];
    let mut dictionary = Dictionary::default();
    for code in &mut codes {
        let known = &mut renumbered[*code as usize];
        if let Some(text) = texts.get(*code).filter(|_| *known == MISSING) {
            *known = dictionary.push(text);
        }
        *code = *known;
    }
    TextColumn::of(dictionary, codes)
}
