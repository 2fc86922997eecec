//! A profile: an audience, its group, its courses and its limits.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

use crate::base::ids::{CourseId, ProfileId, UserId};
use crate::base::problem::Problem;
use crate::base::throttle::Throttle;
use crate::rules::FilterDocument;

/// Maximum length of a title in characters. With the prefix it becomes the group's display name,
/// which Entra limits to 256 characters.
pub const MAX_TITLE: usize = 120;
/// Maximum length of a description in characters (Entra stores 1,024).
pub const MAX_DESCRIPTION: usize = 1_024;
/// Maximum number of overrides of one kind.
pub const MAX_OVERRIDES: usize = 5_000;
/// Maximum number of courses of one profile.
pub const MAX_COURSES: usize = 500;

/// A user or profile that an override names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub enum Target {
    /// A single user.
    User(UserId),
    /// All members of another profile's audience.
    Profile(ProfileId),
}

/// Exceptions to the rules (S4-088…088f); exclude wins.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Overrides {
    /// Members although no rule matches them.
    #[serde(default)]
    pub include: BTreeSet<Target>,
    /// Not members although the rules match them.
    #[serde(default)]
    pub exclude: BTreeSet<Target>,
}

impl Overrides {
    /// Returns true if there are no overrides.
    pub fn is_empty(&self) -> bool {
        self.include.is_empty() && self.exclude.is_empty()
    }

    /// Returns the profiles that the overrides name.
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

/// The effect on the LMS when a profile is retracted or deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Retraction {
    /// Its group is deleted from every catalog, as the guide states (S4-136). This also ends
    /// enrolments that were made elsewhere (C-08).
    #[default]
    LeaveCatalogs,
    /// Only the enrolments in courses that this service made are ended.
    CoursesOnly,
}

/// The state of a profile.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", tag = "kind")]
pub enum Lifecycle {
    /// In use.
    #[default]
    Active,
    /// Deleted and restorable; the previous settings are stored for that purpose.
    #[serde(rename_all = "camelCase")]
    Deleted {
        /// Time of the deletion.
        at: DateTime<Utc>,
        /// Mail address of the administrator.
        by: String,
        /// True if the maintenance job has handled the deletion.
        handled: bool,
        /// The value of `auto_populate` before the deletion.
        auto_populate_before: bool,
        /// The value of `enroll` before the deletion.
        enroll_before: bool,
    },
}

/// A profile as stored. The filter is stored as written, so that an invalid rule does not make the
/// whole profile unreadable.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Profile {
    /// The profile's id.
    pub id: ProfileId,
    /// The title, unique per tenant regardless of case (S4-054).
    pub title: String,
    /// The purpose of the profile.
    pub description: String,
    /// True if the group is enrolled in the courses (S4-049).
    pub enroll: bool,
    /// True if membership follows the rules (S4-050).
    pub auto_populate: bool,
    /// The limits above which a change is held.
    #[serde(default)]
    pub throttle: Throttle,
    /// The rules.
    #[serde(default)]
    pub filter: FilterDocument,
    /// Exceptions to the rules.
    #[serde(default)]
    pub overrides: Overrides,
    /// Selected courses.
    #[serde(default)]
    pub courses: BTreeSet<CourseId>,
    /// Time zone in which the days of date rules are interpreted.
    #[serde(default = "utc")]
    pub time_zone: Tz,
    /// The effect on the LMS when the profile is retracted or deleted.
    #[serde(default)]
    pub retraction: Retraction,
    /// True if the current "Don't enroll" has already been applied (S4-140). Enabling enrolment
    /// resets it.
    #[serde(default)]
    pub retraction_handled: bool,
    /// Active or deleted.
    #[serde(default)]
    pub lifecycle: Lifecycle,
    /// Time of the last change by an administrator.
    pub modified_at: DateTime<Utc>,
    /// Mail address of the administrator who made it.
    pub modified_by: String,
}

const fn utc() -> Tz {
    Tz::UTC
}

impl Profile {
    /// Returns true if the profile is deleted.
    pub fn is_deleted(&self) -> bool {
        matches!(self.lifecycle, Lifecycle::Deleted { .. })
    }

    /// Returns the group's display name: prefix and title (S4-013), at most 256 characters for
    /// Entra.
    pub fn group_name(&self, prefix: &str) -> String {
        group_name(prefix, &self.title)
    }

    /// Returns the group's immutable key, which makes its creation idempotent.
    pub fn unique_name(&self) -> String {
        format!("rollcall-{}", self.id.uuid().simple())
    }

    /// Returns all problems with title, description, limits and counts. Rules are checked against a
    /// snapshot elsewhere.
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

/// Returns the display name of the group of a profile with this title (S4-013), at most 256
/// characters for Entra.
pub fn group_name(prefix: &str, title: &str) -> String {
    format!("{prefix}{title}").chars().take(256).collect()
}

/// Returns true for characters that are invisible but change how a text is displayed: control
/// characters, direction marks and zero-width spaces. Two titles must not look the same, and a file
/// name must not be displayed backwards. Joiners are allowed because scripts and emoji need them.
fn is_unseen(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200b}' | '\u{2060}' | '\u{feff}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Parses a stored profile.
///
/// # Errors
/// The problem with the document, with its position if the parser knows it.
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
        let text = serde_json::to_string(&profile).expect("profile not serialized");
        assert_eq!(parse_profile(&text), Ok(profile));
    }

    #[test]
    fn a_broken_document_is_reported_with_its_place() {
        let problem = parse_profile("{\"id\": 7}").expect_err("a broken document was accepted");
        assert!(problem.detail.contains("line 1 column"), "{problem}");
    }

    #[test]
    fn a_field_of_a_newer_release_is_ignored() {
        let profile = testing::profile("x");
        let mut document = serde_json::to_value(&profile).expect("profile not serialized");
        document["fieldOfTheNextRelease"] = true.into();
        assert_eq!(parse_profile(&document.to_string()), Ok(profile));
    }

    /// Proves S4-013: the name is prefix and title, within Entra's limit.
    #[test]
    fn the_group_is_named_by_prefix_and_title() {
        let mut profile = testing::profile("Field staff");
        assert_eq!(profile.group_name("LMS - "), "LMS - Field staff");
        profile.title = "x".repeat(400);
        assert_eq!(profile.group_name("LMS - ").chars().count(), 256);
    }

    /// Proves S4-047, S4-048 and S4-056: texts are required and limits are checked.
    #[test]
    fn everything_wrong_is_reported_at_once() {
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
