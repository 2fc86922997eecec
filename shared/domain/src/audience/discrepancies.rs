//! Discrepancies: overrides and courses of a profile that no longer exist.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::profile::{Overrides, Profile, Target};
use crate::base::ids::{CourseId, ProfileId};
use crate::snapshot::Snapshot;

/// Overrides and courses removed from one profile, for log and audit.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Discrepancies {
    /// Overrides that referred to removed users or profiles (S4-117).
    pub overrides: BTreeSet<Target>,
    /// Selected courses that were deleted (S4-121); no e-mail is sent (S4-122).
    pub courses: BTreeSet<CourseId>,
    /// True if enrolment is on but no course is left (S4-123).
    pub obsolete: bool,
}

impl Discrepancies {
    /// Returns true if nothing was removed.
    pub fn is_empty(&self) -> bool {
        self.overrides.is_empty() && self.courses.is_empty()
    }

    /// Adds what a later invocation of the same run removed.
    pub fn extend(&mut self, later: Self) {
        self.overrides.extend(later.overrides);
        self.courses.extend(later.courses);
        self.obsolete = later.obsolete;
    }
}

/// Removes obsolete overrides and deleted courses from a profile. Deleted profiles are not changed,
/// so that restoring them loses as little as possible.
pub fn resolve(
    profile: &Profile,
    snapshot: &Snapshot,
    living: &BTreeSet<ProfileId>,
) -> (Profile, Discrepancies) {
    let mut resolved = profile.clone();
    let mut found = Discrepancies::default();
    if profile.is_deleted() {
        return (resolved, found);
    }
    let exists = |target: &Target| match target {
        Target::User(user) => snapshot.people.row(*user).is_some(),
        Target::Profile(id) => living.contains(id),
    };
    let Overrides { include, exclude } = &mut resolved.overrides;
    for targets in [include, exclude] {
        found
            .overrides
            .extend(targets.iter().filter(|target| !exists(target)));
        targets.retain(exists);
    }
    found.courses = profile
        .courses
        .iter()
        .copied()
        .filter(|course| snapshot.course(*course).is_none())
        .collect();
    resolved
        .courses
        .retain(|course| snapshot.course(*course).is_some());
    found.obsolete = resolved.enroll && resolved.courses.is_empty();
    (resolved, found)
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
        profile.courses = [
            World::course_id("Security 101"),
            World::course_id("Deleted"),
        ]
        .into();
        profile
    }

    /// Proves S4-117 and S4-121: what no longer exists is removed; the rest is unchanged.
    #[test]
    fn only_what_is_gone_is_taken_out() {
        let (resolved, found) = resolve(
            &tangled(),
            &world().snapshot(),
            &[profile_id("Kept")].into(),
        );
        assert_eq!(
            resolved.overrides.include,
            [Target::User(World::user("Ada"))].into()
        );
        assert_eq!(
            resolved.overrides.exclude,
            [Target::Profile(profile_id("Kept"))].into()
        );
        assert_eq!(
            found.overrides,
            [
                Target::User(World::user("Gone")),
                Target::Profile(profile_id("Removed"))
            ]
            .into()
        );
        assert_eq!(found.courses, [World::course_id("Deleted")].into());
        assert!(!found.obsolete);
    }

    /// Proves S4-123: a profile without courses is flagged and otherwise unchanged.
    #[test]
    fn a_profile_without_courses_is_obsolete() {
        let mut profile = profile("P");
        profile.courses = [World::course_id("Deleted")].into();
        let (resolved, found) = resolve(&profile, &world().snapshot(), &BTreeSet::new());
        assert!(found.obsolete && resolved.courses.is_empty() && resolved.enroll);
    }

    /// Proves S4-138: a deleted profile is not changed.
    #[test]
    fn a_deleted_profile_is_left_alone() {
        let deleted = crate::audience::lifecycle::delete(tangled(), slot(), "ada@contoso.example");
        let (resolved, found) = resolve(&deleted, &world().snapshot(), &BTreeSet::new());
        assert_eq!(resolved, deleted);
        assert!(found.is_empty());
    }
}
