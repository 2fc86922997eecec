//! Compares the identities of two snapshots: data with other ids comes from somewhere else.
//!
//! An API key of another Learn365 instance of the same organisation is accepted, and its data may
//! have the same size. Its users, courses and fields have other ids.

use std::collections::BTreeSet;

use super::SMALL_SET;
use crate::snapshot::Snapshot;
use crate::snapshot::format::{DecodeError, SnapshotReader};
use crate::snapshot::lms::{CourseRow, FieldRow};

/// The smallest share of the smaller of two sets that must be in both, in percent.
pub const MIN_COMMON_PERCENT: u64 = 80;
/// Sets of which both have at least this many rows must have at least one in common.
const NEVER_DISJOINT: u64 = 3;

/// The number of ids that two sets have in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Common {
    /// Rows in the data in use.
    pub before: u64,
    /// Rows now.
    pub after: u64,
    /// Rows with the same id in both.
    pub common: u64,
}

impl Common {
    fn of<T: Ord>(before: &BTreeSet<T>, after: &BTreeSet<T>) -> Self {
        Self {
            before: before.len() as u64,
            after: after.len() as u64,
            common: before.intersection(after).count() as u64,
        }
    }

    fn is_foreign(self) -> bool {
        let smaller = self.before.min(self.after);
        let share = smaller >= SMALL_SET && self.common * 100 < smaller * MIN_COMMON_PERCENT;
        share || (smaller >= NEVER_DISJOINT && self.common == 0)
    }
}

/// The ids that a snapshot has in common with the one in use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Overlap {
    /// Users, without groups.
    pub users: Common,
    /// Courses.
    pub courses: Common,
    /// Custom and predefined fields.
    pub fields: Common,
}

/// A set that has too little in common with the data in use.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "Only {} of {} {set} of the data in use are among the {} now. They seem to come from another Learn365 \
     instance, for example because of another API key. If that is intended, start a manual refresh that accepts the data",
    .common.common, .common.before, .common.after
)]
pub struct Foreign {
    /// The set.
    pub set: &'static str,
    /// The figures.
    pub common: Common,
}

impl Overlap {
    /// Compares a snapshot with the one in use.
    ///
    /// # Errors
    /// Returns an error if the one in use cannot be read.
    pub fn between(in_use: &SnapshotReader<'_>, snapshot: &Snapshot) -> Result<Self, DecodeError> {
        let (identity, platform) = (in_use.identity()?, in_use.platform()?);
        let people = &snapshot.people;
        let known = identity.living.iter().map(|row| identity.ids[row as usize]);
        let common = known.filter(|id| people.row(*id).is_some()).count() as u64;
        let courses = |courses: &[CourseRow]| courses.iter().map(|course| course.id).collect();
        let fields = |fields: &[FieldRow]| fields.iter().map(|field| field.id).collect();
        Ok(Self {
            users: Common {
                before: identity.living.len() as u64,
                after: u64::from(people.count()),
                common,
            },
            courses: Common::of(&courses(&platform.courses), &courses(&snapshot.courses)),
            fields: Common::of(&fields(&platform.fields), &fields(&snapshot.fields)),
        })
    }

    /// Returns the sets that have too little in common.
    pub fn foreign(&self) -> Vec<Foreign> {
        let Self {
            users,
            courses,
            fields,
        } = *self;
        let sets = [
            ("Users", users),
            ("Courses", courses),
            ("UserFields", fields),
        ];
        let foreign = sets.into_iter().filter(|(_, common)| common.is_foreign());
        foreign
            .map(|(set, common)| Foreign { set, common })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::snapshot::format::encode;
    use crate::testing::World;

    fn world(people: impl IntoIterator<Item = u32>, courses: &[&str]) -> Snapshot {
        let mut world = World::new();
        for person in people {
            world.person(&format!("person {person}"));
        }
        for course in courses {
            world.course(course);
        }
        world.snapshot()
    }

    fn foreign(before: &Snapshot, after: &Snapshot) -> Vec<&'static str> {
        let file = encode(before).expect("not encoded");
        let reader = SnapshotReader::open(&file).expect("not readable");
        let overlap = Overlap::between(&reader, after).expect("not compared");
        let found = overlap.foreign();
        found.into_iter().map(|foreign| foreign.set).collect()
    }

    /// Proves F-8: the same number of other users is not believed.
    #[test]
    fn other_people_in_the_same_number_are_noticed() {
        let before = world(0..100, &[]);
        assert_eq!(foreign(&before, &world(20..120, &[])), Vec::<&str>::new());
        assert_eq!(foreign(&before, &world(21..121, &[])), ["Users"]);
        assert_eq!(foreign(&before, &world(1_000..1_100, &[])), ["Users"]);
    }

    /// Growth and loss are not other data.
    #[test]
    fn growth_and_loss_are_not_other_data() {
        let before = world(0..100, &["A", "B", "C"]);
        assert!(foreign(&before, &world(0..1_000, &["A", "B", "C", "D", "E"])).is_empty());
        assert!(foreign(&before, &world(0..30, &["C"])).is_empty());
    }

    /// Small sets may change, but not be replaced as a whole.
    #[test]
    fn small_sets_must_have_something_in_common() {
        let before = world(0..100, &["A", "B", "C"]);
        assert_eq!(
            foreign(&before, &world(0..100, &["D", "E", "F"])),
            ["Courses"]
        );
        assert!(foreign(&before, &world(0..100, &["A", "E", "F"])).is_empty());
        assert!(foreign(&before, &world(0..100, &["D", "E"])).is_empty());
    }
}
