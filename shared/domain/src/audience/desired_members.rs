//! Determines the desired members: first the rules, then the overrides; exclude wins.
//!
//! Input: profiles, a snapshot and the current members; output: changes. This module decides which
//! profiles can be evaluated and in which order; [`crate::audience::engine`] evaluates them.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

pub use super::audience_change::{AudienceChange, Members};
use super::engine::{AudienceInput, Program};
use super::evaluation_order::{Order, order};
use super::profile::{Overrides, Profile, Target};
use crate::base::ids::ProfileId;
use crate::base::problem::{Problem, join_problems};
use crate::base::rowset::RowSet;
use crate::rules::{Fields, Filter, RuleProblem, RuleProblemKind};
use crate::snapshot::Snapshot;

/// A profile's rules and overrides, checked against a snapshot.
#[derive(Debug, Clone)]
pub struct Audience {
    /// The profile.
    pub profile: ProfileId,
    /// The checked rules; `None` if there is no rule.
    pub filter: Option<Filter>,
    /// Users and profiles that are included or excluded regardless of the rules.
    pub overrides: Overrides,
}

/// The reason why a profile has no audience.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum AudienceError {
    /// Fields or courses used by its rules no longer exist; an administrator must review it
    /// (S4-119).
    #[error("{}", join_problems(problems))]
    NeedsReview {
        /// The rules that refer to missing fields or courses.
        problems: Vec<Problem>,
        /// Names of the missing fields and courses.
        missing: BTreeSet<String>,
    },
    /// Its rules are invalid.
    #[error("{}", join_problems(problems))]
    Invalid {
        /// All problems.
        problems: Vec<Problem>,
    },
    /// It has neither a filter nor overrides. Matching no user and matching every user would both
    /// be unexpected (S4-118).
    #[error("the profile has neither a filter nor overrides; add a rule or an included user")]
    Empty,
    /// Its overrides refer back to the profile itself.
    #[error("the overrides form a cycle that leads back to this profile; remove one of them")]
    Cycle,
    /// It depends on a profile whose audience cannot be determined.
    #[error("it depends on the profile {on}, whose audience cannot be determined")]
    Dependency {
        /// The profile it depends on.
        on: ProfileId,
    },
}

impl Audience {
    /// Checks a profile's rules against the fields of the snapshot.
    ///
    /// # Errors
    /// [`AudienceError::NeedsReview`], [`AudienceError::Invalid`] or [`AudienceError::Empty`].
    pub fn of(profile: &Profile, fields: &Fields) -> Result<Self, AudienceError> {
        let filter = profile
            .filter
            .check(fields, profile.time_zone)
            .map_err(audience_error)?;
        if filter.is_none() && profile.overrides.is_empty() {
            return Err(AudienceError::Empty);
        }
        Ok(Self {
            profile: profile.id,
            filter,
            overrides: profile.overrides.clone(),
        })
    }
}

fn audience_error(found: Vec<RuleProblem>) -> AudienceError {
    let invalid = |problem: &RuleProblem| problem.kind == RuleProblemKind::Invalid;
    let missing = found
        .iter()
        .filter(|problem| !invalid(problem))
        .map(|problem| problem.subject.clone())
        .collect();
    let broken = found.iter().any(invalid);
    let problems = found.into_iter().map(|problem| problem.problem).collect();
    if broken {
        AudienceError::Invalid { problems }
    } else {
        AudienceError::NeedsReview { problems, missing }
    }
}

/// Evaluates all audiences of a tenant at a given time and compares them with the current members,
/// given as rows of the snapshot. A profile missing from `current` has no members.
pub fn evaluate(
    audiences: &[Result<Audience, (ProfileId, AudienceError)>],
    snapshot: &Snapshot,
    at: DateTime<Utc>,
    current: &BTreeMap<ProfileId, RowSet>,
) -> BTreeMap<ProfileId, Result<AudienceChange, AudienceError>> {
    let AudienceProgram { indexes, program } = AudienceProgram::of(audiences);
    let mut profiles = vec![None; program.profiles()];
    for (id, index) in &indexes {
        if let Ok(index) = index {
            profiles[*index] = current.get(id);
        }
    }
    let mut changes: Vec<Option<AudienceChange>> = program
        .evaluate(snapshot, at, &profiles)
        .into_iter()
        .map(Some)
        .collect();
    let indexes = indexes.into_iter();
    indexes
        .map(|(id, index)| {
            let change = index.map(|index| changes[index].take().unwrap_or_default());
            (id, change)
        })
        .collect()
}

/// Sorted and compiled audiences: the position of each profile in the program, or why it has none.
/// Can be evaluated any number of times.
pub struct AudienceProgram<'a> {
    /// The position of each profile in the program.
    pub indexes: BTreeMap<ProfileId, Result<usize, AudienceError>>,
    /// The program of the profiles that have an audience.
    pub program: Program<'a>,
}

impl<'a> AudienceProgram<'a> {
    /// Sorts audiences so that each comes after those it names, and compiles them.
    pub fn of(audiences: &'a [Result<Audience, (ProfileId, AudienceError)>]) -> Self {
        let by_id: BTreeMap<ProfileId, Result<&Audience, &AudienceError>> = audiences
            .iter()
            .map(|audience| match audience {
                Ok(audience) => (audience.profile, Ok(audience)),
                Err((profile, error)) => (*profile, Err(error)),
            })
            .collect();
        let Order { sorted, cyclic } = order(&dependencies(&by_id));
        let mut indexes: BTreeMap<ProfileId, Result<usize, AudienceError>> = BTreeMap::new();
        let mut members = Vec::with_capacity(sorted.len());
        for id in sorted {
            let member = match by_id[&id] {
                Ok(audience) => member(audience, &indexes),
                Err(error) => Err(error.clone()),
            };
            let index = member.map(|member| {
                members.push(member);
                members.len() - 1
            });
            indexes.insert(id, index);
        }
        indexes.extend(cyclic.into_iter().map(|id| {
            let error = by_id[&id].err().cloned().unwrap_or(AudienceError::Cycle);
            (id, Err(error))
        }));
        Self {
            indexes,
            program: Program::compile(members),
        }
    }
}

fn dependencies(
    by_id: &BTreeMap<ProfileId, Result<&Audience, &AudienceError>>,
) -> BTreeMap<ProfileId, BTreeSet<ProfileId>> {
    by_id
        .iter()
        .map(|(id, audience)| {
            let names = audience.map(|audience| audience.overrides.profiles().collect());
            (*id, names.unwrap_or_default())
        })
        .collect()
}

/// Converts an audience into the input of the engine. A user who is not (or no longer) a learner
/// cannot be a member (S4-044, S4-088e), because the engine finds no row.
fn member<'a>(
    audience: &'a Audience,
    indexes: &BTreeMap<ProfileId, Result<usize, AudienceError>>,
) -> Result<AudienceInput<'a>, AudienceError> {
    let mut member = AudienceInput {
        rules: audience.filter.as_ref().map(|filter| &filter.0),
        ..AudienceInput::default()
    };
    let Overrides { include, exclude } = &audience.overrides;
    for (targets, users, profiles) in [
        (exclude, &mut member.exclude, &mut member.exclude_profiles),
        (include, &mut member.include, &mut member.include_profiles),
    ] {
        for target in targets {
            match target {
                Target::User(user) => users.push(*user),
                Target::Profile(on) => match indexes.get(on) {
                    Some(Ok(index)) => profiles.push(*index),
                    // Removed profiles have already been taken out. The audience of any other
                    // missing profile is unknown, and a guess would add or remove members.
                    Some(Err(_)) | None => return Err(AudienceError::Dependency { on: *on }),
                },
            }
        }
    }
    Ok(member)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{World, names, profile, profile_id, slot};

    fn world() -> World {
        let mut world = World::new();
        world.person("Ada").with("city", "Denver");
        world.person("Grace").with("city", "Oslo");
        world.person("Alan").with("city", "Denver");
        world
    }

    fn in_denver(title: &str) -> Profile {
        let mut profile = profile(title);
        profile.filter.properties = Some(serde_json::json!({
            "combinator": "and", "rules": [{"field": "city", "operator": "=", "value": "Denver"}]
        }));
        profile
    }

    fn evaluated(
        world: &World,
        profiles: &[Profile],
    ) -> BTreeMap<ProfileId, Result<Vec<String>, AudienceError>> {
        let snapshot = world.snapshot();
        let fields = Fields::of(&snapshot);
        let audiences: Vec<_> = profiles
            .iter()
            .map(|profile| Audience::of(profile, &fields).map_err(|error| (profile.id, error)))
            .collect();
        evaluate(&audiences, &snapshot, slot(), &BTreeMap::new())
            .into_iter()
            .map(|(id, change)| (id, change.map(|change| names(&snapshot, change.joins))))
            .collect()
    }

    fn members(
        world: &World,
        profiles: &[Profile],
        of: &str,
    ) -> Result<Vec<String>, AudienceError> {
        evaluated(world, profiles)
            .remove(&profile_id(of))
            .expect("profile missing from the result")
    }

    /// Proves S4-088a, S4-088b, S4-088e: include adds, exclude removes and wins.
    #[test]
    fn overrides_add_and_remove_and_exclude_wins() {
        let mut profile = in_denver("P");
        profile.overrides.include = [
            Target::User(World::user("Grace")),
            Target::User(World::user("Ada")),
        ]
        .into();
        profile.overrides.exclude = [Target::User(World::user("Ada"))].into();
        assert_eq!(
            members(&world(), &[profile], "P").expect("no audience"),
            ["Alan", "Grace"]
        );
    }

    /// Proves S4-044: a user who is unknown to the LMS is never a member.
    #[test]
    fn an_included_stranger_does_not_become_a_member() {
        let mut profile = in_denver("P");
        profile.overrides.include = [Target::User(World::user("Nobody"))].into();
        assert_eq!(
            members(&world(), &[profile], "P").expect("no audience"),
            ["Ada", "Alan"]
        );
    }

    /// Proves S4-088d: overrides may name profiles.
    #[test]
    fn an_override_may_name_a_profile() {
        let mut rest = profile("Rest");
        rest.filter.properties = Some(serde_json::json!({
            "combinator": "and", "rules": [{"field": "title", "operator": "notNull"}]
        }));
        rest.overrides.exclude = [Target::Profile(profile_id("Denver"))].into();
        assert_eq!(
            members(&world(), &[rest, in_denver("Denver")], "Rest").expect("no audience"),
            ["Grace"]
        );
    }

    /// Proves S4-088f and S4-118: cycles and empty profiles fail; other profiles are evaluated.
    #[test]
    fn circles_and_empty_profiles_fail_and_others_continue() {
        let (mut a, mut b) = (in_denver("A"), in_denver("B"));
        a.overrides.include = [Target::Profile(b.id)].into();
        b.overrides.include = [Target::Profile(a.id)].into();
        let found = evaluated(&world(), &[a, b, profile("Empty"), in_denver("Fine")]);
        assert_eq!(found[&profile_id("A")], Err(AudienceError::Cycle));
        assert_eq!(found[&profile_id("Empty")], Err(AudienceError::Empty));
        assert_eq!(found[&profile_id("Fine")].as_ref().map(Vec::len), Ok(2));
    }

    #[test]
    fn what_depends_on_a_failed_profile_fails_too() {
        let mut a = in_denver("A");
        a.overrides.exclude = [Target::Profile(profile_id("Empty"))].into();
        let found = evaluated(&world(), &[a, profile("Empty")]);
        assert_eq!(
            found[&profile_id("A")],
            Err(AudienceError::Dependency {
                on: profile_id("Empty")
            })
        );
    }

    #[test]
    fn a_change_lists_who_joins_and_who_leaves() {
        let snapshot = world().snapshot();
        let audience = Audience::of(&in_denver("P"), &Fields::of(&snapshot))
            .map_err(|error| (profile_id("P"), error));
        let mut now = RowSet::new(3);
        now.extend(snapshot.people.row(World::user("Grace")));
        now.extend(snapshot.people.row(World::user("Ada")));
        let current = BTreeMap::from([(profile_id("P"), now)]);
        let change = evaluate(&[audience], &snapshot, slot(), &current)
            .remove(&profile_id("P"))
            .expect("profile missing from the result")
            .expect("no audience");
        assert_eq!(names(&snapshot, change.joins), ["Alan"]);
        assert_eq!(names(&snapshot, change.leaves), ["Grace"]);
    }
}
