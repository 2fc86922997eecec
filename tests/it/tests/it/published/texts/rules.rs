//! Problems of rules: malformed trees, contradictory rules, audiences that cannot be determined.

use std::fmt::Write;

use rollcall_domain::audience::desired_members::{Audience, AudienceError};
use rollcall_domain::rules::Fields;
use rollcall_domain::testing::{profile, profile_id};
use serde_json::{Value, json};

use super::{academy, all_of, course, custom, rule, with_rules};

/// Returns the error of determining the audience of these rules.
fn refused(section: &str, tree: &Value) -> String {
    let fields = Fields::of(&academy().snapshot());
    let Err(error) = Audience::of(&with_rules(section, tree), &fields) else {
        return "accepted\n".to_owned();
    };
    let problems = match &error {
        AudienceError::NeedsReview { problems, .. } => ("needs review", problems),
        AudienceError::Invalid { problems } => ("invalid", problems),
        other => return other.to_string(),
    };
    let (kind, problems) = problems;
    let mut told = format!("{kind}\n");
    for problem in problems {
        writeln!(told, "  {}: {}", problem.pointer, problem.detail).expect("text not written");
    }
    told
}

fn odd_trees() -> Vec<Value> {
    let city = rule("city", "=", &json!("Denver"));
    let deep = (0..40).fold(city.clone(), |tree, _| all_of(&[tree]));
    vec![
        json!(7),
        json!({}),
        json!({"combinator": "xor", "rules": [city], "not": 1, "colour": "red"}),
        json!({"combinator": "and", "rules": []}),
        json!({"combinator": "and", "rules": {}}),
        all_of(&[
            json!(7),
            json!({"field": "", "operator": 1}),
            json!({"field": "city", "operator": "=", "value": "x", "valueSource": "field", "a/b~c": 1}),
        ]),
        all_of(&[deep]),
    ]
}

#[test]
fn trees_that_are_none() {
    let told: Vec<String> = odd_trees()
        .iter()
        .map(|tree| refused("properties", tree))
        .collect();
    insta::assert_snapshot!(told.join("\n"));
}

fn odd_texts_and_numbers() -> Vec<(&'static str, Value)> {
    let (number, certified) = (custom("Number"), custom("Certified"));
    let of =
        |field: &str, operator: &str, value: Value| ("properties", rule(field, operator, &value));
    vec![
        of("city", "=", json!(null)),
        of("city", "=", json!({})),
        of("city", "=", json!("x".repeat(5_000))),
        of("city", "<", json!("x")),
        of("city", "in", json!([])),
        of("city", "in", json!(vec!["x"; 200_001])),
        of("city", "matches", json!("")),
        of("city", "matches", json!("x".repeat(5_000))),
        of("city", "matches", json!("(open")),
        of("salary", "=", json!("x")),
        of("custom:x", "=", json!("x")),
        of("entra:department", "=", json!("x")),
        of(&custom("Gone"), "=", json!("x")),
        of(&custom("Hired"), "=", json!("x")),
        of(&course("Done"), "completed", json!(null)),
        of(&number, "=", json!("many")),
        of(&number, "contains", json!(1)),
        of(&number, "between", json!([9, 1])),
        of(&number, "between", json!([1])),
        of(&number, "in", json!(["x"])),
        of(&certified, "=", json!("perhaps")),
        of(&certified, "<", json!(true)),
    ]
}

fn odd_dates_and_activities() -> Vec<(&'static str, Value)> {
    let (hired, done) = (custom("Hired"), course("Done"));
    let date = |operator: &str, value: Value| ("dates", rule(&hired, operator, &value));
    let operation = |operator: &str, value: Value| ("activities", rule(&done, operator, &value));
    vec![
        date("before", json!(null)),
        date("before", json!("01/02/2023")),
        date("before", json!("+262142-12-31")),
        date("between", json!(["2023-12-31", "2023-01-01"])),
        date("between", json!(["2023-12-31"])),
        date("inLast", json!(null)),
        date("inLast", json!(0)),
        date("inNext", json!("soon")),
        date("near", json!(1)),
        ("dates", rule("city", "before", &json!("2023-01-01"))),
        (
            "dates",
            rule(&custom("Number"), "before", &json!("2023-01-01")),
        ),
        operation("completed", json!("x")),
        operation("completedInLast", json!(0)),
        operation("liked", json!(null)),
        (
            "activities",
            rule(&course("Gone"), "completed", &json!(null)),
        ),
        ("activities", rule("course:x", "completed", &json!(null))),
        ("activities", rule("city", "completed", &json!(null))),
    ]
}

#[test]
fn rules_that_make_no_sense() {
    let all = odd_texts_and_numbers()
        .into_iter()
        .chain(odd_dates_and_activities());
    let told = all.map(|(section, rule)| {
        let shown = rule.to_string();
        let shown: String = shown.chars().take(200).collect();
        format!("{section} {shown}\n{}", refused(section, &all_of(&[rule])))
    });
    let told: Vec<String> = told.collect();
    insta::assert_snapshot!(told.join("\n"));
}

#[test]
fn audiences_that_cannot_be_had() {
    let fields = Fields::of(&academy().snapshot());
    let empty =
        Audience::of(&profile("Nobody"), &fields).expect_err("an empty profile was accepted");
    let others = [
        empty,
        AudienceError::Cycle,
        AudienceError::Dependency {
            on: profile_id("Other"),
        },
    ];
    let told = others.map(|error| format!("{error}\n  {}\n", json!(error)));
    insta::assert_snapshot!(told.concat());
}
