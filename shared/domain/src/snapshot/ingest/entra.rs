//! Properties of Entra users as their pages arrive.

use std::collections::BTreeMap;

use super::cells::Cells;
use super::limits::{MAX_USERS, TooLarge};
use super::numbers::Numbers;
use crate::base::ids::ObjectId;
use crate::snapshot::lms::FieldKind;

/// The properties that rules may use (S4-055), of every directory user.
#[derive(Debug, Clone, Default)]
pub struct EntraSet {
    kinds: BTreeMap<String, FieldKind>,
    pub(super) objects: Numbers<ObjectId>,
    /// Parallel to `kinds`.
    pub(super) columns: Vec<Cells>,
}

impl EntraSet {
    /// Returns an empty set for the given properties and the kinds of their values.
    pub fn new(kinds: BTreeMap<String, FieldKind>) -> Self {
        Self {
            columns: vec![Cells::default(); kinds.len()],
            objects: Numbers::default(),
            kinds,
        }
    }

    /// Returns the requested properties and the kinds of their values.
    pub fn kinds(&self) -> &BTreeMap<String, FieldKind> {
        &self.kinds
    }

    /// Returns the number of users added.
    pub fn len(&self) -> usize {
        self.objects.ids().len()
    }

    /// Returns true if no user was added.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Adds one user's values, by property; properties that were not requested are ignored.
    ///
    /// # Errors
    /// Returns an error beyond [`MAX_USERS`] users, or two gigabytes of distinct texts in one
    /// property.
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
