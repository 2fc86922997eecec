//! Tests parts of a tree that are always true or without effect.

use super::*;

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
    let written = serde_json::to_value(&found[0]).expect("warning not serialized");
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
