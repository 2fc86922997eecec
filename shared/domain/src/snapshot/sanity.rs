//! Rejects data that shrank too much to be plausible.
//!
//! A directory that returns only half of its users is more likely broken than halved, and accepting
//! it would remove the other half from their courses.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Snapshot, Source};

/// The largest share that a set may lose between two refreshes, in percent.
pub const MAX_LOSS_PERCENT: u64 = 50;
/// Sets with fewer rows may shrink freely, because a pilot tenant often changes by half.
pub const SMALL_SET: u64 = 20;

/// The number of rows of each set; stored with the pointer for comparison by the next refresh.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Counts {
    /// Learners, without groups.
    pub people: u64,
    /// Learners with an Entra object, who can be members of groups.
    pub reachable: u64,
    /// Courses that exist.
    pub courses: u64,
    /// Catalogs.
    pub catalogs: u64,
    /// User fields.
    pub fields: u64,
    /// Enrolments of learners.
    pub enrolments: u64,
}

impl Counts {
    /// Counts the rows of a snapshot.
    pub fn of(snapshot: &Snapshot) -> Self {
        let people = &snapshot.people;
        Self {
            people: u64::from(people.count()),
            reachable: people
                .living
                .iter()
                .filter(|row| people.is_reachable(*row))
                .count() as u64,
            courses: snapshot.courses.len() as u64,
            catalogs: snapshot.catalogs.len() as u64,
            fields: snapshot.fields.len() as u64,
            enrolments: snapshot.enrolments.len(),
        }
    }

    fn named(self) -> [(&'static str, u64); 6] {
        let Self {
            people,
            reachable,
            courses,
            catalogs,
            fields,
            enrolments,
        } = self;
        [
            ("Users", people),
            ("Users with an Entra account", reachable),
            ("Courses", courses),
            ("Catalogs", catalogs),
            ("UserFields", fields),
            ("Enrollments", enrolments),
        ]
    }
}

/// A set that shrank by more than [`MAX_LOSS_PERCENT`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{set} went from {before} to {after} rows. A loss of more than {MAX_LOSS_PERCENT} % in one refresh is rejected. \
     If the data is correct, start a manual refresh that accepts the smaller data"
)]
pub struct Shrunk {
    /// The set.
    pub set: &'static str,
    /// Rows in the last good snapshot.
    pub before: u64,
    /// Rows now.
    pub after: u64,
}

/// Compares with the last good snapshot and returns every set that shrank too much.
pub fn shrunk(before: Counts, after: Counts) -> Vec<Shrunk> {
    before
        .named()
        .into_iter()
        .zip(after.named())
        .filter(|((_, before), (_, after))| {
            *before >= SMALL_SET && after * 100 < before * (100 - MAX_LOSS_PERCENT)
        })
        .map(|((set, before), (_, after))| Shrunk { set, before, after })
        .collect()
}

/// A source that lost too many values although the learners still exist: it is more likely that a
/// permission or an expansion was lost than that the values are gone.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "Users with a value of {source_name} went from {before} to {after}. A loss of more than {MAX_LOSS_PERCENT} % in one refresh is rejected. \
     If the data is correct, start a manual refresh that accepts the smaller data"
)]
pub struct Emptied {
    /// The source, as rules name it.
    pub source_name: String,
    /// Learners with a value in the last good snapshot.
    pub before: u64,
    /// Learners with a value now.
    pub after: u64,
}

/// Returns the number of learners with a value, by the source's name in rules.
pub fn filled(snapshot: &Snapshot) -> BTreeMap<String, u64> {
    let columns = snapshot.people.texts.iter();
    columns
        .map(|(source, column)| {
            (
                name_of(source),
                column.counts().into_iter().skip(1).map(u64::from).sum(),
            )
        })
        .collect()
}

fn name_of(source: &Source) -> String {
    match source {
        Source::Property(property) => property.name().to_owned(),
        Source::Custom(id) => format!("custom:{id}"),
        Source::Entra(name) => format!("entra:{name}"),
    }
}

/// Returns sources that lost too many values. A source that is absent altogether was deleted, which
/// is handled elsewhere (S4-119).
pub fn emptied(before: &BTreeMap<String, u64>, after: &BTreeMap<String, u64>) -> Vec<Emptied> {
    before
        .iter()
        .filter_map(|(name, before)| Some((name, *before, *after.get(name)?)))
        .filter(|(_, before, after)| {
            *before >= SMALL_SET && after * 100 < before * (100 - MAX_LOSS_PERCENT)
        })
        .map(|(name, before, after)| Emptied {
            source_name: name.clone(),
            before,
            after,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn people(people: u64) -> Counts {
        Counts {
            people,
            ..Counts::default()
        }
    }

    #[test]
    fn half_may_go_but_not_more() {
        assert!(shrunk(people(100), people(50)).is_empty());
        assert_eq!(
            shrunk(people(100), people(49))[0].to_string(),
            "Users went from 100 to 49 rows. A loss of more than 50 % in one refresh is rejected. If the data is correct, start a manual refresh that accepts the smaller data"
        );
        assert!(!shrunk(people(100), people(0)).is_empty());
    }

    #[test]
    fn values_that_vanish_are_not_believed_but_a_deleted_field_is() {
        let counts = |city: u64, team: Option<u64>| {
            let city = [("city".to_owned(), city)].into_iter();
            city.chain(team.map(|team| ("custom:team".to_owned(), team)))
                .collect::<BTreeMap<_, _>>()
        };
        assert!(emptied(&counts(40, Some(40)), &counts(20, None)).is_empty());
        let found = emptied(&counts(40, Some(40)), &counts(40, Some(0)));
        assert_eq!(found.len(), 1);
        assert!(
            found[0]
                .to_string()
                .starts_with("Users with a value of custom:team went from 40 to 0.")
        );
    }

    #[test]
    fn small_sets_and_growth_are_free() {
        assert!(shrunk(people(19), people(0)).is_empty());
        assert!(shrunk(people(0), people(1_000)).is_empty());
    }
}
