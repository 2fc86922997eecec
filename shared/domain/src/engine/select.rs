//! A few people of a snapshot, numbered anew, with the columns a program asks for and nothing else.

use std::collections::BTreeMap;

use hashbrown::HashMap;

use super::asked::Asked;
use super::bind::Columns;
use crate::ids::UserId;
use crate::snapshot::{Codes, DateColumn, Dictionary, People, Source, TextColumn};

/// A dictionary with more than so many values for each row is not worth a table
/// of which values were met: hardly one is met twice.
const TABLE: usize = 4;

/// Rows of a snapshot, numbered anew from 0.
pub(super) struct Selection {
    /// Their numbers in the whole snapshot, ascending.
    pub(super) rows: Vec<u32>,
    /// Which of them hold a learner, as a bitmap.
    pub(super) living: Vec<u64>,
    /// Where each learner stands.
    pub(super) places: HashMap<UserId, u32>,
    texts: BTreeMap<Source, TextColumn>,
    dates: BTreeMap<Source, DateColumn>,
}

impl Selection {
    /// Takes the rows out for what a program asks.
    pub(super) fn of(people: &People, rows: Vec<u32>, asked: &Asked<'_>) -> Self {
        let mut living = vec![0; rows.len().div_ceil(64)];
        let mut places = HashMap::with_capacity(rows.len());
        for (at, row) in (0u32..).zip(&rows) {
            if people.living.contains(*row) {
                living[(at / 64) as usize] |= 1 << (at % 64);
                places.insert(people.ids[*row as usize], at);
            }
        }
        let texts = texts(asked).into_iter().filter_map(|(source, forms)| {
            let column = people.texts.get(source)?;
            Some((source.clone(), text(column, forms, &rows)))
        });
        let dates = asked.dates.keys().filter_map(|source| {
            let column = people.dates.get(source)?;
            Some(((*source).clone(), date(column, &rows)))
        });
        Self {
            living,
            places,
            texts: texts.collect(),
            dates: dates.collect(),
            rows,
        }
    }

    /// What the program asks of them.
    pub(super) fn columns(&self) -> Columns<'_> {
        Columns {
            texts: &self.texts,
            dates: &self.dates,
        }
    }

    /// How many there are.
    pub(super) fn count(&self) -> u32 {
        u32::try_from(self.rows.len()).unwrap_or(u32::MAX)
    }

    /// The numbers of selected rows in the whole snapshot.
    pub(super) fn widen(&self, rows: Vec<u32>) -> Vec<u32> {
        rows.into_iter().map(|at| self.rows[at as usize]).collect()
    }
}

/// In which forms tests ask for the texts of a column.
#[derive(Clone, Copy, Default)]
struct Forms {
    as_written: bool,
    folded: bool,
}

/// The columns of texts that the tests of a program ask for.
fn texts<'p>(asked: &Asked<'p>) -> BTreeMap<&'p Source, Forms> {
    let forms = asked.texts.iter().map(|(source, tests)| {
        let forms = Forms {
            as_written: tests.as_written(),
            folded: tests.folded(),
        };
        (*source, forms)
    });
    let mut forms: BTreeMap<&Source, Forms> = forms.collect();
    for source in asked.numbers.keys() {
        forms.entry(source).or_default().as_written = true;
    }
    forms
}

/// The values of some rows; in a form nobody asks for they are left blank. Where
/// there are many for few rows, one that several rows have may stand there
/// several times.
fn text(column: &TextColumn, forms: Forms, rows: &[u32]) -> TextColumn {
    let mut codes = column.codes().of(rows);
    let values = column.dictionary().len() as usize;
    let mut known = vec![
        0;
        if values <= TABLE * rows.len() {
            values + 1
        } else {
            0
        }
    ];
    let (mut kept, mut count) = (Vec::with_capacity(rows.len()), 0);
    for code in codes.iter_mut().filter(|code| **code != 0) {
        let mut fresh = 0;
        let number = known.get_mut(*code as usize).unwrap_or(&mut fresh);
        if *number == 0 {
            kept.push(*code);
            count += 1;
            *number = count;
        }
        *code = *number;
    }
    let blank = || Dictionary::blank(kept.len());
    let as_written = forms.as_written.then(|| column.dictionary().some(&kept));
    let folded = forms.folded.then(|| column.folded().some(&kept));
    TextColumn::of_folded(
        as_written.unwrap_or_else(blank),
        folded.unwrap_or_else(blank),
        codes,
    )
}

fn date(column: &DateColumn, rows: &[u32]) -> DateColumn {
    let codes = column.codes().of(rows);
    let mut distinct: Vec<u32> = codes.iter().copied().filter(|code| *code != 0).collect();
    distinct.sort_unstable();
    distinct.dedup();
    let narrow = |code: &u32| match distinct.binary_search(code) {
        Ok(place) => u32::try_from(place + 1).unwrap_or(0),
        Err(_) => 0,
    };
    let highest = u32::try_from(distinct.len()).unwrap_or(u32::MAX);
    let codes = Codes::narrow(codes.iter().map(narrow).collect(), highest);
    let moments = distinct
        .iter()
        .map(|code| column.moments()[*code as usize - 1]);
    // Moments ascend with their codes, so these parts always fit.
    DateColumn::from_parts(moments.collect(), codes).unwrap_or_default()
}
