//! A profile: one audience, its group, its courses, its limits.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

use crate::base::ids::{CourseId, ProfileId, UserId};
use crate::base::problem::Problem;
use crate::base::throttle::Throttle;
use crate::rules::FilterDocument;

/// Longest title; with the prefix it becomes the group's display name, which
/// Entra limits to 256 characters.
pub const MAX_TITLE: usize = 120;
/// Longest description (Entra keeps 1,024 characters).
pub const MAX_DESCRIPTION: usize = 1_024;
/// Most overrides of one kind.
pub const MAX_OVERRIDES: usize = 5_000;
/// Most courses of one profile.
pub const MAX_COURSES: usize = 500;

/// Whom an override names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub enum Target {
    /// One person.
    User(UserId),
    /// Everyone another profile's audience holds.
    Profile(ProfileId),
}

/// Exceptions to the rules (S4-088…088f); exclude wins.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Overrides {
    /// Members although the rules leave them out.
    #[serde(default)]
    pub include: BTreeSet<Target>,
    /// No members although the rules take them in.
    #[serde(default)]
    pub exclude: BTreeSet<Target>,
}

impl Overrides {
    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.include.is_empty() && self.exclude.is_empty()
    }

    /// The profiles they name.
    pub fn profiles(&self) -> impl Iterator<Item = ProfileId> + '_ {
        self.include
            .iter()
            .chain(&self.exclude)
            .filter_map(|target| match target {
                Target::Profile(id) => Some(*id),
                Target::User(_) => None,
            })
    }
}

/// How a profile leaves the learning platform when it is retracted or deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Retraction {
    /// Its group is deleted from every catalog, as the guide states (S4-136);
    /// this also ends enrolments made elsewhere (C-08).
    #[default]
    LeaveCatalogs,
    /// Only the courses this service enrolled it in.
    CoursesOnly,
}

/// Where a profile is in its life.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", tag = "kind")]
pub enum Lifecycle {
    /// In use.
    #[default]
    Active,
    /// Deleted, restorable; the switches before the deletion are kept for that.
    #[serde(rename_all = "camelCase")]
    Deleted {
        /// When.
        at: DateTime<Utc>,
        /// By whom (mail address).
        by: String,
        /// Whether the maintenance job has handled it.
        handled: bool,
        /// Whether it was auto-populated before.
        auto_populate_before: bool,
        /// Whether it was enrolled before.
        enroll_before: bool,
    },
}

/// A profile as stored. The filter stays as written: a rule that no longer
/// makes sense must not make the whole profile unreadable.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Profile {
    /// Its id.
    pub id: ProfileId,
    /// Unique per tenant regardless of case (S4-054).
    pub title: String,
    /// What it is for.
    pub description: String,
    /// Whether the group is enrolled in the courses (S4-049).
    pub enroll: bool,
    /// Whether membership follows the rules (S4-050).
    pub auto_populate: bool,
    /// When a change is held.
    #[serde(default)]
    pub throttle: Throttle,
    /// Who matches.
    #[serde(default)]
    pub filter: FilterDocument,
    /// Exceptions.
    #[serde(default)]
    pub overrides: Overrides,
    /// Selected courses.
    #[serde(default)]
    pub courses: BTreeSet<CourseId>,
    /// Zone in which days of date rules are read.
    #[serde(default = "utc")]
    pub time_zone: Tz,
    /// How it leaves.
    #[serde(default)]
    pub retraction: Retraction,
    /// Whether the present "Don't enroll" was already carried out (S4-140);
    /// turning enrolment on resets it.
    #[serde(default)]
    pub retraction_handled: bool,
    /// Where it is in its life.
    #[serde(default)]
    pub lifecycle: Lifecycle,
    /// When it was last changed by a person.
    pub modified_at: DateTime<Utc>,
    /// By whom (mail address).
    pub modified_by: String,
}

const fn utc() -> Tz {
    Tz::UTC
}

impl Profile {
    /// Whether it is deleted.
    pub fn is_deleted(&self) -> bool {
        matches!(self.lifecycle, Lifecycle::Deleted { .. })
    }

    /// The group's display name: prefix and title (S4-013), within Entra's 256 characters.
    pub fn group_name(&self, prefix: &str) -> String {
        group_name(prefix, &self.title)
    }

    /// The group's immutable key, which makes creating it idempotent.
    pub fn unique_name(&self) -> String {
        format!("rollcall-{}", self.id.uuid().simple())
    }

    /// Everything wrong with the basic details, limits and counts; rules are
    /// checked against a snapshot elsewhere.
    pub fn problems(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        let mut text = |name: &str, value: &str, most: usize| {
            let length = value.trim().chars().count();
            if length == 0 {
                problems.push(Problem::at(
                    format!("/{name}"),
                    format!("a {name} is required"),
                ));
            } else if length > most || value.chars().any(is_unseen) {
                problems.push(Problem::at(
                    format!("/{name}"),
                    format!("the {name} may be {most} characters long at most, without control and invisible characters"),
                ));
            }
        };
        text("title", &self.title, MAX_TITLE);
        text("description", &self.description, MAX_DESCRIPTION);
        if self
            .throttle
            .max_percent
            .is_some_and(|percent| !(0.0..=10_000.0).contains(&percent))
        {
            problems.push(Problem::at(
                "/throttle/maxPercent",
                "must be a percentage from 0 to 10000",
            ));
        }
        for (name, targets) in [
            ("include", &self.overrides.include),
            ("exclude", &self.overrides.exclude),
        ] {
            if targets.len() > MAX_OVERRIDES {
                problems.push(Problem::at(
                    format!("/overrides/{name}"),
                    format!("may hold {MAX_OVERRIDES} entries at most"),
                ));
            }
        }
        if self.courses.len() > MAX_COURSES {
            problems.push(Problem::at(
                "/courses",
                format!("may hold {MAX_COURSES} courses at most"),
            ));
        }
        problems
    }
}

/// The display name of the group of a profile with this title (S4-013), within
/// Entra's 256 characters.
pub fn group_name(prefix: &str, title: &str) -> String {
    format!("{prefix}{title}").chars().take(256).collect()
}

/// Characters that change how a text reads without being seen: controls, marks
/// of direction, and blanks of no width. Two titles must not look alike by them,
/// and a file name must not read backwards. Joiners stay: scripts and emoji need them.
fn is_unseen(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200b}' | '\u{2060}' | '\u{feff}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Reads a stored profile.
///
/// # Errors
/// What is wrong with the document, with its place where the reader knows it.
pub fn parse_profile(document: &str) -> Result<Profile, Problem> {
    serde_json::from_str(document)
        .map_err(|error| Problem::at("", format!("the stored profile cannot be read: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing;

    #[test]
    fn a_profile_survives_storage() {
        let profile = testing::profile("Field staff");
        let text = serde_json::to_string(&profile).expect("writes");
        assert_eq!(parse_profile(&text), Ok(profile));
    }

    #[test]
    fn a_broken_document_is_told_with_its_place() {
        let problem = parse_profile("{\"id\": 7}").expect_err("broken");
        assert!(problem.detail.contains("line 1 column"), "{problem}");
        let mut document = serde_json::to_value(testing::profile("x")).expect("writes");
        document["surprise"] = true.into();
        assert!(
            parse_profile(&document.to_string())
                .expect_err("unknown field")
                .detail
                .contains("surprise")
        );
    }

    /// Proves S4-013: prefix and title, kept within Entra's limit.
    #[test]
    fn the_group_is_named_by_prefix_and_title() {
        let mut profile = testing::profile("Field staff");
        assert_eq!(profile.group_name("LMS - "), "LMS - Field staff");
        profile.title = "x".repeat(400);
        assert_eq!(profile.group_name("LMS - ").chars().count(), 256);
    }

    /// Proves S4-047, S4-048 and S4-056: required texts, sane limits.
    #[test]
    fn everything_wrong_is_told_at_once() {
        let mut profile = testing::profile(" ");
        profile.description = "a\u{7}b".to_owned();
        profile.throttle.max_percent = Some(-1.0);
        let places: Vec<_> = profile
            .problems()
            .into_iter()
            .map(|problem| problem.pointer)
            .collect();
        assert_eq!(places, ["/title", "/description", "/throttle/maxPercent"]);
    }
}
