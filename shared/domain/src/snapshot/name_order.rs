//! Learners as entries of lists, and the order of these lists by name.

use serde::{Deserialize, Serialize};

use super::{Property, Snapshot, Source, TextColumn};
use crate::base::ids::UserId;

/// A page of a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct NamePage<T> {
    /// The number of entries of the whole list.
    pub total: usize,
    /// The entries of this page.
    pub entries: Vec<T>,
}

/// One learner as an entry of a list. Values are as the platform wrote them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Person {
    /// The platform's user id.
    pub id: UserId,
    /// Name.
    pub name: Option<String>,
    /// Mail address.
    pub email: Option<String>,
    /// Job title.
    pub job_title: Option<String>,
    /// Department.
    pub department: Option<String>,
    /// City.
    pub city: Option<String>,
}

impl Person {
    /// Returns the learner in a row; a learner who left has only an id. `None` for a row outside
    /// the snapshot.
    pub fn of(snapshot: &Snapshot, row: u32) -> Option<Self> {
        let text = |property| {
            let text = snapshot.people.property(property, row);
            text.map(str::to_owned)
        };
        Some(Self {
            id: *snapshot.people.ids.get(row as usize)?,
            name: text(Property::Title),
            email: text(Property::Email),
            job_title: text(Property::JobTitle),
            department: text(Property::Department),
            city: text(Property::City),
        })
    }
}

/// The order of a snapshot's learners by name, computed once for all lists.
#[derive(Debug, Clone)]
pub struct NameOrder {
    /// The rank of each name among the distinct ones, by its code.
    places: Vec<u32>,
}

impl NameOrder {
    /// Computes the order: case-insensitive, learners without a name first, equal names by row.
    pub fn of(snapshot: &Snapshot) -> Self {
        let Some(names) = names(snapshot) else {
            return Self { places: Vec::new() };
        };
        let mut folded: Vec<(&str, usize)> = names.folded().iter().zip(1usize..).collect();
        folded.sort_unstable();
        let mut places = vec![0; folded.len() + 1];
        for ((_, code), place) in folded.iter().zip(1u32..) {
            places[*code] = place;
        }
        Self { places }
    }

    /// Returns the rows in this order; the snapshot must be the one the order was computed from.
    pub fn sorted(&self, snapshot: &Snapshot, rows: impl IntoIterator<Item = u32>) -> Vec<u32> {
        self.page(snapshot, rows.into_iter().collect(), 0, usize::MAX)
    }

    /// Returns a page of the rows in this order: at most `limit` rows, starting at index `offset`.
    pub fn page(
        &self,
        snapshot: &Snapshot,
        mut rows: Vec<u32>,
        offset: usize,
        limit: usize,
    ) -> Vec<u32> {
        let end = offset.saturating_add(limit).min(rows.len());
        if offset >= end {
            return Vec::new();
        }
        let codes = names(snapshot).map(TextColumn::codes);
        let place = |row: &u32| {
            let code = codes.map_or(0, |codes| codes.get(*row));
            (self.places.get(code as usize).copied(), *row)
        };
        // Rows after the page need not be sorted.
        if end < rows.len() {
            rows.select_nth_unstable_by_key(end, place);
            rows.truncate(end);
        }
        rows.sort_unstable_by_key(place);
        rows.split_off(offset)
    }
}

fn names(snapshot: &Snapshot) -> Option<&TextColumn> {
    snapshot
        .people
        .texts
        .get(&Source::Property(Property::Title))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::World;
    use proptest::prelude::*;

    fn world() -> World {
        let mut world = World::new();
        for name in ["Zoë", "ada", "Émile", "Bob", "ADA Lovelace", " "] {
            world.person(name);
        }
        world
    }

    #[test]
    fn people_are_sorted_by_name_without_regard_to_case() {
        let snapshot = world().snapshot();
        let rows = NameOrder::of(&snapshot).sorted(&snapshot, 0..6);
        let people = rows.into_iter().map(|row| Person::of(&snapshot, row));
        let names: Vec<_> = people.map(|person| person.and_then(|it| it.name)).collect();
        let names: Vec<_> = names.iter().map(Option::as_deref).collect();
        let expected = [
            None,
            Some("ada"),
            Some("ADA Lovelace"),
            Some("Bob"),
            Some("Zoë"),
            Some("Émile"),
        ];
        assert_eq!(names, expected);
        assert_eq!(Person::of(&snapshot, 6), None);
    }

    proptest! {
        #[test]
        fn pages_are_parts_of_the_whole(offset in 0usize..8, limit in 0usize..8) {
            let snapshot = world().snapshot();
            let order = NameOrder::of(&snapshot);
            let expected = order.sorted(&snapshot, 0..6).into_iter().skip(offset).take(limit);
            prop_assert_eq!(order.page(&snapshot, (0..6).collect(), offset, limit), expected.collect::<Vec<_>>());
        }
    }
}
