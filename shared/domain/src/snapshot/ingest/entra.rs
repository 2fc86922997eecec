//! Properties of Entra users while their pages arrive.

use std::collections::BTreeMap;

use super::cells::Cells;
use super::limits::{MAX_USERS, TooLarge};
use super::numbers::Numbers;
use crate::base::ids::ObjectId;
use crate::snapshot::lms::FieldKind;

/// Properties that some rule may ask for (S4-055), of every user of the directory.
#[derive(Debug, Clone, Default)]
pub struct EntraSet {
    kinds: BTreeMap<String, FieldKind>,
    pub(super) objects: Numbers<ObjectId>,
    /// Parallel to `kinds`.
    pub(super) columns: Vec<Cells>,
}

impl EntraSet {
    /// Nobody's values yet of the properties named, each with what its values are.
    pub fn new(kinds: BTreeMap<String, FieldKind>) -> Self {
        Self {
            columns: vec![Cells::default(); kinds.len()],
            objects: Numbers::default(),
            kinds,
        }
    }

    /// The properties wanted and what their values are.
    pub fn kinds(&self) -> &BTreeMap<String, FieldKind> {
        &self.kinds
    }

    /// How many users were taken in.
    pub fn len(&self) -> usize {
        self.objects.ids().len()
    }

    /// Whether nobody was.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Takes in one user's values, by property; properties not wanted are ignored.
    ///
    /// # Errors
    /// Beyond [`MAX_USERS`] users, or two gigabytes of distinct texts in one property.
    pub fn push<'v>(
        &mut self,
        user: ObjectId,
        values: impl IntoIterator<Item = (&'v str, &'v str)>,
    ) -> Result<(), TooLarge> {
        let number = self.objects.number(user, MAX_USERS);
        let number = number.ok_or(TooLarge::EntraUsers)?;
        for (name, text) in values {
            let wanted = self.kinds.keys().position(|wanted| wanted == name);
            if let Some(cells) = wanted.and_then(|place| self.columns.get_mut(place)) {
                cells.put(number, text).ok_or(TooLarge::EntraUsers)?;
            }
        }
        Ok(())
    }
}
