//! Warnings against the plain walk: what is claimed holds for random people; and each kind by example.

use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Value, json};

use super::*;
use crate::audience::profile::Target;
use crate::base::ids::CourseId;
use crate::rules::evaluate::PersonValues;
use crate::rules::{Expr, MatchMode};
use crate::snapshot::lms::{FieldKind, Progress};
use crate::testing::{World, day, profile, profile_id, slot};

const PEOPLE: [&str; 6] = ["Ada", "Grace", "Alan", "Edsger", "Barbara", "Donald"];

fn rule(field: &str, operator: &str, value: Value) -> Value {
    json!({"field": field, "operator": operator, "value": value})
}

fn and(rules: &[Value]) -> Value {
    json!({"combinator": "and", "rules": rules})
}

fn or(rules: &[Value]) -> Value {
    json!({"combinator": "or", "rules": rules})
}

fn custom(title: &str) -> String {
    format!("custom:{}", World::field_id(title))
}

fn course(title: &str) -> String {
    format!("course:{}", World::course_id(title))
}

fn academy() -> World {
    let mut world = World::new();
    world.course("A");
    world.course("B");
    world.field("Number", FieldKind::Number);
    world.field("Certified", FieldKind::Boolean);
    world.field("Hired", FieldKind::Date);
    world
        .person("Ada")
        .with("city", "Denver")
        .with("jobTitle", "Engineer")
        .person("Grace")
        .with("city", "San Diego")
        .with("jobTitle", "Engineering Manager");
    world
}

fn linted(world: &World, profile: &Profile) -> Vec<Warning> {
    let snapshot = world.snapshot();
    lint(profile, &snapshot, &Fields::of(&snapshot), slot())
}

fn section(field: &str) -> &'static str {
    if field == custom("Hired") {
        "dates"
    } else if field.starts_with("course:") {
        "activities"
    } else {
        "properties"
    }
}

/// The logical warnings about one section's tree, without their places' beginning.
fn logic(section: &str, tree: &Value) -> Vec<(WarningKind, String)> {
    let mut profile = profile("P");
    profile.filter = serde_json::from_value(json!({section: tree})).expect("a filter");
    let logical = [
        WarningKind::NeverTrue,
        WarningKind::AlwaysTrue,
        WarningKind::RuleWithoutEffect,
    ];
    let prefix = format!("/filter/{section}");
    linted(&academy(), &profile)
        .into_iter()
        .filter(|warning| logical.contains(&warning.kind))
        .map(|warning| (warning.kind, warning.pointer.replace(&prefix, "")))
        .collect()
}

#[track_caller]
fn never(rules: &[Value]) {
    let section = section(rules[0]["field"].as_str().unwrap_or("city"));
    let found = logic(section, &and(rules));
    assert!(
        found.contains(&(WarningKind::NeverTrue, String::new())),
        "{rules:?}: {found:?}"
    );
    // The same said the other way round is always true.
    let found = logic(
        section,
        &json!({"combinator": "and", "not": true, "rules": rules}),
    );
    assert_eq!(found, [(WarningKind::AlwaysTrue, String::new())]);
}

#[track_caller]
fn sometimes(rules: &[Value]) {
    let section = section(rules[0]["field"].as_str().unwrap_or("city"));
    let found = logic(section, &and(rules));
    assert!(
        found
            .iter()
            .all(|(kind, _)| *kind == WarningKind::RuleWithoutEffect),
        "{rules:?}: {found:?}"
    );
}

#[test]
fn texts_that_cannot_be_at_once_are_found() {
    let city = |operator: &str, value: Value| rule("city", operator, value);
    never(&[city("=", json!("Denver")), city("=", json!("Oslo"))]);
    never(&[city("=", json!("Denver")), city("!=", json!(" DENVER "))]);
    never(&[city("in", json!(["A", "B"])), city("in", json!(["C"]))]);
    never(&[city("in", json!(["A", "B"])), city("notIn", json!("a,b,c"))]);
    never(&[city("=", json!("Denver")), city("null", Value::Null)]);
    never(&[city("null", Value::Null), city("notNull", Value::Null)]);
    never(&[city("=", json!("Denver")), city("contains", json!("x"))]);
    never(&[
        city("beginsWith", json!("De")),
        city("beginsWith", json!("Os")),
    ]);
    never(&[city("endsWith", json!("er")), city("endsWith", json!("lo"))]);
    never(&[
        city("beginsWith", json!("Den")),
        city("doesNotBeginWith", json!("de")),
    ]);
    never(&[
        city("contains", json!("enve")),
        city("doesNotContain", json!("nv")),
    ]);
    never(&[
        city("matches", json!("^d")),
        json!({"combinator": "and", "not": true, "rules": [city("matches", json!("^d"))]}),
    ]);
    never(&[
        city("=", json!("Denver")),
        or(&[city("=", json!("Oslo")), city("beginsWith", json!("x"))]),
    ]);
    sometimes(&[
        city("beginsWith", json!("De")),
        city("beginsWith", json!("Den")),
    ]);
    sometimes(&[city("!=", json!("Denver")), city("!=", json!("Oslo"))]);
    sometimes(&[city("!=", json!("Denver")), city("null", Value::Null)]);
    sometimes(&[city("contains", json!("a")), city("matches", json!("^b$"))]);
    sometimes(&[
        city("=", json!("Denver")),
        rule("office", "=", json!("Oslo")),
    ]);
}

#[test]
fn numbers_and_truths_that_cannot_be_at_once_are_found() {
    let (number, certified) = (custom("Number"), custom("Certified"));
    let n = |operator: &str, value: Value| rule(&number, operator, value);
    never(&[n("<", json!(5)), n(">", json!(5))]);
    never(&[n("<", json!(5)), n(">=", json!(5))]);
    never(&[n("between", json!([1, 3])), n("between", json!([4, 6]))]);
    never(&[n("between", json!([1, 3])), n("notBetween", json!([0, 9]))]);
    never(&[
        n(">=", json!(1)),
        n("<=", json!(5)),
        n("notBetween", json!([1, 3])),
        n("notBetween", json!([3, 5])),
    ]);
    never(&[n("=", json!(7)), n("notIn", json!([7, 8]))]);
    never(&[n("<", json!(5)), n("null", Value::Null)]);
    never(&[
        rule(&certified, "=", json!(true)),
        rule(&certified, "=", json!("no")),
    ]);
    sometimes(&[n("<", json!(6)), n(">", json!(5))]);
    sometimes(&[n("<=", json!(5)), n(">=", json!(5))]);
    // "unknown" is neither less nor more, and not missing.
    sometimes(&[n("notBetween", json!([0, 9])), n("!=", json!(12))]);
    let neither =
        json!({"combinator": "or", "not": true, "rules": [n("<", json!(5)), n(">=", json!(5))]});
    sometimes(&[n("notNull", Value::Null), neither]);
    sometimes(&[
        rule(&certified, "!=", json!(true)),
        rule(&certified, "!=", json!("no")),
    ]);
}

/// Rules that count days are judged for every time to come, not for today alone.
#[test]
fn dates_that_cannot_be_at_once_are_found() {
    let hired = custom("Hired");
    let d = |operator: &str, value: Value| rule(&hired, operator, value);
    never(&[
        d("before", json!("2023-01-01")),
        d("after", json!("2023-01-01")),
    ]);
    never(&[
        d("before", json!("2023-01-01")),
        d("on", json!("2023-01-01")),
    ]);
    never(&[
        d("between", json!(["2023-01-01", "2023-01-31"])),
        d("notBetween", json!(["2022-01-01", "2024-01-01"])),
    ]);
    never(&[d("before", json!("2020-01-01")), d("inLast", json!(30))]);
    never(&[d("inLast", json!(30)), d("moreThanAgo", json!(30))]);
    never(&[d("inNext", json!(30)), d("moreThanAgo", json!(1))]);
    never(&[d("inLast", json!(30)), d("null", Value::Null)]);
    // Not today, but one day.
    sometimes(&[d("after", json!("2030-01-01")), d("inLast", json!(30))]);
    sometimes(&[d("after", json!("2030-01-01")), d("moreThanAgo", json!(5))]);
    sometimes(&[d("inLast", json!(30)), d("inNext", json!(30))]);
    sometimes(&[d("notBetween", json!(["2023-01-01", "2023-12-31"]))]);
}

#[test]
fn activities_that_cannot_be_at_once_are_found() {
    let (a, b) = (course("A"), course("B"));
    let on = |course: &str, operator: &str, value: Value| rule(course, operator, value);
    let is = |operator: &str| on(&a, operator, Value::Null);
    never(&[is("completed"), is("notCompleted")]);
    never(&[is("overdue"), is("notEnrolled")]);
    never(&[on(&a, "completedInLast", json!(7)), is("notCompleted")]);
    sometimes(&[is("completed"), is("inProgress")]);
    sometimes(&[is("completed"), is("overdue")]);
    sometimes(&[is("completed"), on(&b, "notCompleted", Value::Null)]);
}

#[test]
fn a_choice_that_is_none_is_always_true_and_the_smallest_part_is_blamed() {
    let not = |city: &str| rule("city", "!=", json!(city));
    let tree = and(&[
        rule("office", "=", json!("A")),
        or(&[not("Denver"), not("Oslo")]),
        or(&[
            and(&[rule("city", "=", json!("A")), rule("city", "=", json!("B"))]),
            rule("company", "=", json!("C")),
        ]),
    ]);
    assert_eq!(
        logic("properties", &tree),
        [
            (WarningKind::AlwaysTrue, "/rules/1".to_owned()),
            (WarningKind::NeverTrue, "/rules/2/rules/0".to_owned()),
        ]
    );
}

#[test]
fn a_rule_that_others_say_already_is_found() {
    let city = |operator: &str, value: Value| rule("city", operator, value);
    let without = |tree: &Value| -> Vec<String> {
        let found = logic("properties", tree);
        found
            .into_iter()
            .map(|(kind, pointer)| {
                assert_eq!(kind, WarningKind::RuleWithoutEffect);
                pointer
            })
            .collect()
    };
    let (denver, some) = (city("=", json!("Denver")), city("notNull", Value::Null));
    assert_eq!(without(&and(&[denver.clone(), some.clone()])), ["/rules/1"]);
    assert_eq!(without(&or(&[denver.clone(), some])), ["/rules/0"]);
    assert_eq!(
        without(&and(&[denver.clone(), denver.clone()])),
        ["/rules/1"]
    );
    let cities = city("in", json!(["Denver", "Oslo"]));
    assert_eq!(
        without(&or(&[cities.clone(), denver.clone()])),
        ["/rules/1"]
    );
    assert_eq!(without(&and(&[cities, denver.clone()])), ["/rules/0"]);
    assert_eq!(
        without(&and(&[denver, rule("office", "=", json!("Denver"))])),
        Vec::<String>::new()
    );
}

#[test]
fn a_value_nobody_has_is_named_with_the_one_that_was_meant() {
    let world = academy();
    let mut profile = profile("P");
    profile.filter.properties = Some(or(&[
        rule("city", "=", json!(" Dever")),
        rule("city", "!=", json!("Oslo")),
        rule("city", "in", json!(["DENVER", "San Diago", "Osl", "Bern"])),
        rule("city", "in", json!("a, b, c, d, e, f, g, denver")),
        rule("jobTitle", "beginsWith", json!("Manager")),
        rule("jobTitle", "endsWith", json!("Manager")),
        rule("jobTitle", "contains", json!("neering")),
        rule("jobTitle", "contains", json!("Director")),
        rule("company", "=", json!("Contoso")),
        rule(&custom("Number"), "=", json!(7)),
    ]));
    let told: Vec<_> = linted(&world, &profile)
        .iter()
        .filter(|warning| warning.kind == WarningKind::UnknownValue)
        .map(|warning| format!("{} {}", &warning.pointer[19..], warning.detail))
        .collect();
    insta::assert_snapshot!(told.join("\n"), @r#"
    rules/0 no learner's City is "Dever"; did you mean "Denver"?
    rules/1 no learner's City is "Oslo"
    rules/2 no learner's City is any of "Bern", "Osl", "San Diago" (did you mean "San Diego"?)
    rules/3 no learner's City is any of "a", "b", "c", "d", "e" and 2 more
    rules/4 no learner's Job Title begins with "Manager"
    rules/7 no learner's Job Title contains "Director"
    rules/8 no learner's Company is "Contoso"
    "#);
}

#[test]
fn the_whole_audience_is_judged_unless_other_profiles_take_part() {
    let world = academy();
    let kinds = |profile: &Profile| -> Vec<(WarningKind, String)> {
        let found = linted(&world, profile).into_iter();
        found
            .map(|warning| (warning.kind, warning.pointer))
            .collect()
    };
    let mut profile = profile("P");
    profile.filter.properties = Some(and(&[rule("title", "notNull", Value::Null)]));
    assert_eq!(
        kinds(&profile),
        [(WarningKind::MatchesEverybody, "/filter".to_owned())]
    );
    profile.overrides.exclude = [Target::User(World::user("Ada"))].into();
    assert_eq!(kinds(&profile), []);
    profile.filter.properties = Some(and(&[rule("title", "null", Value::Null)]));
    assert_eq!(
        kinds(&profile),
        [(WarningKind::MatchesNobody, "/filter".to_owned())]
    );
    profile.overrides.include = [Target::Profile(profile_id("Other"))].into();
    assert_eq!(kinds(&profile), []);
    assert_eq!(size_warning(&profile, 0, 0), None);
    assert!(size_warning(&profile, 7, 7).is_some() && size_warning(&profile, 6, 7).is_none());
}

#[test]
fn courses_nobody_can_see_are_named() {
    let mut world = academy();
    let mut snapshot = world.snapshot();
    world.remove_course("B");
    let hidden = snapshot
        .courses
        .iter_mut()
        .find(|course| course.title == "A");
    hidden.expect("there").published = false;
    snapshot.courses.retain(|course| course.title != "B");
    let mut profile = profile("P");
    profile.courses = ["A", "B"].map(World::course_id).into();
    profile.filter.activities = Some(or(&[
        rule(&course("A"), "notCompleted", Value::Null),
        rule(&course("A"), "enrolled", Value::Null),
    ]));
    let places: Vec<CourseId> = profile.courses.iter().copied().collect();
    let place = |title: &str| {
        let place = places.iter().position(|id| *id == World::course_id(title));
        format!("/courses/{}", place.expect("selected"))
    };
    let found = lint(&profile, &snapshot, &Fields::of(&snapshot), slot());
    let of = |kind: WarningKind| -> Vec<String> {
        let found = found.iter().filter(|warning| warning.kind == kind);
        found.map(|warning| warning.pointer.clone()).collect()
    };
    assert_eq!(of(WarningKind::DeletedCourse), [place("B")]);
    let rules = [0, 1].map(|index| format!("/filter/activities/rules/{index}"));
    let [first, second] = rules;
    assert_eq!(
        of(WarningKind::UnpublishedCourse),
        [place("A"), first, second]
    );
}

#[test]
fn rules_that_cannot_be_checked_are_passed_over_and_others_are_not() {
    let mut profile = profile("P");
    profile.filter.properties = Some(and(&[
        rule("city", "=", json!("Denver")),
        rule("city", "=", json!("Oslo")),
        rule("salary", "=", json!("x")),
        rule("city", "<", json!("x")),
    ]));
    profile.filter.dates = Some(json!({"combinator": "and", "rules": [7]}));
    let found = linted(&academy(), &profile);
    let kinds: Vec<_> = found.iter().map(|warning| warning.kind).collect();
    assert_eq!(kinds, [WarningKind::NeverTrue, WarningKind::UnknownValue]);
    let written = serde_json::to_value(&found[0]).expect("writes");
    assert_eq!(written["kind"], "never_true");
    assert_eq!(written["pointer"], "/filter/properties");
}

#[test]
fn warnings_are_bounded() {
    let rules: Vec<Value> = (0..1_500)
        .map(|number| rule("city", "=", json!(format!("City {number}"))))
        .collect();
    let mut profile = profile("P");
    profile.filter.properties = Some(or(&rules));
    assert_eq!(linted(&academy(), &profile).len(), MAX_WARNINGS);
}

// Random rules and people.

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

/// The expression of the part of a profile that a pointer names.
fn part(profile: &Profile, pointer: &str, fields: &Fields) -> Expr {
    let document = serde_json::to_value(profile).expect("writes");
    let part = document.pointer(pointer).expect("a part").clone();
    let mut alone = crate::testing::profile("P");
    if pointer == "/filter" {
        alone.filter = serde_json::from_value(part).expect("a filter");
    } else {
        let section = pointer.split('/').nth(2).expect("a section");
        let tree = json!({"combinator": "and", "rules": [part]});
        alone.filter = serde_json::from_value(json!({section: tree})).expect("a filter");
    }
    let checked = alone.filter.check(fields, chrono_tz::UTC);
    checked.expect("no problem").expect("rules").0
}

/// The same profile without the rule a pointer names.
fn without(profile: &Profile, pointer: &str) -> (Profile, String) {
    let (rules, index) = pointer.rsplit_once('/').expect("a rule of a group");
    let group = rules.strip_suffix("/rules").expect("a group").to_owned();
    let mut document = serde_json::to_value(profile).expect("writes");
    let rules = document.pointer_mut(rules).and_then(Value::as_array_mut);
    rules
        .expect("rules")
        .remove(index.parse().expect("an index"));
    (serde_json::from_value(document).expect("a profile"), group)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    /// What is said to be never or always true is so for everyone, today and later.
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
