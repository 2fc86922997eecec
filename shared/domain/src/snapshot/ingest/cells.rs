//! The values of one source while they arrive, and the column they become.

use crate::snapshot::TextColumn;
use crate::snapshot::codes::MISSING;
use crate::snapshot::dictionary::{Dictionary, Interner};

/// Bytes of distinct texts in the values of one source: more than a file can
/// hold anyway, and two of them together still fit one dictionary.
const MAX_TEXT: u32 = (2 << 30) - 1;

/// Values in the order of their arrival: where each belongs, and its code.
/// Missing values take no memory.
#[derive(Debug, Clone)]
pub(super) struct Cells {
    texts: Interner,
    values: Vec<(u32, u32)>,
    /// Bytes of distinct texts that are taken.
    max_text: u32,
}

impl Default for Cells {
    fn default() -> Self {
        Self::of_at_most(MAX_TEXT)
    }
}

impl Cells {
    /// No values yet, and room for so many bytes of distinct texts.
    pub(super) fn of_at_most(max_text: u32) -> Self {
        Self {
            texts: Interner::default(),
            values: Vec::new(),
            max_text,
        }
    }

    /// Notes a value at a place; a later one at the same place replaces it.
    /// `None` when its text does not fit any more.
    #[must_use]
    pub(super) fn put(&mut self, place: u32, text: &str) -> Option<()> {
        let code = self.texts.code_within(text, self.max_text)?;
        if code != MISSING {
            self.values.push((place, code));
        }
        Some(())
    }

    /// The column over rows, where `row_of` tells the row of a place. `fallback`
    /// fills the rows that have no value here.
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

/// Numbers the texts anew by their first row, so that the order of arrival does
/// not show, and texts no row has are left out.
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
