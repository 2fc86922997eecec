//! The enrolment steps on the LMS: enrol, unenrol, leave catalogs.
//!
//! The roles of a group are read from the LMS just before planning. The plan changes only
//! enrolments that this service made, except where the guide requires leaving a whole catalog; then
//! it lists the other enrolments that end (C-08).

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::audience::profile::{Profile, Retraction};
use crate::base::ids::{CatalogId, CourseId};
use crate::snapshot::Snapshot;
use crate::snapshot::lms::{RoleRow, RoleScope};

/// The role of a group that is enrolled in a course.
const LEARNER: &str = "learner";

/// One step on the LMS.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", tag = "kind")]
pub enum EnrolmentStep {
    /// Add the group to the catalog's users, before any enrolment there (C-38).
    #[serde(rename_all = "camelCase")]
    JoinCatalog {
        /// The catalog.
        catalog: CatalogId,
    },
    /// Enrol the group (S4-132).
    #[serde(rename_all = "camelCase")]
    Enrol {
        /// The course.
        course: CourseId,
    },
    /// Unenrol the group (S4-133).
    #[serde(rename_all = "camelCase")]
    Unenrol {
        /// The course.
        course: CourseId,
    },
    /// Delete the group from the catalog, which ends every enrolment there (S4-136, S4-140).
    #[serde(rename_all = "camelCase")]
    LeaveCatalog {
        /// The catalog.
        catalog: CatalogId,
        /// Courses of the catalog in which the group is enrolled, but not by this service (C-08).
        unmanaged: BTreeSet<CourseId>,
    },
}

/// The roles of a group on the LMS.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct GroupRoles {
    /// Courses in which it is enrolled.
    pub courses: BTreeSet<CourseId>,
    /// Catalogs of which it is a user.
    pub catalogs: BTreeSet<CatalogId>,
}

impl GroupRoles {
    /// Sorts the roles of one group by scope. On a course only the learner role is an enrolment; on
    /// a catalog any role makes the group a user of it.
    pub fn of<'a>(roles: impl IntoIterator<Item = &'a RoleRow>) -> Self {
        let mut found = Self::default();
        for role in roles {
            match role.scope {
                RoleScope::Course(course) if role.role.eq_ignore_ascii_case(LEARNER) => {
                    found.courses.insert(course);
                }
                RoleScope::Catalog(catalog) => {
                    found.catalogs.insert(catalog);
                }
                RoleScope::Course(_) | RoleScope::Other => {}
            }
        }
        found
    }
}

/// The catalog of every existing course.
pub type Catalogs = BTreeMap<CourseId, CatalogId>;

/// Returns the catalog of every course in a snapshot.
pub fn catalogs(snapshot: &Snapshot) -> Catalogs {
    snapshot
        .courses
        .iter()
        .map(|course| (course.id, course.catalog))
        .collect()
}

/// Returns the steps that enrol the group in selected courses where it is not enrolled (S4-132).
/// Empty for profiles that are deleted or not enrolled.
pub fn assign(profile: &Profile, catalogs: &Catalogs, roles: &GroupRoles) -> Vec<EnrolmentStep> {
    if !profile.enroll || profile.is_deleted() {
        return Vec::new();
    }
    let (mut join, mut enrol) = (BTreeSet::new(), Vec::new());
    for course in &profile.courses {
        // A course that does not exist has no catalog.
        let Some(catalog) = catalogs.get(course) else {
            continue;
        };
        if roles.courses.contains(course) {
            continue;
        }
        if !roles.catalogs.contains(catalog) {
            join.insert(*catalog);
        }
        enrol.push(EnrolmentStep::Enrol { course: *course });
    }
    let joins = join
        .into_iter()
        .map(|catalog| EnrolmentStep::JoinCatalog { catalog });
    joins.chain(enrol).collect()
}

/// Returns the steps that unenrol the group from courses that are no longer selected (S4-133,
/// C-07). Only enrolments made by this service are ended.
pub fn unassign(
    profile: &Profile,
    managed: &BTreeSet<CourseId>,
    roles: &GroupRoles,
) -> Vec<EnrolmentStep> {
    if profile.is_deleted() {
        return Vec::new();
    }
    managed
        .iter()
        .filter(|course| !profile.courses.contains(course) && roles.courses.contains(course))
        .map(|course| EnrolmentStep::Unenrol { course: *course })
        .collect()
}

/// Returns the steps that remove the group from the LMS, for a deleted (S4-136) or retracted
/// (S4-140) profile. Group, members and selection are retained (S4-138).
///
/// Courses and catalogs recorded by this service count as enrolled even if the LMS does not list
/// them at the moment: an unnecessary step is harmless, but a missing one leaves learners enrolled.
pub fn leave(
    mode: Retraction,
    managed: &BTreeSet<CourseId>,
    joined: &BTreeSet<CatalogId>,
    catalogs: &Catalogs,
    roles: &GroupRoles,
) -> Vec<EnrolmentStep> {
    match mode {
        Retraction::CoursesOnly => managed
            .iter()
            .map(|course| EnrolmentStep::Unenrol { course: *course })
            .collect(),
        Retraction::LeaveCatalogs => {
            let enrolled = roles
                .courses
                .union(managed)
                .filter_map(|course| catalogs.get(course));
            let all: BTreeSet<_> = roles
                .catalogs
                .iter()
                .chain(joined)
                .chain(enrolled)
                .copied()
                .collect();
            all.into_iter()
                .map(|catalog| EnrolmentStep::LeaveCatalog {
                    catalog,
                    unmanaged: roles
                        .courses
                        .iter()
                        .filter(|course| {
                            catalogs.get(course) == Some(&catalog) && !managed.contains(course)
                        })
                        .copied()
                        .collect(),
                })
                .collect()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{World, profile};
    use uuid::Uuid;

    fn course(title: &str) -> CourseId {
        World::course_id(title)
    }

    fn catalog(number: u128) -> CatalogId {
        CatalogId::new(Uuid::from_u128(number))
    }

    fn two_catalogs() -> Catalogs {
        Catalogs::from([
            (course("A"), catalog(1)),
            (course("B"), catalog(1)),
            (course("C"), catalog(2)),
        ])
    }

    fn roles(courses: &[&str], catalogs: &[u128]) -> GroupRoles {
        GroupRoles {
            courses: courses.iter().map(|title| course(title)).collect(),
            catalogs: catalogs.iter().map(|number| catalog(*number)).collect(),
        }
    }

    fn selecting(courses: &[&str]) -> Profile {
        let mut profile = profile("P");
        profile.courses = courses.iter().map(|title| course(title)).collect();
        profile
    }

    fn managed(courses: &[&str]) -> BTreeSet<CourseId> {
        courses.iter().map(|title| course(title)).collect()
    }

    /// Proves S4-132 and C-38: catalog first, then courses, each only if needed.
    #[test]
    fn the_group_joins_the_catalog_before_its_courses() {
        let steps = assign(
            &selecting(&["A", "B", "C"]),
            &two_catalogs(),
            &roles(&["B"], &[1]),
        );
        assert_eq!(
            steps[0],
            EnrolmentStep::JoinCatalog {
                catalog: catalog(2)
            }
        );
        let enrolled: BTreeSet<_> = steps[1..].iter().cloned().collect();
        assert_eq!(
            enrolled,
            [
                EnrolmentStep::Enrol {
                    course: course("A")
                },
                EnrolmentStep::Enrol {
                    course: course("C")
                }
            ]
            .into()
        );
        assert!(assign(&selecting(&["B"]), &two_catalogs(), &roles(&["B"], &[1])).is_empty());
    }

    /// Proves S4-133 and C-07: only courses that this service enrolled and that are deselected are
    /// unenrolled.
    #[test]
    fn only_what_we_enrolled_is_unenrolled() {
        let steps = unassign(
            &selecting(&["A"]),
            &managed(&["A", "B"]),
            &roles(&["A", "B", "C"], &[1, 2]),
        );
        assert_eq!(
            steps,
            [EnrolmentStep::Unenrol {
                course: course("B")
            }]
        );
        assert!(unassign(&selecting(&[]), &managed(&["B"]), &roles(&[], &[])).is_empty());
    }

    /// Proves S4-136, S4-140 and C-08: every catalog is left, and enrolments made elsewhere are
    /// named.
    #[test]
    fn leaving_names_enrolments_made_elsewhere() {
        let steps = leave(
            Retraction::LeaveCatalogs,
            &managed(&["A"]),
            &BTreeSet::new(),
            &two_catalogs(),
            &roles(&["A", "B"], &[1, 2]),
        );
        assert_eq!(
            steps,
            [
                EnrolmentStep::LeaveCatalog {
                    catalog: catalog(1),
                    unmanaged: managed(&["B"])
                },
                EnrolmentStep::LeaveCatalog {
                    catalog: catalog(2),
                    unmanaged: BTreeSet::new()
                },
            ]
        );
        let steps = leave(
            Retraction::CoursesOnly,
            &managed(&["A"]),
            &BTreeSet::new(),
            &two_catalogs(),
            &roles(&["A", "B"], &[1]),
        );
        assert_eq!(
            steps,
            [EnrolmentStep::Unenrol {
                course: course("A")
            }]
        );
    }

    /// Proves S4-136: the group leaves its catalogs even if the LMS lists no roles at the moment.
    #[test]
    fn what_we_enrolled_is_left_even_if_the_platform_does_not_list_it() {
        let steps = leave(
            Retraction::LeaveCatalogs,
            &managed(&["C"]),
            &BTreeSet::new(),
            &two_catalogs(),
            &GroupRoles::default(),
        );
        assert_eq!(
            steps,
            [EnrolmentStep::LeaveCatalog {
                catalog: catalog(2),
                unmanaged: BTreeSet::new()
            }]
        );
    }

    #[test]
    fn a_profile_that_is_not_enrolled_assigns_nothing() {
        let mut profile = selecting(&["A"]);
        profile.enroll = false;
        assert!(assign(&profile, &two_catalogs(), &GroupRoles::default()).is_empty());
    }
}
