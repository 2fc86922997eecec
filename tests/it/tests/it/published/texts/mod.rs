//! Texts of the domain in responses, e-mails and reports, in all variants.

mod causes;
mod explanations;
mod rules;
mod warnings;

use rollcall_domain::audience::profile::Profile;
use rollcall_domain::snapshot::lms::{FieldKind, Progress};
use rollcall_domain::testing::{World, profile};
use serde_json::{Value, json};

/// Returns a world with Ada of Denver, who has activities, Grace of San Diego, who has none, and
/// Kay, who has no data.
fn academy() -> World {
    let mut world = World::new();
    for course in ["Done", "Late", "Begun", "Chosen", "Other"] {
        world.course(course);
    }
    world.field("Number", FieldKind::Number);
    world.field("Certified", FieldKind::Boolean);
    world.field("Hired", FieldKind::Date);
    world
        .person("Ada")
        .with("city", "Denver")
        .with("jobTitle", "Engineer")
        .custom("Number", "12.5")
        .custom("Certified", "yes")
        .custom("Hired", "2023-05-01")
        .person("Grace")
        .with("city", "San Diego")
        .with("jobTitle", "Engineering Manager")
        .custom("Number", "many")
        .custom("Certified", "perhaps")
        .custom("Hired", "soon")
        .person("Kay");
    world.completed("Ada", "Done", "2026-01-01");
    world.enrol(
        "Ada",
        "Late",
        Progress::InProgress,
        None,
        Some("2026-02-01"),
    );
    world.enrol("Ada", "Begun", Progress::InProgress, None, None);
    world.enrol(
        "Ada",
        "Chosen",
        Progress::NotStarted,
        None,
        Some("2027-02-01"),
    );
    world
}

fn rule(field: &str, operator: &str, value: &Value) -> Value {
    json!({"field": field, "operator": operator, "value": value})
}

fn all_of(rules: &[Value]) -> Value {
    json!({"combinator": "and", "rules": rules})
}

fn any_of(rules: &[Value]) -> Value {
    json!({"combinator": "or", "rules": rules})
}

fn custom(title: &str) -> String {
    format!("custom:{}", World::field_id(title))
}

fn course(title: &str) -> String {
    format!("course:{}", World::course_id(title))
}

/// Returns a profile with one section of rules.
fn with_rules(section: &str, tree: &Value) -> Profile {
    let mut profile = profile("Field staff");
    profile.filter = serde_json::from_value(json!({section: tree})).expect("invalid filter");
    profile
}

/// Returns every operator with its section, a field and a value.
fn every_operator() -> Vec<(&'static str, String, &'static str, Value)> {
    let mut all = Vec::new();
    for (operator, value) in [
        ("=", json!("Denver")),
        ("!=", json!("Denver")),
        ("contains", json!("enve")),
        ("doesNotContain", json!("enve")),
        ("beginsWith", json!("Den")),
        ("doesNotBeginWith", json!("Den")),
        ("endsWith", json!("ver")),
        ("doesNotEndWith", json!("ver")),
        ("in", json!(["Denver", "Oslo"])),
        ("notIn", json!(["Denver", "Oslo"])),
        ("matches", json!("^d.*r$")),
        ("null", Value::Null),
        ("notNull", Value::Null),
    ] {
        all.push(("properties", "city".to_owned(), operator, value));
    }
    for (operator, value) in [
        ("=", json!(12.5)),
        ("!=", json!(12.5)),
        ("<", json!(12.5)),
        ("<=", json!(12.5)),
        (">", json!(12.5)),
        (">=", json!(12.5)),
        ("between", json!([1, 20])),
        ("notBetween", json!([1, 20])),
        ("in", json!([1, 12.5])),
        ("notIn", json!([1, 12.5])),
        ("null", Value::Null),
        ("notNull", Value::Null),
    ] {
        all.push(("properties", custom("Number"), operator, value));
    }
    for (operator, value) in [
        ("=", json!(true)),
        ("!=", json!(true)),
        ("null", Value::Null),
        ("notNull", Value::Null),
    ] {
        all.push(("properties", custom("Certified"), operator, value));
    }
    all.extend(every_date_and_activity());
    all
}

fn every_date_and_activity() -> Vec<(&'static str, String, &'static str, Value)> {
    let mut all = Vec::new();
    for (operator, value) in [
        ("before", json!("2023-06-01")),
        ("after", json!("2023-06-01T09:30:00Z")),
        ("on", json!("2023-05-01")),
        ("between", json!(["2023-01-01", "2023-12-31"])),
        ("notBetween", json!(["2023-01-01", "2023-12-31"])),
        ("inLast", json!(1)),
        ("inLast", json!(30)),
        ("inNext", json!(1)),
        ("inNext", json!(30)),
        ("moreThanAgo", json!(1)),
        ("moreThanAgo", json!(30)),
        ("null", Value::Null),
        ("notNull", Value::Null),
    ] {
        all.push(("dates", custom("Hired"), operator, value));
    }
    for title in ["Done", "Late", "Begun", "Chosen", "Other"] {
        for (operator, value) in [
            ("completed", Value::Null),
            ("notCompleted", Value::Null),
            ("completedInLast", json!(1)),
            ("completedInLast", json!(7)),
            ("overdue", Value::Null),
            ("inProgress", Value::Null),
            ("enrolled", Value::Null),
            ("notEnrolled", Value::Null),
        ] {
            all.push(("activities", course(title), operator, value));
        }
    }
    all
}
