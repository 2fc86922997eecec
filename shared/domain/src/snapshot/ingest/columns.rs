//! The columns of learner values: properties, custom fields and properties of Entra users.

use std::collections::BTreeMap;

use super::cells::Cells;
use super::changes::Changes;
use super::entra::EntraSet;
use super::moment::moment;
use super::previous::Previous;
use super::rows::Rows;
use super::users::UserSet;
use crate::snapshot::lms::{FieldKind, FieldRow};
use crate::snapshot::{DateColumn, Property, Source, TextColumn};

/// The columns of learner values under construction.
pub(super) struct Columns<'a, 'p, P: Previous> {
    rows: &'a Rows,
    changes: &'a mut Changes<'p, P>,
    texts: BTreeMap<Source, TextColumn>,
    dates: BTreeMap<Source, DateColumn>,
}

/// Columns of texts and of times, by source.
type TextsAndDates = (BTreeMap<Source, TextColumn>, BTreeMap<Source, DateColumn>);

impl<'a, 'p, P: Previous> Columns<'a, 'p, P> {
    /// Returns a builder without columns.
    pub(super) fn new(rows: &'a Rows, changes: &'a mut Changes<'p, P>) -> Self {
        Self {
            rows,
            changes,
            texts: BTreeMap::new(),
            dates: BTreeMap::new(),
        }
    }

    /// Builds all columns and compares each with the previous snapshot.
    pub(super) fn build(
        mut self,
        users: UserSet,
        fields: &[FieldRow],
        entra: EntraSet,
    ) -> TextsAndDates {
        let UserSet {
            properties,
            fields: known,
            mut custom,
            ..
        } = users;
        let mut values_of = |field: Option<&FieldRow>| {
            let place = field.and_then(|field| known.find(field.id));
            place
                .and_then(|place| custom.get_mut(place as usize))
                .map(std::mem::take)
                .unwrap_or_default()
        };
        for (property, cells) in Property::ALL.into_iter().zip(properties) {
            // The platform delivers some built-in properties only as values of a predefined field.
            let field = fields.iter().find(|field| {
                field.predefined && field.title.eq_ignore_ascii_case(property.label())
            });
            let column = self.of_users(cells, values_of(field));
            self.add(Source::Property(property), FieldKind::Text, column);
        }
        for field in fields.iter().filter(|field| !field.predefined) {
            let column = self.of_users(values_of(Some(field)), Cells::default());
            self.add(Source::Custom(field.id), field.kind, column);
        }
        self.read_entra(entra);
        let Self { texts, changes, .. } = &mut self;
        changes.vanished(|source| texts.contains_key(source));
        (self.texts, self.dates)
    }

    fn of_users(&self, cells: Cells, fallback: Cells) -> TextColumn {
        cells.column(fallback, self.rows.len(), |place| self.rows.of_place(place))
    }

    /// Adds the Entra columns: the values belong to objects, and each learner gets those of its
    /// object.
    fn read_entra(&mut self, entra: EntraSet) {
        let rows = self.rows;
        let object_of = |row: u32| entra.objects.find(rows.identity.object_ids[row as usize]?);
        let holders: Vec<(u32, u32)> = rows
            .identity
            .living
            .iter()
            .filter_map(|row| Some((row, object_of(row)?)))
            .collect();
        let objects = u32::try_from(entra.objects.ids().len()).unwrap_or(u32::MAX);
        for ((name, kind), cells) in entra.kinds().clone().into_iter().zip(entra.columns) {
            let of_objects = cells.column(Cells::default(), objects, Some);
            let mut values = vec![None; rows.len() as usize];
            for (row, object) in &holders {
                values[*row as usize] = of_objects.get(*object);
            }
            self.add(Source::Entra(name), kind, TextColumn::build(values));
        }
    }

    fn add(&mut self, source: Source, kind: FieldKind, column: TextColumn) {
        self.changes.text(&source, Some(&column));
        if kind == FieldKind::Date {
            let moments = DateColumn::from_texts(&column, moment);
            self.dates.insert(source.clone(), moments);
        }
        self.texts.insert(source, column);
    }
}
