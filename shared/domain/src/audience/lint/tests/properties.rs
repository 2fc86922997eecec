//! Tests that no warning contradicts the tree walk over all users.

use super::*;

fn maybe(values: &'static [&'static str]) -> impl Strategy<Value = Option<&'static str>> {
    proptest::option::of(select(values))
}

fn people() -> impl Strategy<Value = World> {
    let person = (
        maybe(&["Denver", "OSLO ", "Den", "os"]),
        maybe(&["9", "10,5", "unknown", "8", "11"]),
        maybe(&["true", "0", "perhaps"]),
        maybe(&[
            "2026-11-20",
            "2026-11-21",
            "2026-11-18",
            "2026-11-23",
            "nonsense",
        ]),
    );
    let progress = [
        Progress::Completed,
        Progress::InProgress,
        Progress::NotStarted,
    ];
    let enrolment = (
        select(&PEOPLE[..]),
        select(progress.to_vec()),
        maybe(&["2026-11-19", "2020-01-01"]),
        maybe(&["2026-11-01", "2027-01-01"]),
    );
    (
        proptest::collection::vec(person, PEOPLE.len()),
        proptest::collection::vec(enrolment, 0..12),
    )
        .prop_map(|(people, enrolments)| {
            let mut world = World::new();
            world.course("A");
            world.field("Number", FieldKind::Number);
            world.field("Certified", FieldKind::Boolean);
            world.field("Hired", FieldKind::Date);
            for (name, (city, number, certified, hired)) in PEOPLE.into_iter().zip(people) {
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
            }
            for (name, progress, done, due) in enrolments {
                world.enrol(name, "A", progress, done, due);
            }
            world
        })
}

fn rules_of(section: &str) -> Vec<Value> {
    let (number, certified, hired) = (custom("Number"), custom("Certified"), custom("Hired"));
    let day = |text: &str| json!(text);
    match section {
        "properties" => vec![
            rule("city", "=", json!("denver")),
            rule("city", "!=", json!("Denver")),
            rule("city", "in", json!(["Oslo", "Den"])),
            rule("city", "notIn", json!(["Oslo", "Denver", "os"])),
            rule("city", "contains", json!("e")),
            rule("city", "doesNotContain", json!("en")),
            rule("city", "beginsWith", json!("den")),
            rule("city", "beginsWith", json!("os")),
            rule("city", "doesNotBeginWith", json!("de")),
            rule("city", "endsWith", json!("lo")),
            rule("city", "matches", json!("^d")),
            rule("city", "null", Value::Null),
            rule("city", "notNull", Value::Null),
            rule(&number, "<", json!(10)),
            rule(&number, ">=", json!(10)),
            rule(&number, "between", json!([9, 10])),
            rule(&number, "notBetween", json!([8, 11])),
            rule(&number, "in", json!([8, 9])),
            rule(&number, "null", Value::Null),
            rule(&certified, "=", json!(true)),
            rule(&certified, "!=", json!(true)),
            rule(&certified, "=", json!(false)),
        ],
        "dates" => vec![
            rule(&hired, "before", day("2026-11-20")),
            rule(&hired, "after", day("2026-11-20")),
            rule(&hired, "on", day("2026-11-20")),
            rule(&hired, "notBetween", json!(["2026-11-18", "2026-11-21"])),
            rule(&hired, "inLast", json!(2)),
            rule(&hired, "inNext", json!(2)),
            rule(&hired, "moreThanAgo", json!(2)),
            rule(&hired, "null", Value::Null),
            rule(&hired, "notNull", Value::Null),
        ],
        _ => activity_rules(),
    }
}

fn activity_rules() -> Vec<Value> {
    let a = course("A");
    let operators = [
        "completed",
        "notCompleted",
        "overdue",
        "inProgress",
        "enrolled",
        "notEnrolled",
    ];
    let mut rules: Vec<Value> = operators
        .iter()
        .map(|operator| rule(&a, operator, Value::Null))
        .collect();
    rules.push(rule(&a, "completedInLast", json!(3)));
    rules.push(rule(&a, "completedInLast", json!(30)));
    rules
}

fn tree(section: &'static str) -> impl Strategy<Value = Value> {
    fn group((and, not, rules): (bool, bool, Vec<Value>)) -> Value {
        let combinator = if and { "and" } else { "or" };
        json!({"combinator": combinator, "not": not, "rules": rules})
    }
    let parts = select(rules_of(section)).prop_recursive(3, 10, 3, |inner| {
        let rules = proptest::collection::vec(inner, 1..4);
        (any::<bool>(), any::<bool>(), rules).prop_map(group)
    });
    let rules = proptest::collection::vec(parts, 1..5);
    (any::<bool>(), any::<bool>(), rules).prop_map(group)
}

/// Returns the expression of the part of a profile that a pointer refers to.
fn part(profile: &Profile, pointer: &str, fields: &Fields) -> Expr {
    let document = serde_json::to_value(profile).expect("profile not serialized");
    let part = document
        .pointer(pointer)
        .expect("pointer not found")
        .clone();
    let mut alone = crate::testing::profile("P");
    if pointer == "/filter" {
        alone.filter = serde_json::from_value(part).expect("invalid filter");
    } else {
        let section = pointer
            .split('/')
            .nth(2)
            .expect("pointer without a section");
        let tree = json!({"combinator": "and", "rules": [part]});
        alone.filter = serde_json::from_value(json!({section: tree})).expect("invalid filter");
    }
    let checked = alone.filter.check(fields, chrono_tz::UTC);
    checked.expect("invalid filter").expect("no rules").0
}

/// Returns the profile without the rule at a pointer, and the pointer of its group.
fn without(profile: &Profile, pointer: &str) -> (Profile, String) {
    let (rules, index) = pointer.rsplit_once('/').expect("pointer not in a group");
    let group = rules
        .strip_suffix("/rules")
        .expect("pointer not in a group")
        .to_owned();
    let mut document = serde_json::to_value(profile).expect("profile not serialized");
    let rules = document.pointer_mut(rules).and_then(Value::as_array_mut);
    rules
        .expect("group without rules")
        .remove(index.parse().expect("pointer without an index"));
    (
        serde_json::from_value(document).expect("invalid profile"),
        group,
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    /// Rules called never or always true are so for every learner, today and later.
    #[test]
    fn no_warning_claims_what_the_walk_denies(
        world in people(),
        all in any::<bool>(),
        properties in tree("properties"),
        dates in tree("dates"),
        activities in tree("activities"),
        later in select(vec!["2026-11-21", "2026-11-23", "2026-11-30", "2030-01-01"]),
    ) {
        let snapshot = world.snapshot();
        let fields = Fields::of(&snapshot);
        let mut profile = profile("P");
        profile.filter.mode = if all { MatchMode::All } else { MatchMode::Any };
        profile.filter.properties = Some(properties);
        profile.filter.dates = Some(dates);
        profile.filter.activities = Some(activities);
        let living: Vec<u32> = snapshot.people.living.iter().collect();
        for warning in lint(&profile, &snapshot, &fields, slot()) {
            let holds = |profile: &Profile, pointer: &str, at| -> Vec<bool> {
                let expr = part(profile, pointer, &fields);
                let facts = PersonValues::new(&snapshot, at, [&expr]);
                living.iter().map(|row| facts.holds(&expr, *row)).collect()
            };
            match warning.kind {
                WarningKind::NeverTrue => {
                    prop_assert!(!holds(&profile, &warning.pointer, day(later)).contains(&true), "{:?}", warning);
                }
                WarningKind::AlwaysTrue => {
                    prop_assert!(!holds(&profile, &warning.pointer, day(later)).contains(&false), "{:?}", warning);
                }
                WarningKind::RuleWithoutEffect => {
                    let (fewer, group) = without(&profile, &warning.pointer);
                    let (fewer, as_is) = (holds(&fewer, &group, day(later)), holds(&profile, &group, day(later)));
                    prop_assert_eq!(fewer, as_is, "{:?}", warning);
                }
                WarningKind::MatchesNobody => prop_assert!(!holds(&profile, "/filter", slot()).contains(&true)),
                WarningKind::MatchesEverybody => prop_assert!(!holds(&profile, "/filter", slot()).contains(&false)),
                WarningKind::UnknownValue => {
                    let expr = part(&profile, &warning.pointer, &fields);
                    let facts = PersonValues::new(&snapshot, slot(), [&expr]);
                    let leaves = expr.leaves();
                    let several = matches!(leaves[0], crate::rules::Leaf::Text(_, crate::rules::TextPredicate::In(_)));
                    prop_assert!(several || !living.iter().any(|row| facts.leaf(leaves[0], *row)), "{:?}", warning);
                }
                WarningKind::UnpublishedCourse | WarningKind::DeletedCourse | WarningKind::EqualToProfile => prop_assert!(false),
            }
        }
    }
}
