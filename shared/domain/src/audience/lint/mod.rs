//! Warnings about rules that are never or always true, and about values that no learner has.
//!
//! A warning never prevents saving, because the data may not be complete yet. Whether rules can be
//! true is determined from the rules alone, without the learners' data. Whether any learner has a
//! value is determined from the distinct values of its column. Only certain results are reported.

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

/// Returns at most [`MAX_WARNINGS`] warnings about a profile. `at` is the time of evaluation;
/// "never true" applies to that time and all later ones.
///
/// Skips rules that are invalid; [`Audience::of`] reports them. The size of the audience is checked
/// only if no override names another profile; otherwise the caller evaluates the audience and calls
/// [`size_warning`].
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

/// Returns a warning if an audience contains no learner or all of them.
pub fn size_warning(profile: &Profile, members: u32, learners: u32) -> Option<Warning> {
    let by_rules = !profile.filter.is_empty();
    let pointer = if by_rules { "/filter" } else { "/overrides" };
    match members {
        _ if learners == 0 => None,
        0 => Some(Warning::at(
            WarningKind::MatchesNobody,
            pointer,
            "no learner is in this audience today",
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

/// Warns about deleted selected courses and about unpublished courses, selected or in rules.
fn courses(tree: &Tree, profile: &Profile, snapshot: &Snapshot, warnings: &mut Vec<Warning>) {
    for (index, id) in profile.courses.iter().enumerate() {
        let pointer = format!("/courses/{index}");
        match snapshot.course(*id) {
            None => warnings.push(Warning::at(
                WarningKind::DeletedCourse,
                pointer,
                format!("the course {id} no longer exists; remove it"),
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
                    "the course {:?} is not published, so learners cannot start it at present",
                    course.title
                ),
            ));
        }
    }
}
