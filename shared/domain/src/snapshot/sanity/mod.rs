//! Rejects data that shrank too much to be plausible, or that is other data.
//!
//! A directory that returns only half of its users is more likely broken than halved, and accepting
//! it would remove the other half from their courses. An administrator can accept such data for one
//! refresh.

mod overlap;

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use super::{Snapshot, Source};

pub use overlap::{Common, Foreign, MIN_COMMON_PERCENT, Overlap};

/// The largest share that a set may lose, compared with any snapshot of [`WINDOW`], in percent.
pub const MAX_LOSS_PERCENT: u64 = 50;
/// The time over which losses add up: three refreshes that each lose a third are one loss.
pub const WINDOW: TimeDelta = TimeDelta::hours(24);
/// Sets with fewer rows may shrink freely, because a pilot tenant often changes by half. No set may
/// become empty.
pub const SMALL_SET: u64 = 20;
/// A source with fewer values may lose all of them, because that is often an edit.
pub const FEW_VALUES: u64 = 5;

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
    /// Role assignments of users and groups.
    #[serde(default)]
    pub roles: u64,
}

/// The counts of an earlier snapshot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecentCounts {
    /// The time of its data.
    pub at: DateTime<Utc>,
    /// Its counts.
    pub counts: Counts,
}

/// Returns the counts that the snapshot after the next one is compared with, too: those of the
/// snapshots of the last [`WINDOW`] before `now`, among them the `last` one.
pub fn recent(
    earlier: &[RecentCounts],
    last: RecentCounts,
    now: DateTime<Utc>,
) -> Vec<RecentCounts> {
    let all = earlier.iter().copied().chain([last]);
    all.filter(|recent| now - recent.at <= WINDOW).collect()
}

impl Counts {
    /// Returns the largest count of each set among these counts and those of recent snapshots.
    #[must_use]
    pub fn peak(self, recent: &[RecentCounts]) -> Self {
        recent.iter().fold(self, |peak, recent| {
            let counts = recent.counts;
            Self {
                people: peak.people.max(counts.people),
                reachable: peak.reachable.max(counts.reachable),
                courses: peak.courses.max(counts.courses),
                catalogs: peak.catalogs.max(counts.catalogs),
                fields: peak.fields.max(counts.fields),
                enrolments: peak.enrolments.max(counts.enrolments),
                roles: peak.roles.max(counts.roles),
            }
        })
    }

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
            roles: snapshot.roles,
        }
    }

    fn named(self) -> [(&'static str, u64); 7] {
        let Self {
            people,
            reachable,
            courses,
            catalogs,
            fields,
            enrolments,
            roles,
        } = self;
        [
            ("Users", people),
            ("Users with an Entra account", reachable),
            ("Courses", courses),
            ("Catalogs", catalogs),
            ("UserFields", fields),
            ("Enrollments", enrolments),
            ("RoleAssignments", roles),
        ]
    }
}

/// A set that shrank by more than [`MAX_LOSS_PERCENT`], or became empty.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{set} went from {before} to {after} rows. A loss of more than {MAX_LOSS_PERCENT} % within {} hours, or of all rows, is rejected. \
     If the data is correct, start a manual refresh that accepts the smaller data",
    WINDOW.num_hours()
)]
pub struct Shrunk {
    /// The set.
    pub set: &'static str,
    /// The largest number of rows in the last good snapshots.
    pub before: u64,
    /// Rows now.
    pub after: u64,
}

/// Compares with the [`Counts::peak`] of the last good snapshots and returns every set that shrank
/// too much.
pub fn shrunk(before: Counts, after: Counts) -> Vec<Shrunk> {
    before
        .named()
        .into_iter()
        .zip(after.named())
        .filter(|((_, before), (_, after))| {
            has_lost(*before, *after) || (*before > 0 && *after == 0)
        })
        .map(|((set, before), (_, after))| Shrunk { set, before, after })
        .collect()
}

fn has_lost(before: u64, after: u64) -> bool {
    before >= SMALL_SET && after * 100 < before * (100 - MAX_LOSS_PERCENT)
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
            has_lost(*before, *after) || (*before >= FEW_VALUES && *after == 0)
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
            "Users went from 100 to 49 rows. A loss of more than 50 % within 24 hours, or of all rows, is rejected. If the data is correct, start a manual refresh that accepts the smaller data"
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
        assert!(shrunk(people(19), people(1)).is_empty());
        assert!(shrunk(people(0), people(1_000)).is_empty());
    }

    /// F-2: a set that becomes empty is never believed, whatever its size.
    #[test]
    fn no_set_may_become_empty() {
        let one = Counts {
            people: 1,
            reachable: 1,
            courses: 1,
            catalogs: 1,
            fields: 1,
            enrolments: 1,
            roles: 1,
        };
        assert_eq!(shrunk(one, Counts::default()).len(), 7);
        let few = BTreeMap::from([("city".to_owned(), FEW_VALUES)]);
        let none = BTreeMap::from([("city".to_owned(), 0)]);
        assert_eq!(emptied(&few, &none).len(), 1);
    }

    /// F-2: losses add up over a day.
    #[test]
    fn losses_add_up_over_a_day() {
        let at = |hours: i64| crate::testing::slot() + TimeDelta::hours(hours);
        let (mut earlier, mut last) = (Vec::new(), people(100));
        for (refresh, (now, accepted)) in [(70, true), (51, true), (40, false)]
            .into_iter()
            .enumerate()
        {
            let taken = at(3 * i64::try_from(refresh).expect("few"));
            let found = shrunk(last.peak(&earlier), people(now));
            assert_eq!(found.is_empty(), accepted, "{now}");
            let before = RecentCounts {
                at: taken,
                counts: last,
            };
            earlier = recent(&earlier, before, taken + TimeDelta::hours(3));
            last = people(now);
        }
        let later = recent(
            &earlier,
            RecentCounts {
                at: at(30),
                counts: people(51),
            },
            at(31),
        );
        assert!(
            shrunk(people(51).peak(&later), people(40)).is_empty(),
            "older than a day"
        );
    }
}
