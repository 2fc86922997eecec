//! Explains why one learner is or is not in an audience, and what would change that.
//!
//! The result is the same as that of [`crate::audience::desired_members::evaluate`]. It concerns
//! the audience; whether the group is updated at once depends on the profile's settings and limits.

mod applied_override;
mod counterfactuals;
mod decisive_rules;
mod operand;
mod phrasing;
mod text;
mod trace;
mod tree;

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::desired_members::{Audience, AudienceError};
use super::profile::{Profile, Target};
use crate::base::ids::{ProfileId, UserId};
use crate::rules::Fields;
use crate::snapshot::{Property, Snapshot};

pub use applied_override::Named;
pub use counterfactuals::{Way, WhatIfChange, WhatIfStep};
pub use tree::{SeenGroup, SeenPart, SeenRule};

/// A profile that an override names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OtherProfile {
    /// Its title.
    pub title: String,
    /// True if its audience contains the learner.
    pub member: bool,
}

/// The cause of the result.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = Cause))]
#[serde(rename_all = "camelCase", tag = "kind")]
pub enum MembershipCause {
    /// The rules match.
    Rules,
    /// No rule matches, but an override includes the learner.
    Included(Named),
    /// An override excludes the learner regardless of the rules.
    Excluded(Named),
    /// Neither a rule matches nor an override includes the learner.
    NotMatched,
}

/// The reasons why one learner is or is not in an audience. `Display` writes them as a short text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase")]
pub struct Explanation {
    /// The profile's id.
    pub profile: ProfileId,
    /// The profile's title.
    pub profile_title: String,
    /// The learner's user id in the LMS.
    pub user: UserId,
    /// The learner's name, if the LMS has one.
    pub name: Option<String>,
    /// The time for which the rules were evaluated.
    pub at: DateTime<Utc>,
    /// True if the audience contains the learner.
    pub member: bool,
    /// True if the learner has an Entra account. Without one, the learner cannot be in the group,
    /// even as a member of the audience.
    pub reachable: bool,
    /// The cause of the result.
    pub because: MembershipCause,
    /// The rules with the value that each read. The parts are the sections, combined as in the
    /// filter. `None` if the profile has no rules.
    pub rules: Option<SeenGroup>,
    /// The overrides that include the learner.
    pub inclusions: Vec<Named>,
    /// The overrides that exclude the learner; one is enough.
    pub exclusions: Vec<Named>,
    /// The changes that would reverse "in the group" (member and reachable): fewest steps first; of
    /// equal ones, a change to rules comes first. Each is the shortest of its kind.
    pub ways: Vec<Way>,
}

/// Explains whether a learner is in a profile's audience at a given time.
///
/// `others` returns the data of a profile that an override names, or `None` if its audience cannot
/// be determined. Returns `None` if the snapshot does not contain the learner, who is then in no
/// audience (S4-044).
///
/// # Errors
/// The errors of [`Audience::of`]; [`AudienceError::Cycle`] if the profile names itself;
/// [`AudienceError::Dependency`] if `others` returns `None` for a profile.
pub fn explain(
    profile: &Profile,
    snapshot: &Snapshot,
    at: DateTime<Utc>,
    user: UserId,
    others: &dyn Fn(ProfileId) -> Option<OtherProfile>,
) -> Result<Option<Explanation>, AudienceError> {
    let fields = Fields::of(snapshot);
    let audience = Audience::of(profile, &fields)?;
    let Some(row) = snapshot.people.row(user) else {
        return Ok(None);
    };
    let applying = |targets| applying(targets, profile.id, user, others);
    let exclusions = applying(&profile.overrides.exclude)?;
    let inclusions = applying(&profile.overrides.include)?;
    let mut rules = match &audience.filter {
        Some(filter) => {
            Some(trace::UserTrace::new(profile, snapshot, &fields, filter, at, row).filter()?)
        }
        None => None,
    };
    let because = cause(rules.as_ref(), &inclusions, &exclusions);
    if let (Some(rules), MembershipCause::Rules | MembershipCause::NotMatched) =
        (&mut rules, &because)
    {
        decisive_rules::mark_decisive(rules);
    }
    let member = matches!(
        because,
        MembershipCause::Rules | MembershipCause::Included(_)
    );
    let reachable = snapshot.people.is_reachable(row);
    let name = snapshot.people.property(Property::Title, row);
    Ok(Some(Explanation {
        profile: profile.id,
        profile_title: profile.title.clone(),
        user,
        name: name.map(str::to_owned),
        at,
        member,
        reachable,
        because,
        ways: counterfactuals::counterfactuals(
            member,
            reachable,
            rules.as_ref(),
            &inclusions,
            &exclusions,
        ),
        rules,
        inclusions,
        exclusions,
    }))
}

/// Determines the cause: exclusions win, then rules, then inclusions.
fn cause(rules: Option<&SeenGroup>, inclusions: &[Named], exclusions: &[Named]) -> MembershipCause {
    if let Some(exclusion) = exclusions.first() {
        MembershipCause::Excluded(exclusion.clone())
    } else if rules.is_some_and(|rules| rules.holds) {
        MembershipCause::Rules
    } else if let Some(inclusion) = inclusions.first() {
        MembershipCause::Included(inclusion.clone())
    } else {
        MembershipCause::NotMatched
    }
}

/// Returns the overrides of one list that apply to the learner; overrides by name come first.
fn applying(
    targets: &BTreeSet<Target>,
    own: ProfileId,
    person: UserId,
    others: &dyn Fn(ProfileId) -> Option<OtherProfile>,
) -> Result<Vec<Named>, AudienceError> {
    let mut applying = Vec::new();
    for target in targets {
        match *target {
            Target::User(user) if user == person => applying.push(Named {
                target: *target,
                title: None,
            }),
            Target::User(_) => {}
            Target::Profile(on) if on == own => return Err(AudienceError::Cycle),
            Target::Profile(on) => {
                let other = others(on).ok_or(AudienceError::Dependency { on })?;
                if other.member {
                    applying.push(Named {
                        target: *target,
                        title: Some(other.title),
                    });
                }
            }
        }
    }
    Ok(applying)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;
    use proptest::sample::select;
    use serde_json::{Value, json};

    use super::*;
    use crate::audience::desired_members::evaluate;
    use crate::audience::profile::Overrides;
    use crate::rules::MatchMode;
    use crate::snapshot::lms::{FieldKind, Progress};
    use crate::testing::{World, profile, profile_id, slot};

    const PEOPLE: [&str; 3] = ["Ada", "Grace", "Alan"];

    fn rule(field: &str, operator: &str, value: Value) -> Value {
        json!({"field": field, "operator": operator, "value": value})
    }

    fn stranger(_: ProfileId) -> Option<OtherProfile> {
        None
    }

    fn explained(world: &World, profile: &Profile, name: &str) -> Explanation {
        explain(
            profile,
            &world.snapshot(),
            slot(),
            World::user(name),
            &stranger,
        )
        .expect("no audience")
        .expect("learner not found")
    }

    fn academy() -> World {
        let mut world = World::new();
        world.course("Security 101");
        world.field("Hire Date", FieldKind::Date);
        world
            .person("Ada")
            .with("city", " San Diego ")
            .with("jobTitle", "Customer Success Manager")
            .custom("Hire Date", "2026-10-01")
            .person("Grace")
            .with("city", "Oslo")
            .custom("Hire Date", "soon")
            .without_entra();
        world.completed("Ada", "Security 101", "2026-01-01");
        world.enrol(
            "Grace",
            "Security 101",
            Progress::InProgress,
            None,
            Some("2026-03-01"),
        );
        world
    }

    /// A profile for managers in some cities, hired recently, who completed the course recently.
    fn managers(world: &World) -> Profile {
        let mut profile = profile("Managers");
        profile.filter.properties = Some(json!({"combinator": "and", "rules": [
            {"combinator": "or", "rules": [
                rule("city", "=", json!("Denver")),
                rule("city", "=", json!("San Diego")),
            ]},
            rule("jobTitle", "beginsWith", json!("Customer")),
        ]}));
        profile.filter.dates = Some(json!({"combinator": "and", "rules": [
            rule(&world.field_name("Hire Date"), "inLast", json!(90)),
        ]}));
        profile.filter.activities = Some(json!({"combinator": "and", "rules": [
            rule(&world.course_name("Security 101"), "completedInLast", Value::Null),
        ]}));
        profile
    }

    #[test]
    fn somebody_outside_reads_what_decided_and_what_would_change_it() {
        let world = academy();
        let profile = managers(&world);
        let texts = ["Ada", "Grace"].map(|name| explained(&world, &profile, name).to_string());
        insta::assert_snapshot!(texts.join("\n---\n\n"));
    }

    #[test]
    fn a_member_reads_what_keeps_them_in_and_programs_read_the_same() {
        let world = academy();
        let mut profile = managers(&world);
        profile.filter.activities = None;
        profile.filter.mode = MatchMode::Any;
        profile.overrides.include = [Target::User(World::user("Ada"))].into();
        let explanation = explained(&world, &profile, "Ada");
        let text = serde_json::to_string_pretty(&explanation).expect("explanation not serialized");
        let read: Explanation = serde_json::from_str(&text).expect("explanation not deserialized");
        assert_eq!(read, explanation);
        let field = World::field_id("Hire Date").to_string();
        insta::assert_snapshot!(text.replace(&field, "HIRED"));
    }

    /// Proves S4-088b: an excluded learner joins only if the exclusion is removed.
    #[test]
    fn who_is_excluded_by_name_joins_only_without_the_exclusion() {
        let world = academy();
        let mut profile = managers(&world);
        profile.filter.activities = None;
        profile.overrides.exclude = [Target::User(World::user("Ada"))].into();
        let explanation = explained(&world, &profile, "Ada");
        assert!(matches!(explanation.because, MembershipCause::Excluded(_)) && !explanation.member);
        let ways: Vec<_> = explanation.ways.iter().map(ToString::to_string).collect();
        assert_eq!(ways, ["the exclusion by name would have to be removed"]);
    }

    #[test]
    fn who_lacks_an_account_would_need_one() {
        let world = academy();
        let mut profile = profile("Norway");
        profile.overrides.include = [Target::User(World::user("Grace"))].into();
        let explanation = explained(&world, &profile, "Grace");
        assert!(explanation.member && !explanation.reachable);
        assert_eq!(explanation.ways.len(), 1);
        assert_eq!(explanation.ways[0].steps[0].change, WhatIfChange::Account);
    }

    /// Proves S4-044: unknown learners are in no audience; S4-088f: other profiles are not guessed.
    #[test]
    fn strangers_circles_and_unknown_profiles_are_not_explained() {
        let (world, mut profile) = (academy(), profile("P"));
        profile.overrides.include = [Target::Profile(profile_id("Gone"))].into();
        let asked = |profile: &Profile, name: &str| {
            let user = World::user(name);
            explain(profile, &world.snapshot(), slot(), user, &stranger)
        };
        assert_eq!(asked(&profile, "Nobody"), Ok(None));
        let on = profile_id("Gone");
        assert_eq!(
            asked(&profile, "Ada"),
            Err(AudienceError::Dependency { on })
        );
        profile.overrides.include = [Target::Profile(profile.id)].into();
        assert_eq!(asked(&profile, "Ada"), Err(AudienceError::Cycle));
        profile.overrides = Overrides::default();
        assert_eq!(asked(&profile, "Ada"), Err(AudienceError::Empty));
    }

    // Strategies for random filters, overrides and users.

    fn maybe(values: &'static [&'static str]) -> impl Strategy<Value = Option<&'static str>> {
        proptest::option::of(select(values))
    }

    fn people() -> impl Strategy<Value = World> {
        let person = (
            maybe(&["Denver", "OSLO ", "Las Vegas"]),
            maybe(&["9", "10,5", "unknown"]),
            maybe(&["true", "0"]),
            maybe(&["2026-11-20", "2020-01-01", "2026-12-01", "nonsense"]),
            any::<bool>(),
        );
        let progress = [
            Progress::Completed,
            Progress::InProgress,
            Progress::NotStarted,
        ];
        let enrolment = (
            select(&PEOPLE[..]),
            select(&["A", "B"][..]),
            select(progress.to_vec()),
            maybe(&["2026-11-10", "2020-01-01"]),
            maybe(&["2026-11-01", "2027-01-01", "2019-01-01"]),
        );
        (
            proptest::collection::vec(person, PEOPLE.len()),
            proptest::collection::vec(enrolment, 0..6),
        )
            .prop_map(|(people, enrolments)| {
                let mut world = World::new();
                world.course("A");
                world.course("B");
                world.field("Number", FieldKind::Number);
                world.field("Certified", FieldKind::Boolean);
                world.field("Hired", FieldKind::Date);
                for (name, (city, number, certified, hired, account)) in
                    PEOPLE.into_iter().zip(people)
                {
                    let mut person = world.person(name);
                    if let Some(city) = city {
                        person = person.with("city", city);
                    }
                    let custom = [
                        ("Number", number),
                        ("Certified", certified),
                        ("Hired", hired),
                    ];
                    for (field, value) in custom {
                        if let Some(value) = value {
                            person = person.custom(field, value);
                        }
                    }
                    if !account {
                        person.without_entra();
                    }
                }
                for (name, course, progress, done, due) in enrolments {
                    world.enrol(name, course, progress, done, due);
                }
                world
            })
    }

    fn property_rules() -> Vec<Value> {
        let number = format!("custom:{}", World::field_id("Number"));
        let certified = format!("custom:{}", World::field_id("Certified"));
        vec![
            rule("city", "=", json!("denver")),
            rule("city", "!=", json!("Oslo")),
            rule("city", "in", json!(["Oslo", "Las Vegas"])),
            rule("city", "doesNotContain", json!("as")),
            rule("city", "matches", json!("^l|o$")),
            rule("city", "null", Value::Null),
            rule("title", "endsWith", json!("A")),
            rule(&number, "<", json!(10)),
            rule(&number, "notBetween", json!([9, 10])),
            rule(&number, "notNull", Value::Null),
            rule(&certified, "=", json!(true)),
            rule(&certified, "!=", json!("yes")),
        ]
    }

    fn date_rules() -> Vec<Value> {
        let hired = format!("custom:{}", World::field_id("Hired"));
        vec![
            rule(&hired, "before", json!("2026-11-20")),
            rule(&hired, "after", json!("2026-11-20")),
            rule(&hired, "on", json!("2026-11-20")),
            rule(&hired, "notBetween", json!(["2020-01-01", "2026-11-30"])),
            rule(&hired, "inLast", json!(30)),
            rule(&hired, "inNext", json!(30)),
            rule(&hired, "moreThanAgo", json!("30")),
            rule(&hired, "null", Value::Null),
        ]
    }

    fn activity_rules() -> Vec<Value> {
        let courses = ["A", "B"].map(|title| format!("course:{}", World::course_id(title)));
        let operators = [
            "completed",
            "notCompleted",
            "completedInLast",
            "overdue",
            "inProgress",
            "enrolled",
            "notEnrolled",
        ];
        courses
            .iter()
            .flat_map(|course| operators.map(|operator| rule(course, operator, Value::Null)))
            .collect()
    }

    fn tree(rules: Vec<Value>) -> impl Strategy<Value = Option<Value>> {
        fn group((and, not, rules): (bool, bool, Vec<Value>)) -> Value {
            let combinator = if and { "and" } else { "or" };
            json!({"combinator": combinator, "not": not, "rules": rules})
        }
        let parts = select(rules).prop_recursive(3, 8, 3, |inner| {
            let rules = proptest::collection::vec(inner, 1..4);
            (any::<bool>(), any::<bool>(), rules).prop_map(group)
        });
        let rules = proptest::collection::vec(parts, 1..4);
        let root = (any::<bool>(), any::<bool>(), rules).prop_map(group);
        prop_oneof![
            2 => root.prop_map(Some),
            1 => Just(None),
            1 => Just(Some(json!({"combinator": "and", "rules": []}))),
        ]
    }

    fn audience() -> impl Strategy<Value = Profile> {
        let target = select(vec![
            Target::User(World::user("Ada")),
            Target::User(World::user("Grace")),
            Target::Profile(profile_id("Other")),
        ]);
        let targets = || proptest::collection::btree_set(target.clone(), 0..2);
        (
            any::<bool>(),
            tree(property_rules()),
            tree(date_rules()),
            tree(activity_rules()),
            targets(),
            targets(),
        )
            .prop_map(|(all, properties, dates, activities, include, exclude)| {
                let mut profile = profile("P");
                profile.filter.mode = if all { MatchMode::All } else { MatchMode::Any };
                profile.filter.properties = properties;
                profile.filter.dates = dates;
                profile.filter.activities = activities;
                profile.overrides = Overrides { include, exclude };
                profile
            })
    }

    fn other() -> Profile {
        let mut other = profile("Other");
        let rules = [rule("city", "=", json!("Denver"))];
        other.filter.properties = Some(json!({"combinator": "and", "rules": rules}));
        other
    }

    /// Returns the evaluated result and the explanation for every user.
    fn both(
        world: &World,
        profile: &Profile,
    ) -> Vec<(
        Result<bool, AudienceError>,
        Result<Explanation, AudienceError>,
    )> {
        let (snapshot, other) = (world.snapshot(), other());
        let fields = Fields::of(&snapshot);
        let audiences = [profile, &other]
            .map(|profile| Audience::of(profile, &fields).map_err(|error| (profile.id, error)));
        let desired = evaluate(&audiences, &snapshot, slot(), &BTreeMap::new());
        let holds = |id: ProfileId, name: &str| {
            let row = snapshot
                .people
                .row(World::user(name))
                .expect("learner not found");
            let change = desired[&id].as_ref().map_err(Clone::clone)?;
            Ok(change.joins.contains(&row))
        };
        let ask = |name: &str| {
            let known = |id: ProfileId| {
                Some(OtherProfile {
                    title: "Other".to_owned(),
                    member: holds(id, name).expect("no audience"),
                })
            };
            explain(profile, &snapshot, slot(), World::user(name), &known)
                .map(|explanation| explanation.expect("learner not found"))
        };
        PEOPLE
            .map(|name| (holds(profile.id, name), ask(name)))
            .into()
    }

    /// Evaluates the rules with given results. This second reading of the document is independent
    /// of the first.
    fn matches(document: &Value, pointer: &str, outcomes: &BTreeMap<String, bool>) -> bool {
        let Some(rules) = document["rules"].as_array() else {
            return outcomes[pointer];
        };
        let mut parts = rules
            .iter()
            .enumerate()
            .map(|(index, part)| matches(part, &format!("{pointer}/rules/{index}"), outcomes));
        let inner = if document["combinator"] == "and" {
            parts.all(|part| part)
        } else {
            parts.any(|part| part)
        };
        inner != document["not"].as_bool().unwrap_or(false)
    }

    /// Everything that can change for one learner.
    #[derive(Clone)]
    struct Stage<'a> {
        profile: &'a Profile,
        user: UserId,
        outcomes: BTreeMap<String, bool>,
        include: BTreeSet<Target>,
        exclude: BTreeSet<Target>,
        reachable: bool,
    }

    impl<'a> Stage<'a> {
        fn of(profile: &'a Profile, explanation: &Explanation) -> Self {
            let rules = explanation.rules.iter().flat_map(SeenGroup::leaves);
            let targets = |named: &[Named]| named.iter().map(|named| named.target).collect();
            Self {
                profile,
                user: explanation.user,
                outcomes: rules
                    .map(|rule| (rule.pointer.clone(), rule.holds))
                    .collect(),
                include: targets(&explanation.inclusions),
                exclude: targets(&explanation.exclusions),
                reachable: explanation.reachable,
            }
        }

        fn rules_match(&self) -> bool {
            let filter = &self.profile.filter;
            let sections = [
                ("properties", &filter.properties),
                ("dates", &filter.dates),
                ("activities", &filter.activities),
            ];
            let found: Vec<bool> = sections
                .into_iter()
                .filter_map(|(name, tree)| Some((name, tree.as_ref()?)))
                .filter(|(_, tree)| tree["rules"] != json!([]))
                .map(|(name, tree)| matches(tree, &format!("/filter/{name}"), &self.outcomes))
                .collect();
            match filter.mode {
                MatchMode::All => !found.is_empty() && found.iter().all(|holds| *holds),
                MatchMode::Any => found.iter().any(|holds| *holds),
            }
        }

        fn in_group(&self) -> bool {
            let member = self.rules_match() || !self.include.is_empty();
            member && self.exclude.is_empty() && self.reachable
        }

        fn take(&mut self, change: &WhatIfChange) {
            match change {
                WhatIfChange::Rule { pointer, holds, .. } => {
                    let before = self.outcomes.insert(pointer.clone(), *holds);
                    assert_eq!(before, Some(!holds), "{pointer}");
                }
                WhatIfChange::RemoveInclusion(named) => assert!(self.include.remove(&named.target)),
                WhatIfChange::RemoveExclusion(named) => assert!(self.exclude.remove(&named.target)),
                WhatIfChange::Include => assert!(self.include.insert(Target::User(self.user))),
                WhatIfChange::Exclude => assert!(self.exclude.insert(Target::User(self.user))),
                WhatIfChange::Account => self.reachable = true,
            }
        }

        fn after<'c>(&self, changes: impl IntoIterator<Item = &'c WhatIfChange>) -> Self {
            let mut after = self.clone();
            changes.into_iter().for_each(|change| after.take(change));
            after
        }

        /// Returns all possible changes.
        fn changes(&self) -> Vec<WhatIfChange> {
            let rules = self
                .outcomes
                .iter()
                .map(|(pointer, holds)| WhatIfChange::Rule {
                    pointer: pointer.clone(),
                    holds: !holds,
                    also: Vec::new(),
                });
            let named = |target: &Target| Named {
                target: *target,
                title: None,
            };
            let me = Target::User(self.user);
            rules
                .chain(
                    self.include
                        .iter()
                        .map(|target| WhatIfChange::RemoveInclusion(named(target))),
                )
                .chain(
                    self.exclude
                        .iter()
                        .map(|target| WhatIfChange::RemoveExclusion(named(target))),
                )
                .chain((!self.include.contains(&me)).then_some(WhatIfChange::Include))
                .chain((!self.exclude.contains(&me)).then_some(WhatIfChange::Exclude))
                .chain((!self.reachable).then_some(WhatIfChange::Account))
                .collect()
        }
    }

    /// Returns all subsets with at most `most` items.
    fn choices<T>(items: &[T], most: usize) -> impl Iterator<Item = Vec<&T>> {
        let all = 1u32 << items.len();
        (0..all)
            .filter(move |mask| mask.count_ones() as usize <= most)
            .map(|mask| {
                let chosen = items.iter().enumerate();
                let chosen = chosen.filter(move |(index, _)| mask >> index & 1 == 1);
                chosen.map(|(_, item)| item).collect()
            })
    }

    fn every_way_works_and_is_the_shortest(stage: &Stage<'_>, ways: &[Way]) {
        let now = stage.in_group();
        for way in ways {
            let changes: Vec<&WhatIfChange> = way.steps.iter().map(|step| &step.change).collect();
            assert_ne!(
                stage.after(changes.iter().copied()).in_group(),
                now,
                "{way}"
            );
            for left_out in 0..changes.len() {
                let rest = changes.iter().enumerate();
                let rest = rest.filter(|(index, _)| *index != left_out);
                let after = stage.after(rest.map(|(_, change)| *change));
                assert_eq!(after.in_group(), now, "{way}, without step {left_out}");
            }
        }
        let shortest = ways[0].steps.len();
        for fewer in choices(&stage.changes(), shortest - 1) {
            assert_eq!(
                stage.after(fewer.iter().copied()).in_group(),
                now,
                "{fewer:?}"
            );
        }
    }

    /// Checks that the listed rules are the fewest, even if an override would be shorter.
    fn no_fewer_rules_turn_the_match(stage: &Stage<'_>, ways: &[Way]) {
        let is_rule = |change: &WhatIfChange| matches!(change, WhatIfChange::Rule { .. });
        let all: Vec<WhatIfChange> = stage.changes().into_iter().filter(is_rule).collect();
        for way in ways {
            let steps = way.steps.iter();
            let rules = steps.filter(|step| is_rule(&step.change)).count();
            for fewer in choices(&all, rules.saturating_sub(1)).filter(|_| rules > 0) {
                let after = stage.after(fewer.iter().copied());
                assert_eq!(after.rules_match(), stage.rules_match(), "{fewer:?}");
            }
        }
    }

    /// Returns true if the rules determine the match whatever the results of the others are.
    fn settles(stage: &Stage<'_>, rules: &[&String]) -> bool {
        let others: Vec<WhatIfChange> = (stage.outcomes.iter())
            .filter(|(pointer, _)| !rules.contains(pointer))
            .map(|(pointer, holds)| WhatIfChange::Rule {
                pointer: pointer.clone(),
                holds: !holds,
                also: Vec::new(),
            })
            .collect();
        choices(&others, others.len())
            .all(|turned| stage.after(turned).rules_match() == stage.rules_match())
    }

    fn the_decisive_rules_are_the_fewest_that_settle_it(
        stage: &Stage<'_>,
        explanation: &Explanation,
    ) {
        let rules = explanation.rules.iter().flat_map(SeenGroup::leaves);
        let decisive: Vec<&String> = rules
            .filter(|rule| rule.decisive)
            .map(|rule| &rule.pointer)
            .collect();
        match explanation.because {
            MembershipCause::Included(_) | MembershipCause::Excluded(_) => {
                assert!(decisive.is_empty());
            }
            MembershipCause::Rules | MembershipCause::NotMatched if explanation.rules.is_none() => {
            }
            MembershipCause::Rules | MembershipCause::NotMatched => {
                assert!(settles(stage, &decisive));
                let all: Vec<&String> = stage.outcomes.keys().collect();
                for fewer in choices(&all, decisive.len() - 1) {
                    let fewer: Vec<&String> = fewer.into_iter().copied().collect();
                    assert!(!settles(stage, &fewer), "{fewer:?}");
                }
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(400))]

        /// Proves S4-065 to S4-068 and S4-088a, S4-088b again, by an independent evaluation.
        #[test]
        fn an_explanation_says_what_the_audience_says(world in people(), profile in audience()) {
            for (desired, explained) in both(&world, &profile) {
                match explained {
                    Ok(explanation) => {
                        prop_assert_eq!(desired, Ok(explanation.member));
                        let stage = Stage::of(&profile, &explanation);
                        let rules = explanation.rules.as_ref();
                        prop_assert_eq!(stage.rules_match(), rules.is_some_and(|rules| rules.holds));
                        prop_assert_eq!(stage.in_group(), explanation.member && explanation.reachable);
                    }
                    Err(error) => prop_assert_eq!(desired, Err(error)),
                }
            }
        }

        #[test]
        fn what_is_said_to_decide_decides_and_what_would_change_it_changes_it(
            world in people(),
            profile in audience(),
        ) {
            for (_, explained) in both(&world, &profile) {
                let Ok(explanation) = explained else { continue };
                let stage = Stage::of(&profile, &explanation);
                // All subsets of the rules are tried, so the trees must be small.
                if stage.outcomes.len() <= 7 {
                    every_way_works_and_is_the_shortest(&stage, &explanation.ways);
                    no_fewer_rules_turn_the_match(&stage, &explanation.ways);
                    the_decisive_rules_are_the_fewest_that_settle_it(&stage, &explanation);
                }
            }
        }
    }
}
