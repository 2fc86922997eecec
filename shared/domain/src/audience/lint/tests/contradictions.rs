//! Tests rules on one field or course that exclude each other.

use super::*;

#[track_caller]
fn never(rules: &[Value]) {
    let section = section(rules[0]["field"].as_str().unwrap_or("city"));
    let found = logic(section, &and(rules));
    assert!(
        found.contains(&(WarningKind::NeverTrue, String::new())),
        "{rules:?}: {found:?}"
    );
    // The negation is always true.
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
    // "unknown" is neither less nor greater than a number, and not missing.
    sometimes(&[n("notBetween", json!([0, 9])), n("!=", json!(12))]);
    let neither =
        json!({"combinator": "or", "not": true, "rules": [n("<", json!(5)), n(">=", json!(5))]});
    sometimes(&[n("notNull", Value::Null), neither]);
    sometimes(&[
        rule(&certified, "!=", json!(true)),
        rule(&certified, "!=", json!("no")),
    ]);
}

/// Rules relative to today are checked for all later times, not only for today.
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
    // Not satisfied today, but at a later time.
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
