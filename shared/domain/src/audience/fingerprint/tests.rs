//! Tests of the fingerprint of a profile's content.

use super::*;
use crate::rules::FilterDocument;
use crate::snapshot::lms::FieldKind;
use crate::testing::{World, matching, profile, profile_id};
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::json;

fn rule(field: &str, operator: &str, value: Value) -> Value {
    json!({"field": field, "operator": operator, "value": value})
}

fn group(combinator: &str, rules: &[Value]) -> Value {
    json!({"combinator": combinator, "rules": rules})
}

fn not(combinator: &str, rules: &[Value]) -> Value {
    json!({"combinator": combinator, "not": true, "rules": rules})
}

fn of(tree: &Value) -> Option<String> {
    let mut profile = profile("P");
    profile.filter.properties = Some(tree.clone());
    fingerprint(&profile)
}

fn of_dates(tree: &Value, zone: Tz) -> Option<String> {
    let mut profile = profile("P");
    profile.filter.dates = Some(tree.clone());
    profile.time_zone = zone;
    fingerprint(&profile)
}

#[track_caller]
fn same(a: &Value, b: &Value) {
    assert!(of(a).is_some());
    assert_eq!(of(a), of(b), "{a}\n{b}");
}

#[track_caller]
fn differ(a: &Value, b: &Value) {
    assert_ne!(of(a), of(b), "{a}\n{b}");
}

fn city(operator: &str, value: Value) -> Value {
    rule("city", operator, value)
}

#[test]
fn accidents_of_writing_do_not_matter() {
    let denver = city("=", json!("Denver"));
    let manager = rule("jobTitle", "beginsWith", json!("Manager"));
    let both = group("and", &[denver.clone(), manager.clone()]);
    same(&both, &group("and", &[manager.clone(), denver.clone()]));
    same(
        &both,
        &group("and", &[denver.clone(), denver.clone(), manager.clone()]),
    );
    same(&both, &group("or", std::slice::from_ref(&both)));
    same(
        &both,
        &not("and", &[not("or", std::slice::from_ref(&both))]),
    );
    same(
        &both,
        &group(
            "and",
            &[denver, group("and", std::slice::from_ref(&manager))],
        ),
    );
    let mut edited = group("and", &[city("=", json!(" DENVER ")), manager.clone()]);
    edited["id"] = json!("7");
    edited["rules"][0]["valueSource"] = json!("value");
    same(&both, &edited);
    differ(&both, &group("or", &[city("=", json!("Denver")), manager]));
    differ(&both, &not("or", std::slice::from_ref(&both)));
}

#[test]
fn the_same_said_with_other_operators_is_the_same() {
    let one = |rule: Value| group("and", &[rule]);
    let (a, b) = (city("=", json!("A")), city("=", json!("b")));
    same(
        &group("or", &[a.clone(), b.clone()]),
        &one(city("in", json!(["B", "a", "A"]))),
    );
    same(
        &group("or", &[a.clone(), b.clone()]),
        &one(city("in", json!("b, a"))),
    );
    same(
        &not("or", &[a.clone(), b]),
        &one(city("notIn", json!(["A", "B"]))),
    );
    same(
        &not("and", std::slice::from_ref(&a)),
        &one(city("!=", json!("a"))),
    );
    same(&one(a), &one(city("in", json!(["A"]))));
    same(
        &not("and", &[city("null", Value::Null)]),
        &one(city("notNull", Value::Null)),
    );
    let number = World::field_id("N").to_string().to_uppercase();
    let (upper, lower) = (
        format!("custom:{number}"),
        format!("custom:{}", number.to_lowercase()),
    );
    same(
        &one(rule(&upper, "<", json!("12,50"))),
        &one(rule(&lower, "<", json!(12.5))),
    );
    same(
        &one(rule(&upper, "between", json!("1, 2"))),
        &not("or", &[rule(&lower, "notBetween", json!([1.0, 2]))]),
    );
    differ(
        &one(city("matches", json!("\\S"))),
        &one(city("matches", json!("\\s"))),
    );
    differ(
        &one(city("contains", json!("a"))),
        &one(city("beginsWith", json!("a"))),
    );
    differ(
        &one(city("=", json!("a"))),
        &one(rule("office", "=", json!("a"))),
    );
}

#[test]
fn days_are_moments_of_the_zone() {
    let hired = format!("custom:{}", World::field_id("Hired"));
    let one = |operator: &str, value: Value| group("and", &[rule(&hired, operator, value)]);
    let (day, moment) = (json!("2026-01-01"), json!("2026-01-01T00:00:00Z"));
    let utc = |tree: &Value| of_dates(tree, Tz::UTC);
    assert_eq!(
        utc(&one("before", day.clone())),
        utc(&one("before", moment.clone()))
    );
    assert_ne!(utc(&one("on", day.clone())), utc(&one("on", moment)));
    let oslo = of_dates(&one("before", day.clone()), chrono_tz::Europe::Oslo);
    assert_ne!(utc(&one("before", day.clone())), oslo);
    let year = json!(["2026-01-01", "2026-12-31"]);
    assert_eq!(
        utc(&one("between", year.clone())),
        utc(&not("and", &[rule(&hired, "notBetween", year)]))
    );
    let last = one("inLast", json!(30));
    assert_eq!(
        utc(&last),
        of_dates(&one("inLast", json!(" 30")), chrono_tz::Asia::Tokyo)
    );
    assert_ne!(utc(&last), utc(&one("inNext", json!(30))));
    let course = format!("course:{}", World::course_id("A"));
    let recent = |value: Value| {
        let mut profile = profile("P");
        profile.filter.activities = Some(group("and", &[rule(&course, "completedInLast", value)]));
        fingerprint(&profile)
    };
    assert_eq!(recent(Value::Null), recent(json!(30)));
    assert_ne!(recent(Value::Null), recent(json!(31)));
}

#[test]
fn overrides_count_and_nothing_has_no_fingerprint() {
    let (ada, other) = (
        Target::User(World::user("Ada")),
        Target::Profile(profile_id("Other")),
    );
    let mut empty = profile("P");
    assert_eq!(fingerprint(&empty), None);
    empty.filter.properties = Some(group("and", &[]));
    assert_eq!(fingerprint(&empty), None);
    empty.filter.properties = Some(group("xor", &[city("null", Value::Null)]));
    empty.overrides.include = [ada].into();
    assert_eq!(
        fingerprint(&empty),
        None,
        "invalid rules have a fingerprint"
    );
    empty.filter.properties = None;
    let included = fingerprint(&empty);
    assert_eq!(included.as_ref().map(String::len), Some(2 * BYTES));
    empty.title = "Q".to_owned();
    assert_eq!(
        fingerprint(&empty),
        included,
        "the title changed the fingerprint"
    );
    empty.overrides.exclude = [ada, other].into();
    let both = fingerprint(&empty);
    empty.overrides.include.clear();
    assert_eq!(
        fingerprint(&empty),
        both,
        "an excluded target counted as included"
    );
    assert_ne!(both, included);
}

#[test]
fn how_sections_combine_matters_only_with_several() {
    let mut profile = profile("P");
    profile.filter.properties = Some(group("and", &[city("null", Value::Null)]));
    let all = fingerprint(&profile);
    profile.filter.mode = MatchMode::Any;
    assert_eq!(fingerprint(&profile), all);
    let hired = format!("custom:{}", World::field_id("Hired"));
    profile.filter.dates = Some(group("and", &[rule(&hired, "null", Value::Null)]));
    let any = fingerprint(&profile);
    profile.filter.mode = MatchMode::All;
    assert_ne!(fingerprint(&profile), any);
}

// Random trees.

fn leaf() -> impl Strategy<Value = Value> {
    let number = format!("custom:{}", World::field_id("N"));
    select(vec![
        city("=", json!("a")),
        city("!=", json!("B")),
        city("in", json!(["a", "b"])),
        city("notIn", json!(["b"])),
        city("contains", json!("b")),
        city("null", Value::Null),
        rule(&number, "<", json!(2)),
        rule(&number, "=", json!(2)),
    ])
}

fn tree() -> impl Strategy<Value = Value> {
    let parts = leaf().prop_recursive(3, 8, 3, |inner| {
        let rules = proptest::collection::vec(inner, 1..3);
        (any::<bool>(), any::<bool>(), rules).prop_map(written_group)
    });
    let rules = proptest::collection::vec(parts, 1..3);
    (any::<bool>(), any::<bool>(), rules).prop_map(written_group)
}

fn written_group((and, negated, rules): (bool, bool, Vec<Value>)) -> Value {
    let combinator = if and { "and" } else { "or" };
    json!({"combinator": combinator, "not": negated, "rules": rules})
}

/// Rewrites a tree into an equivalent one; the bits of a number select the changes.
fn otherwise(tree: &Value, bits: &mut u64) -> Value {
    let mut decide = |count: u64| {
        *bits = bits
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (*bits >> 33) % count
    };
    let Some(rules) = tree["rules"].as_array() else {
        return match decide(3) {
            0 => group("or", std::slice::from_ref(tree)),
            1 => not("and", &[not("and", std::slice::from_ref(tree))]),
            _ => tree.clone(),
        };
    };
    let (swapped, reversed, repeated) = (decide(2) == 0, decide(2) == 0, decide(2) == 0);
    let mut rules: Vec<Value> = rules.iter().map(|part| otherwise(part, bits)).collect();
    if reversed {
        rules.reverse();
    }
    if repeated {
        rules.push(rules[0].clone());
    }
    let (mut and, mut negated) = (tree["combinator"] == "and", tree["not"] == true);
    if swapped {
        rules = rules.into_iter().map(|part| not("or", &[part])).collect();
        (and, negated) = (!and, !negated);
    }
    written_group((and, negated, rules))
}

fn everyone() -> World {
    let mut world = World::new();
    world.field("N", FieldKind::Number);
    for (name, city, number) in [
        ("1", "a", "1"),
        ("2", "A ", "2"),
        ("3", "b", "3"),
        ("4", "b", "2"),
        ("5", "ab", "1"),
        ("6", "c", "many"),
        ("7", "", "2"),
        ("8", "", ""),
        ("9", "c", "2"),
        ("10", "b", "1"),
    ] {
        world.person(name).with("city", city).custom("N", number);
    }
    world
}

fn members(tree: &Value) -> Vec<String> {
    let filter = FilterDocument {
        properties: Some(tree.clone()),
        ..FilterDocument::default()
    };
    matching(&everyone(), &filter)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn what_is_said_otherwise_has_the_same_fingerprint(tree in tree(), mut bits: u64) {
        let other = otherwise(&tree, &mut bits);
        prop_assert_eq!(members(&tree), members(&other));
        prop_assert_eq!(of(&tree), of(&other));
    }

    #[test]
    fn equal_fingerprints_mean_equal_members(a in tree(), b in tree()) {
        if members(&a) != members(&b) {
            prop_assert_ne!(of(&a), of(&b));
        }
    }
}
