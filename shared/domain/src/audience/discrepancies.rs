//! Discrepancies: overrides and courses of a profile that the platform's data does not contain.
//!
//! What administrators entered is not deleted because one refresh lacked it: an API that returned
//! an incomplete list for a moment would otherwise cost courses, and somebody who was excluded would
//! become a member on return. Such a reference is recorded as missing and has no effect meanwhile.
//! It is removed once it has been missing for [`REMOVED_AFTER`] and [`REMOVED_AFTER_REFRESHES`], or
//! at once if the platform itself lists the course as deleted.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use super::profile::{Profile, Target};
use crate::base::ids::{CourseId, ProfileId, SnapshotId, UserId};
use crate::snapshot::Snapshot;

/// The time after which a missing reference may be removed, from the first snapshot without it.
pub const REMOVED_AFTER: TimeDelta = TimeDelta::days(7);
/// The number of snapshots without it after which a missing reference may be removed. With the
/// default schedule that is one day; it matters if refreshes failed for days.
pub const REMOVED_AFTER_REFRESHES: u32 = 8;

/// Maximum number of missing users of one profile whose time is recorded, about 130 bytes each.
pub const MAX_RECORDED_USERS: usize = 1_000;

/// When something was first missing, and in how many snapshots since.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct MissingSince {
    /// The time of the first snapshot without it.
    pub at: DateTime<Utc>,
    /// The number of snapshots without it.
    pub refreshes: u32,
    /// The last snapshot without it.
    pub last: SnapshotId,
}

impl MissingSince {
    /// Returns the record after a snapshot without the object.
    fn after(known: Option<&Self>, snapshot: &Snapshot) -> Self {
        let header = &snapshot.header;
        match known {
            Some(known) if known.last == header.id => known.clone(),
            Some(known) => Self {
                at: known.at,
                refreshes: known.refreshes.saturating_add(1),
                last: header.id.clone(),
            },
            None => Self {
                at: header.taken_at,
                refreshes: 1,
                last: header.id.clone(),
            },
        }
    }

    fn is_final(&self, snapshot: &Snapshot) -> bool {
        snapshot.header.taken_at - self.at >= REMOVED_AFTER
            && self.refreshes >= REMOVED_AFTER_REFRESHES
    }
}

/// The references of a profile that the last snapshot did not contain. They are part of the profile
/// and have no effect.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct MissingReferences {
    /// Included or excluded users.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub users: BTreeMap<UserId, MissingSince>,
    /// Selected courses.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub courses: BTreeMap<CourseId, MissingSince>,
}

impl MissingReferences {
    /// Returns true if nothing is missing.
    pub fn is_empty(&self) -> bool {
        self.users.is_empty() && self.courses.is_empty()
    }

    /// Returns the part that is recorded: at most [`MAX_RECORDED_USERS`] users, so that it fits into
    /// an item of the state table together with the courses of a profile. The others have no effect
    /// either; their time begins once there is room.
    #[must_use]
    pub fn recorded(&self) -> Self {
        let users = self.users.iter().take(MAX_RECORDED_USERS);
        Self {
            users: users.map(|(user, since)| (*user, since.clone())).collect(),
            courses: self.courses.clone(),
        }
    }
}

/// Overrides and courses removed from one profile, and those that are missing, for log and audit.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Discrepancies {
    /// Overrides that were removed: they referred to deleted profiles or to users who were missing
    /// for long (S4-117).
    pub overrides: BTreeSet<Target>,
    /// Selected courses that were removed: they were deleted or missing for long (S4-121); no
    /// e-mail is sent (S4-122).
    pub courses: BTreeSet<CourseId>,
    /// References that are missing and have no effect at the moment.
    #[serde(default, skip_serializing_if = "MissingReferences::is_empty")]
    pub missing: MissingReferences,
    /// True if enrolment is on but no course is left (S4-123).
    pub obsolete: bool,
}

impl Discrepancies {
    /// Returns true if nothing was removed and nothing is missing.
    pub fn is_empty(&self) -> bool {
        self.is_unchanged() && self.missing.is_empty()
    }

    /// Returns true if nothing was removed.
    pub fn is_unchanged(&self) -> bool {
        self.overrides.is_empty() && self.courses.is_empty()
    }

    /// Adds what a later invocation of the same run found.
    pub fn extend(&mut self, later: Self) {
        self.overrides.extend(later.overrides);
        self.courses.extend(later.courses);
        self.missing = later.missing;
        self.obsolete = later.obsolete;
    }
}

/// A profile compared with a snapshot.
#[derive(Debug, Clone, PartialEq)]
pub struct Resolution {
    /// The profile as it is to be stored: without removed references.
    pub stored: Profile,
    /// The profile as it is to be evaluated: without missing references, too.
    pub evaluated: Profile,
    /// What was removed, and what is missing.
    pub found: Discrepancies,
}

/// Compares a profile with a snapshot. `known` are its references that were missing before; `living`
/// are the profiles that are not deleted. Deleted profiles are not changed, so that restoring them
/// loses as little as possible.
pub fn resolve(
    profile: &Profile,
    snapshot: &Snapshot,
    living: &BTreeSet<ProfileId>,
    known: &MissingReferences,
) -> Resolution {
    if profile.is_deleted() {
        return Resolution {
            stored: profile.clone(),
            evaluated: profile.clone(),
            found: Discrepancies::default(),
        };
    }
    let mut found = find(profile, snapshot, living, known);
    let (removed, missing) = (&found, &found.missing);
    let stored = without(
        profile,
        |target| removed.overrides.contains(target),
        |course| removed.courses.contains(course),
    );
    let evaluated = without(
        &stored,
        |target| matches!(target, Target::User(user) if missing.users.contains_key(user)),
        |course| missing.courses.contains_key(course),
    );
    found.obsolete = stored.enroll && stored.courses.is_empty();
    Resolution {
        stored,
        evaluated,
        found,
    }
}

/// Returns the references of a profile that are to be removed, and those that are missing.
fn find(
    profile: &Profile,
    snapshot: &Snapshot,
    living: &BTreeSet<ProfileId>,
    known: &MissingReferences,
) -> Discrepancies {
    let mut found = Discrepancies::default();
    let overrides = &profile.overrides;
    for target in overrides.include.union(&overrides.exclude) {
        match target {
            Target::User(user) if snapshot.people.row(*user).is_none() => {
                let since = MissingSince::after(known.users.get(user), snapshot);
                if since.is_final(snapshot) {
                    found.overrides.insert(*target);
                } else {
                    found.missing.users.insert(*user, since);
                }
            }
            Target::Profile(id) if !living.contains(id) => {
                found.overrides.insert(*target);
            }
            Target::User(_) | Target::Profile(_) => {}
        }
    }
    let courses = profile.courses.iter();
    for course in courses.filter(|course| snapshot.course(**course).is_none()) {
        let since = MissingSince::after(known.courses.get(course), snapshot);
        if since.is_final(snapshot) || snapshot.deleted_courses.binary_search(course).is_ok() {
            found.courses.insert(*course);
        } else {
            found.missing.courses.insert(*course, since);
        }
    }
    found
}

/// Returns a profile without some of its references.
fn without(
    profile: &Profile,
    target: impl Fn(&Target) -> bool,
    course: impl Fn(&CourseId) -> bool,
) -> Profile {
    let mut rest = profile.clone();
    rest.overrides.include.retain(|one| !target(one));
    rest.overrides.exclude.retain(|one| !target(one));
    rest.courses.retain(|one| !course(one));
    rest
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{World, profile, profile_id, slot};

    fn world() -> World {
        let mut world = World::new();
        world.person("Ada");
        world.course("Security 101");
        world
    }

    fn tangled() -> Profile {
        let mut profile = profile("P");
        profile.overrides.include = [
            Target::User(World::user("Ada")),
            Target::User(World::user("Gone")),
        ]
        .into();
        profile.overrides.exclude = [
            Target::Profile(profile_id("Removed")),
            Target::Profile(profile_id("Kept")),
        ]
        .into();
        profile.courses = [World::course_id("Security 101"), World::course_id("Absent")].into();
        profile
    }

    /// Returns the snapshot of a world, taken this long after the first.
    fn snapshot(world: &World, after: TimeDelta) -> Snapshot {
        let mut snapshot = world.snapshot();
        snapshot.header.taken_at = slot() + after;
        snapshot.header.id = SnapshotId::new(slot() + after, uuid::Uuid::nil());
        snapshot
    }

    fn check(profile: &Profile, snapshot: &Snapshot, known: &MissingReferences) -> Resolution {
        resolve(profile, snapshot, &[profile_id("Kept")].into(), known)
    }

    /// Proves S4-117: a deleted profile is removed from overrides. F-2: what one snapshot lacks
    /// remains stored and has no effect.
    #[test]
    fn what_is_missing_stays_stored_without_effect() {
        let now = snapshot(&world(), TimeDelta::zero());
        let resolved = check(&tangled(), &now, &MissingReferences::default());
        let kept = Target::Profile(profile_id("Kept"));
        for profile in [&resolved.stored, &resolved.evaluated] {
            assert_eq!(profile.overrides.exclude, [kept].into());
        }
        assert_eq!(
            resolved.stored.overrides.include,
            tangled().overrides.include
        );
        assert_eq!(resolved.stored.courses, tangled().courses);
        let ada = Target::User(World::user("Ada"));
        assert_eq!(resolved.evaluated.overrides.include, [ada].into());
        let course = World::course_id("Security 101");
        assert_eq!(resolved.evaluated.courses, [course].into());
        let found = resolved.found;
        assert_eq!(
            found.overrides,
            [Target::Profile(profile_id("Removed"))].into()
        );
        assert!(found.courses.is_empty() && !found.obsolete);
        let gone = &found.missing.users[&World::user("Gone")];
        assert_eq!((gone.at, gone.refreshes), (slot(), 1));
        assert!(
            found
                .missing
                .courses
                .contains_key(&World::course_id("Absent"))
        );
    }

    /// F-2: only many refreshes over several days remove a reference, and each snapshot counts once.
    #[test]
    fn a_reference_is_removed_after_days_and_refreshes() {
        let (profile, mut missing) = (tangled(), MissingReferences::default());
        for refresh in 0..8 {
            let hours = TimeDelta::hours(3 * refresh);
            for _ in 0..2 {
                let resolved = check(&profile, &snapshot(&world(), hours), &missing);
                assert_eq!(resolved.stored.courses, profile.courses, "{refresh}");
                missing = resolved.found.missing;
            }
        }
        assert_eq!(missing.users[&World::user("Gone")].refreshes, 8);
        let week = snapshot(&world(), TimeDelta::days(7));
        let resolved = check(&profile, &week, &missing);
        assert_eq!(resolved.found.courses, [World::course_id("Absent")].into());
        assert!(
            resolved
                .found
                .overrides
                .contains(&Target::User(World::user("Gone")))
        );
        assert!(resolved.found.missing.is_empty());
        assert_eq!(resolved.stored, resolved.evaluated);
        // Days alone are not enough, for example after a week without refreshes.
        let first = check(
            &profile,
            &snapshot(&world(), TimeDelta::zero()),
            &MissingReferences::default(),
        );
        let resolved = check(&profile, &week, &first.found.missing);
        assert_eq!(resolved.stored.courses, profile.courses);
    }

    /// A profile may have thousands of overrides, all of them missing; the record stays small, and
    /// none of them has an effect.
    #[test]
    fn the_record_of_missing_users_is_bounded() {
        let mut profile = profile("P");
        let users = (0..5_000).map(|n| Target::User(World::user(&format!("gone {n}"))));
        profile.overrides.exclude = users.collect();
        let now = snapshot(&world(), TimeDelta::zero());
        let resolved = check(&profile, &now, &MissingReferences::default());
        assert!(resolved.evaluated.overrides.exclude.is_empty());
        assert_eq!(resolved.stored, profile);
        assert_eq!(resolved.found.missing.users.len(), 5_000);
        let recorded = resolved.found.missing.recorded();
        assert_eq!(recorded.users.len(), MAX_RECORDED_USERS);
        let later = snapshot(&world(), TimeDelta::hours(3));
        let resolved = check(&profile, &later, &recorded);
        assert!(resolved.evaluated.overrides.exclude.is_empty());
    }

    /// F-2: an object that reappears counts again from the start if it is missing later.
    #[test]
    fn what_reappears_is_no_longer_missing() {
        let first = snapshot(&world(), TimeDelta::zero());
        let missing = check(&tangled(), &first, &MissingReferences::default());
        let mut complete = world();
        complete.person("Gone");
        complete.course("Absent");
        let complete = snapshot(&complete, TimeDelta::hours(3));
        let resolved = check(&tangled(), &complete, &missing.found.missing);
        assert!(resolved.found.missing.is_empty());
        assert_eq!(
            resolved.evaluated.overrides.include,
            tangled().overrides.include
        );
    }

    /// Proves S4-121 and S4-123: a course that the platform lists as deleted is removed at once, and
    /// a profile without courses is flagged.
    #[test]
    fn a_course_that_is_listed_as_deleted_is_removed_at_once() {
        let mut profile = profile("P");
        profile.courses = [World::course_id("Absent")].into();
        let mut snapshot = snapshot(&world(), TimeDelta::zero());
        snapshot.deleted_courses = vec![World::course_id("Absent")];
        let resolved = check(&profile, &snapshot, &MissingReferences::default());
        assert!(resolved.stored.courses.is_empty() && resolved.stored.enroll);
        assert!(resolved.found.obsolete && resolved.found.missing.is_empty());
    }

    /// Proves S4-138: a deleted profile is not changed.
    #[test]
    fn a_deleted_profile_is_left_alone() {
        let deleted = crate::audience::lifecycle::delete(tangled(), slot(), "ada@contoso.example");
        let now = snapshot(&world(), TimeDelta::zero());
        let resolved = check(&deleted, &now, &MissingReferences::default());
        assert_eq!(
            (&resolved.stored, &resolved.evaluated),
            (&deleted, &deleted)
        );
        assert!(resolved.found.is_empty());
    }
}
