//! Tests of parsing and writing filters.

use super::*;
use crate::testing::{World, matching};
use serde_json::json;

fn rule(field: &str, operator: &str, value: Value) -> Value {
    json!({"field": field, "operator": operator, "value": value})
}

#[expect(
    clippy::unnecessary_wraps,
    reason = "sections are optional, so this is what tests need"
)]
fn all(rules: Vec<Value>) -> Option<Value> {
    Some(json!({"combinator": "and", "rules": rules}))
}

fn properties(tree: Option<Value>) -> FilterDocument {
    FilterDocument {
        properties: tree,
        ..FilterDocument::default()
    }
}

fn offices() -> World {
    let mut world = World::new();
    world
        .person("Ada")
        .with("city", "Denver")
        .with("jobTitle", "Customer Success Manager");
    world
        .person("Grace")
        .with("city", " SAN DIEGO ")
        .with("jobTitle", "customer success manager");
    world
        .person("Edsger")
        .with("city", "Las Vegas")
        .with("jobTitle", "Engineer");
    world
        .person("Barbara")
        .with("city", "Oslo")
        .with("jobTitle", "Customer Success Manager");
    world
        .person("Alan")
        .with("jobTitle", "Customer Success Manager");
    world
}

/// Proves S4-074: the guide's worked example, an or-group inside an and-group.
#[test]
fn the_worked_example_of_the_guide() {
    let cities = ["Las Vegas", "San Diego", "Denver"].map(|city| rule("city", "=", json!(city)));
    let tree = all(vec![
        json!({"combinator": "or", "rules": cities}),
        rule("jobTitle", "=", json!("Customer Success Manager")),
    ]);
    assert_eq!(matching(&offices(), &properties(tree)), ["Ada", "Grace"]);
}

/// Proves S4-068: Not over several rules means none of them.
#[test]
fn not_negates_the_whole_group() {
    let rules = vec![
        rule("city", "=", json!("Denver")),
        rule("city", "=", json!("Oslo")),
    ];
    let tree = Some(json!({"combinator": "or", "not": true, "rules": rules}));
    assert_eq!(
        matching(&offices(), &properties(tree)),
        ["Alan", "Edsger", "Grace"]
    );
}

/// Proves S4-075: each negative operator is the exact complement, including missing values.
#[test]
fn a_negative_operator_is_the_exact_complement() {
    let world = offices();
    let pairs = [
        ("=", "!=", json!("denver")),
        ("contains", "doesNotContain", json!("an")),
        ("beginsWith", "doesNotBeginWith", json!("las")),
        ("endsWith", "doesNotEndWith", json!("LO")),
        ("in", "notIn", json!(["Oslo", "Denver"])),
        ("null", "notNull", Value::Null),
    ];
    for (positive, negative, value) in pairs {
        let yes = matching(
            &world,
            &properties(all(vec![rule("city", positive, value.clone())])),
        );
        let no = matching(
            &world,
            &properties(all(vec![rule("city", negative, value)])),
        );
        let mut everyone = [yes.clone(), no.clone()].concat();
        everyone.sort();
        assert_eq!(
            everyone,
            ["Ada", "Alan", "Barbara", "Edsger", "Grace"],
            "{positive}"
        );
        assert!(!yes.is_empty() && !no.is_empty(), "{positive}");
        assert_eq!(
            yes.contains(&"Alan".to_owned()),
            positive == "null",
            "{positive}"
        );
    }
}

#[test]
fn patterns_match_anywhere_and_in_any_case() {
    let tree = all(vec![rule(
        "jobTitle",
        "matches",
        json!("success.*mgr|engin"),
    )]);
    assert_eq!(matching(&offices(), &properties(tree)), ["Edsger"]);
}

/// Proves S4-067: sections combine with all by default, any by choice.
#[test]
fn sections_combine_by_all_or_any() {
    let mut world = offices();
    world.course("Security 101");
    world.completed("Ada", "Security 101", "2026-01-01");
    world.completed("Edsger", "Security 101", "2026-01-01");
    let mut filter = properties(all(vec![rule("jobTitle", "beginsWith", json!("customer"))]));
    filter.activities = all(vec![rule(
        &world.course_name("Security 101"),
        "completed",
        Value::Null,
    )]);
    assert_eq!(matching(&world, &filter), ["Ada"]);
    filter.mode = MatchMode::Any;
    assert_eq!(
        matching(&world, &filter),
        ["Ada", "Alan", "Barbara", "Edsger", "Grace"]
    );
}

/// Proves S4-077, S4-081 and S4-082: dates come from custom fields, bounds are strict.
#[test]
fn dates_are_strict_instants() {
    let mut world = World::new();
    world.field("Hire Date", crate::snapshot::lms::FieldKind::Date);
    for (name, day) in [
        ("Ada", "2022-12-31"),
        ("Grace", "2023-01-01"),
        ("Alan", "2023-01-01T00:00:01Z"),
        ("Edsger", "nonsense"),
    ] {
        world.person(name).custom("Hire Date", day);
    }
    let hired = world.field_name("Hire Date");
    let dates = |operator: &str, value: Value| {
        let filter = FilterDocument {
            dates: all(vec![rule(&hired, operator, value)]),
            ..FilterDocument::default()
        };
        matching(&world, &filter)
    };
    assert_eq!(dates("after", json!("2023-01-01")), ["Alan"]);
    assert_eq!(dates("before", json!("2023-01-01")), ["Ada"]);
    assert_eq!(dates("on", json!("2023-01-01")), ["Alan", "Grace"]);
    assert_eq!(
        dates("between", json!(["2022-12-31", "2023-01-01"])),
        ["Ada", "Alan", "Grace"]
    );
    assert_eq!(
        dates("notBetween", json!(["2022-12-31", "2023-01-01"])),
        ["Edsger"]
    );
}

/// Relative dates count from the run's slot, 2026-11-21T00:00Z in tests.
#[test]
fn relative_dates_count_from_the_slot() {
    let mut world = World::new();
    world.field("Hire Date", crate::snapshot::lms::FieldKind::Date);
    for (name, day) in [
        ("Ada", "2026-11-20"),
        ("Grace", "2026-10-22"),
        ("Alan", "2026-10-21"),
        ("Edsger", "2026-11-25"),
    ] {
        world.person(name).custom("Hire Date", day);
    }
    let hired = world.field_name("Hire Date");
    let dates = |operator: &str| {
        let filter = FilterDocument {
            dates: all(vec![rule(&hired, operator, json!(30))]),
            ..FilterDocument::default()
        };
        matching(&world, &filter)
    };
    assert_eq!(dates("inLast"), ["Ada", "Grace"]);
    assert_eq!(dates("moreThanAgo"), ["Alan"]);
    assert_eq!(dates("inNext"), ["Edsger"]);
}

/// Proves S4-083, S4-086, S4-087: completed, late and recent, over several enrolments.
#[test]
fn activities_look_at_every_enrolment() {
    let mut world = World::new();
    for name in ["Ada", "Grace", "Alan", "Edsger", "Barbara"] {
        world.person(name);
    }
    world.course("Outlook - Japanese");
    world.completed("Ada", "Outlook - Japanese", "2026-11-10");
    world.completed("Ada", "Outlook - Japanese", "2020-01-01");
    world.enrol(
        "Grace",
        "Outlook - Japanese",
        crate::snapshot::lms::Progress::InProgress,
        None,
        Some("2026-11-01"),
    );
    world.enrol(
        "Alan",
        "Outlook - Japanese",
        crate::snapshot::lms::Progress::NotStarted,
        None,
        None,
    );
    world.enrol(
        "Edsger",
        "Outlook - Japanese",
        crate::snapshot::lms::Progress::Completed,
        Some("2026-02-02"),
        Some("2026-02-01"),
    );
    let course = world.course_name("Outlook - Japanese");
    let activities = |operator: &str, value: Value| {
        let filter = FilterDocument {
            activities: all(vec![rule(&course, operator, value)]),
            ..FilterDocument::default()
        };
        matching(&world, &filter)
    };
    assert_eq!(activities("completed", Value::Null), ["Ada", "Edsger"]);
    assert_eq!(
        activities("notCompleted", Value::Null),
        ["Alan", "Barbara", "Grace"]
    );
    assert_eq!(activities("completedInLast", Value::Null), ["Ada"]);
    assert_eq!(activities("completedInLast", json!(365)), ["Ada", "Edsger"]);
    assert_eq!(activities("overdue", Value::Null), ["Edsger", "Grace"]);
    assert_eq!(activities("inProgress", Value::Null), ["Grace"]);
    assert_eq!(
        activities("enrolled", Value::Null),
        ["Ada", "Alan", "Edsger", "Grace"]
    );
    assert_eq!(activities("notEnrolled", Value::Null), ["Barbara"]);
}

#[test]
fn numbers_and_truths_compare_as_such() {
    let mut world = World::new();
    world.field("Employee Number", crate::snapshot::lms::FieldKind::Number);
    world.field("Certified", crate::snapshot::lms::FieldKind::Boolean);
    world
        .person("Ada")
        .custom("Employee Number", "9")
        .custom("Certified", "True");
    world
        .person("Grace")
        .custom("Employee Number", "10,5")
        .custom("Certified", "0");
    world.person("Alan").custom("Employee Number", "unknown");
    let number = world.field_name("Employee Number");
    let certified = world.field_name("Certified");
    let one = |field: &str, operator: &str, value: Value| {
        matching(&world, &properties(all(vec![rule(field, operator, value)])))
    };
    assert_eq!(one(&number, ">", json!(9)), ["Grace"]);
    assert_eq!(one(&number, "<=", json!("9")), ["Ada"]);
    assert_eq!(one(&number, "between", json!([9, 10.5])), ["Ada", "Grace"]);
    assert_eq!(one(&number, "!=", json!(9)), ["Alan", "Grace"]);
    assert_eq!(one(&certified, "=", json!(true)), ["Ada"]);
    assert_eq!(one(&certified, "!=", json!(true)), ["Alan", "Grace"]);
}

/// Proves S4-118: no section, no match.
#[test]
fn an_empty_filter_matches_no_one() {
    let filter = properties(Some(json!({"combinator": "and", "rules": []})));
    assert!(filter.is_empty());
    assert!(
        filter
            .check(&Fields::default(), chrono_tz::UTC)
            .expect("empty filter rejected")
            .is_none()
    );
}
