//! Warnings about a profile's rules: what can never be true, what always is, what nobody has.
//!
//! A warning never stops a save: data may still be on its way. Whether rules can
//! be true at all is decided from what they say, without looking at people;
//! whether anybody has a value, from the distinct values of its column. Both are
//! certain or not claimed.

mod activities;
mod bounds;
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
mod warning;

use chrono::{DateTime, Utc};

use super::desired_members::{Audience, evaluate};
use super::profile::Profile;
use crate::rules::Fields;
use crate::snapshot::Snapshot;
use judge::Judge;
use tree::Tree;

pub use warning::{MAX_WARNINGS, Warning, WarningKind};

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
pub fn size_warning(profile: &Profile, members: u32, learners: u32) -> Option<Warning> {
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
    size_warning(profile, change.members, snapshot.people.count())
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
