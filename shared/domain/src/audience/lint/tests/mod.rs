//! Compares warnings with the plain tree walk on random users, and tests each kind by example.

mod contradictions;
mod data;
mod properties;
mod rules_without_effect;

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

/// Returns the logical warnings about one section's tree, with pointers relative to the section.
fn logic(section: &str, tree: &Value) -> Vec<(WarningKind, String)> {
    let mut profile = profile("P");
    profile.filter = serde_json::from_value(json!({section: tree})).expect("invalid filter");
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

// Random rules and users.
