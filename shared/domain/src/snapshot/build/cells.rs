//! The values of one source while they arrive, and the column they become.

use crate::snapshot::TextColumn;
use crate::snapshot::codes::MISSING;
use crate::snapshot::dictionary::{Dictionary, Interner};

/// Values in the order of their arrival: where each belongs, and its code.
/// Missing values take no memory.
#[derive(Debug, Clone, Default)]
pub(super) struct Cells {
    texts: Interner,
    cells: Vec<(u32, u32)>,
}

impl Cells {
    /// Notes a value at a place; a later one at the same place replaces it.
    pub(super) fn put(&mut self, place: u32, text: &str) {
        let code = self.texts.code(text);
        if code != MISSING {
            self.cells.push((place, code));
        }
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
            .cells
            .into_iter()
            .map(|(place, code)| (place, translated[code as usize]));
        let mut codes = vec![MISSING; rows as usize];
        for (place, code) in filled.chain(self.cells) {
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
