//! Warnings about a profile's rules: what can never be true, what always is, what nobody has.
//!
//! A warning never stops a save: data may still be on its way. Whether rules can
//! be true at all is decided from what they say, without looking at people;
//! whether anybody has a value, from the distinct values of its column. Both are
//! certain or not claimed.

mod activities;
mod dates;
mod judge;
mod literals;
mod numbers;
mod solver;
#[cfg(test)]
mod tests;
mod texts;
mod tree;
mod unknown;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::desired_members::{Audience, evaluate};
use super::profile::Profile;
use crate::rules::Fields;
use crate::snapshot::Snapshot;
use judge::Judge;
use tree::Tree;

/// So many warnings are told at once.
pub const MAX_WARNINGS: usize = 100;

/// What is odd.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum WarningKind {
    /// No person can ever meet the rule or the group, whatever the data says.
    NeverTrue,
    /// Every person meets the rule or the group, whatever the data says.
    AlwaysTrue,
    /// The group means the same without this rule.
    RuleWithoutEffect,
    /// No learner has this text.
    UnknownValue,
    /// A course that learners cannot see at present.
    UnpublishedCourse,
    /// A selected course that no longer exists.
    DeletedCourse,
    /// The audience holds nobody today.
    MatchesNobody,
    /// The audience holds every learner today.
    MatchesEverybody,
    /// Another profile means the same people.
    EqualToProfile,
}

/// Something odd about a profile.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Warning {
    /// What kind.
    pub kind: WarningKind,
    /// Where: a JSON pointer into the profile, such as `/filter/properties/rules/0`.
    pub pointer: String,
    /// What is odd and what to do about it, as one sentence.
    pub detail: String,
}

impl Warning {
    /// Profiles whose rules and overrides mean the same
    /// ([`crate::audience::fingerprint::fingerprint`]), by title. `None` without any.
    pub fn twins(titles: &[String]) -> Option<Self> {
        let (first, others) = titles.split_first()?;
        let more = match others.len() {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        Some(Self::at(
            WarningKind::EqualToProfile,
            "",
            format!(
                "the profile {first:?}{more} has the same audience; one group can take all the courses"
            ),
        ))
    }

    fn at(kind: WarningKind, pointer: impl Into<String>, detail: impl Into<String>) -> Self {
        Self {
            kind,
            pointer: pointer.into(),
            detail: detail.into(),
        }
    }
}

/// Warns about a profile, at most [`MAX_WARNINGS`] times. `at` is the moment of
/// evaluation; what is said to be never true is so from then on.
///
/// Rules that cannot be checked are passed over: their mistakes are told by
/// [`Audience::of`]. The whole audience is judged here only if no override names
/// another profile; who has evaluated it with those asks [`whole`].
pub fn lint(
    profile: &Profile,
    snapshot: &Snapshot,
    fields: &Fields,
    at: DateTime<Utc>,
) -> Vec<Warning> {
    let tree = Tree::of(profile, fields);
    let mut warnings = Judge::new(&tree, snapshot, at.timestamp_millis()).warnings();
    if !snapshot.people.living.is_empty() {
        unknown::values(&tree, snapshot, &mut warnings);
    }
    courses(&tree, profile, snapshot, &mut warnings);
    warnings.extend(audience(profile, snapshot, fields, at));
    warnings.truncate(MAX_WARNINGS);
    warnings
}

/// Judges how many of all learners an audience holds.
pub fn whole(profile: &Profile, members: u32, learners: u32) -> Option<Warning> {
    let by_rules = !profile.filter.is_empty();
    let pointer = if by_rules { "/filter" } else { "/overrides" };
    match members {
        _ if learners == 0 => None,
        0 => Some(Warning::at(
            WarningKind::MatchesNobody,
            pointer,
            "nobody is in this audience today",
        )),
        _ if members == learners => Some(Warning::at(
            WarningKind::MatchesEverybody,
            pointer,
            format!("all {learners} learners are in this audience today"),
        )),
        _ => None,
    }
}

fn audience(
    profile: &Profile,
    snapshot: &Snapshot,
    fields: &Fields,
    at: DateTime<Utc>,
) -> Option<Warning> {
    let audience = Audience::of(profile, fields).ok()?;
    let alone = [Ok(audience)];
    let mut changes = evaluate(&alone, snapshot, at, &std::collections::BTreeMap::new());
    let change = changes.remove(&profile.id)?.ok()?;
    whole(profile, change.members, snapshot.people.count())
}

/// Selected courses and courses in rules that learners cannot see.
fn courses(tree: &Tree, profile: &Profile, snapshot: &Snapshot, warnings: &mut Vec<Warning>) {
    for (index, id) in profile.courses.iter().enumerate() {
        let pointer = format!("/courses/{index}");
        match snapshot.course(*id) {
            None => warnings.push(Warning::at(
                WarningKind::DeletedCourse,
                pointer,
                format!("the course {id} no longer exists; take it out"),
            )),
            Some(course) if !course.published => warnings.push(Warning::at(
                WarningKind::UnpublishedCourse,
                pointer,
                format!(
                    "the course {:?} is not published, so learners cannot see it",
                    course.title
                ),
            )),
            Some(_) => {}
        }
    }
    for rule in tree.rules() {
        let course = rule.course().and_then(|id| snapshot.course(id));
        if let Some(course) = course.filter(|course| !course.published) {
            warnings.push(Warning::at(
                WarningKind::UnpublishedCourse,
                rule.pointer(),
                format!(
                    "the course {:?} is not published, so nobody can begin it at present",
                    course.title
                ),
            ));
        }
    }
}
