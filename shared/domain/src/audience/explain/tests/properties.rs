//! Properties of explanations over random tenants and profiles.

use std::collections::BTreeMap;

use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Value, json};

use super::oracle::*;
use super::*;

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
            for (name, (city, number, certified, hired, account)) in PEOPLE.into_iter().zip(people)
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
