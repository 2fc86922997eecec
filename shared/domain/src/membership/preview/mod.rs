//! The effects of saving a profile: who joins and leaves, whether it would be held, and the
//! courses.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::plan::diff::Accounts;
use crate::audience::audience_change::{AudienceChange, Members};
use crate::base::ids::CourseId;
use crate::base::rowset::RowSet;
use crate::base::throttle::{Exceeded, Limits};
use crate::snapshot::Snapshot;
use crate::snapshot::name_order::{NameOrder, NamePage, Person};
use crate::snapshot::search::{Matcher, Query};

/// The current members of a group.
#[derive(Debug, Clone, Copy)]
pub struct Current<'a> {
    /// Members that are learners, as rows of the snapshot.
    pub rows: &'a RowSet,
    /// Number of other members: users unknown to the LMS, nested groups and devices. All of them
    /// leave.
    pub others: usize,
}

/// The input of a preview.
#[derive(Debug, Clone, Copy)]
pub struct Question<'a> {
    /// The snapshot.
    pub snapshot: &'a Snapshot,
    /// The learners' accounts in the snapshot, determined once for all previews.
    pub accounts: &'a Accounts,
    /// The profile's audience, evaluated against `current.rows`, or against no members if they are
    /// not known.
    pub change: &'a AudienceChange,
    /// The group's members; empty for a group that does not exist yet. `None` if they are not
    /// known.
    pub current: Option<Current<'a>>,
    /// The limits of the change.
    pub limits: &'a Limits,
    /// The courses in which the group is enrolled now.
    pub courses_before: &'a BTreeSet<CourseId>,
    /// The courses in which it would be enrolled.
    pub courses_after: &'a BTreeSet<CourseId>,
}

/// The expected changes. Numbers that depend on the current members are `None` if these are not
/// known.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Preview {
    /// Number of users in the audience.
    pub audience: usize,
    /// Number of them who can be in the group.
    pub reachable: usize,
    /// Number of them without an Entra account, who cannot be in the group.
    pub unreachable: usize,
    /// Number of current members, learners or not.
    pub current: Option<usize>,
    /// Number of members that would join.
    pub joins: Option<usize>,
    /// Number of members that would leave, including those who are not learners.
    pub leaves: Option<usize>,
    /// Number of current members that are not learners.
    pub not_learners: Option<usize>,
    /// Number of members that would stay.
    pub unchanged: Option<usize>,
    /// The limits that would hold the change (S4-061); also `None` if the current members are not
    /// known.
    pub hold: Option<Exceeded>,
    /// Courses in which the group would be enrolled, sorted by title.
    pub courses_gained: Vec<CourseName>,
    /// Courses from which it would be unenrolled, sorted by title.
    pub courses_lost: Vec<CourseName>,
}

/// A course with its title.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct CourseName {
    /// The course id.
    pub id: CourseId,
    /// The title; `None` if the course no longer exists.
    pub title: Option<String>,
}

/// The list of users to return.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum List {
    /// Learners who would join the group.
    Joins,
    /// Current and former learners who would leave the group.
    Leaves,
    /// All users in the audience.
    Members,
    /// All users in the audience without an Entra account.
    Unreachable,
}

/// The reason why a user is on a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// The rules match.
    MatchesRules,
    /// The rules do not match, but an override includes the user.
    Included,
    /// A learner who is not in the audience.
    NotInAudience,
    /// No longer a learner.
    NotALearner,
}

/// A user on a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Entry {
    /// The user.
    #[serde(flatten)]
    pub person: Person,
    /// The reason.
    pub reason: Reason,
    /// True if the user has an Entra account and can be in a group.
    pub reachable: bool,
}

/// A preview with the users that its numbers count.
#[derive(Debug, Clone)]
pub struct PreviewResult {
    preview: Preview,
    audience: Members,
    joins: RowSet,
    /// Those of `joins` who are members only by an override.
    joins_included: RowSet,
    leaves: RowSet,
}

impl PreviewResult {
    /// Computes the preview. The numbers equal those of the plan that the next run would make from
    /// the same data ([`crate::membership::plan::diff::plan`]).
    pub fn of(question: &Question<'_>) -> Self {
        let Question {
            snapshot,
            accounts,
            change,
            current,
            ..
        } = *question;
        let no_members = RowSet::new(snapshot.people.rows());
        let now = current.map_or(&no_members, |current| current.rows);
        let audience = change.members(now);
        let (mut joins, mut leaves) = (no_members.clone(), no_members.clone());
        let mut joins_included = no_members.clone();
        if current.is_some() {
            // In the form of a group's members: each account once.
            let mut wanted = audience.all.clone();
            accounts.canonicalize(&mut wanted);
            joins.extend(wanted.difference(now));
            leaves.extend(now.difference(&wanted));
            // A user who shares an account with a user matched by the rules joins by the rules.
            let mut by_rules = audience.all.clone();
            by_rules.subtract(&audience.included);
            accounts.canonicalize(&mut by_rules);
            joins_included.extend(joins.difference(&by_rules));
        }
        Self {
            preview: preview(question, joins.len(), leaves.len()),
            audience,
            joins,
            joins_included,
            leaves,
        }
    }

    /// Returns the numbers.
    pub fn preview(&self) -> &Preview {
        &self.preview
    }

    /// Returns the members of the audience.
    pub fn audience(&self) -> &Members {
        &self.audience
    }

    /// Returns a page of a list, sorted by name, optionally filtered by a search. `order` and
    /// `snapshot` must belong to the data from which the preview was made.
    pub fn people(
        &self,
        snapshot: &Snapshot,
        order: &NameOrder,
        list: List,
        search: Option<&str>,
        (offset, limit): (usize, usize),
    ) -> NamePage<Entry> {
        let people = &snapshot.people;
        let matcher = search.map(|text| Matcher::new(snapshot, &Query::new(text)));
        let (rows, only_unreachable) = match list {
            List::Joins => (&self.joins, false),
            List::Leaves => (&self.leaves, false),
            List::Members => (&self.audience.all, false),
            List::Unreachable => (&self.audience.all, true),
        };
        let rows = rows
            .iter()
            .filter(|row| !only_unreachable || !people.is_reachable(*row))
            .filter(|row| matcher.as_ref().is_none_or(|it| it.matches(*row)));
        let rows: Vec<u32> = rows.collect();
        let total = rows.len();
        let entries = order.page(snapshot, rows, offset, limit).into_iter();
        let entries = entries.filter_map(|row| {
            Some(Entry {
                person: Person::of(snapshot, row)?,
                reason: self.reason(snapshot, list, row),
                reachable: people.is_reachable(row),
            })
        });
        NamePage {
            total,
            entries: entries.collect(),
        }
    }

    fn reason(&self, snapshot: &Snapshot, list: List, row: u32) -> Reason {
        let included = match list {
            List::Leaves if snapshot.people.living.contains(row) => return Reason::NotInAudience,
            List::Leaves => return Reason::NotALearner,
            List::Joins => &self.joins_included,
            List::Members | List::Unreachable => &self.audience.included,
        };
        if included.contains(row) {
            Reason::Included
        } else {
            Reason::MatchesRules
        }
    }
}

fn preview(question: &Question<'_>, joins: usize, leaves: usize) -> Preview {
    let Question {
        snapshot,
        change,
        current,
        ..
    } = *question;
    let (audience, unreachable) = (change.members as usize, change.unreachable as usize);
    let (before, after) = (question.courses_before, question.courses_after);
    let names = |courses: &mut dyn Iterator<Item = &CourseId>| {
        let named = courses.map(|id| CourseName {
            id: *id,
            title: snapshot.course(*id).map(|course| course.title.clone()),
        });
        let mut named: Vec<CourseName> = named.collect();
        named.sort_by(|a, b| a.title.cmp(&b.title));
        named
    };
    Preview {
        audience,
        reachable: audience - unreachable,
        unreachable,
        current: current.map(|now| now.rows.len() + now.others),
        joins: current.map(|_| joins),
        leaves: current.map(|now| leaves + now.others),
        not_learners: current.map(|now| now.others),
        unchanged: current.map(|now| now.rows.len() - leaves),
        hold: current.and_then(|now| {
            let (removes, members) = (leaves + now.others, now.rows.len() + now.others);
            question.limits.exceeded(joins, removes, members)
        }),
        courses_gained: names(&mut after.difference(before)),
        courses_lost: names(&mut before.difference(after)),
    }
}

#[cfg(test)]
mod tests;
