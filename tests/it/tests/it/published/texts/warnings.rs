//! All warnings about profiles that can nevertheless be saved.

use std::fmt::Write;

use rollcall_domain::audience::lint::{Warning, lint, size_warning};
use rollcall_domain::audience::profile::{Profile, Target};
use rollcall_domain::rules::Fields;
use rollcall_domain::snapshot::Snapshot;
use rollcall_domain::testing::{World, profile, slot};
use serde_json::{Value, json};

use super::{academy, all_of, any_of, course, custom, rule, with_rules};

/// Returns the snapshot of the academy with a course that is not published.
fn snapshot() -> Snapshot {
    let mut snapshot = academy().snapshot();
    for course in &mut snapshot.courses {
        course.published = course.title != "Other";
    }
    snapshot
}

fn told(headline: &str, warnings: impl IntoIterator<Item = Warning>) -> String {
    let mut text = format!("## {headline}\n");
    for warning in warnings {
        let kind = serde_json::to_string(&warning.kind).expect("not serialized");
        writeln!(text, "{kind} {}: {}", warning.pointer, warning.detail).expect("text not written");
    }
    text
}

fn linted(headline: &str, profile: &Profile) -> String {
    let snapshot = snapshot();
    told(
        headline,
        lint(profile, &snapshot, &Fields::of(&snapshot), slot()),
    )
}

fn trees() -> Vec<(&'static str, &'static str, Value)> {
    let city = |operator: &str, value: Value| rule("city", operator, &value);
    let number = |operator: &str, value: Value| rule(&custom("Number"), operator, &value);
    let hired = |operator: &str, value: Value| rule(&custom("Hired"), operator, &value);
    let done = |operator: &str| rule(&course("Done"), operator, &Value::Null);
    let title = |operator: &str, value: Value| rule("jobTitle", operator, &value);
    vec![
        (
            "texts that cannot be",
            "properties",
            all_of(&[city("=", json!("Denver")), city("=", json!("Oslo"))]),
        ),
        (
            "texts that always are",
            "properties",
            any_of(&[city("!=", json!("Denver")), city("!=", json!("Oslo"))]),
        ),
        (
            "said already",
            "properties",
            all_of(&[city("=", json!("Denver")), city("notNull", json!(null))]),
        ),
        (
            "numbers that cannot be",
            "properties",
            all_of(&[number("<", json!(5)), number(">", json!(5))]),
        ),
        (
            "dates that cannot be",
            "dates",
            all_of(&[
                hired("before", json!("2023-01-01")),
                hired("after", json!("2023-01-01")),
            ]),
        ),
        (
            "activities that cannot be",
            "activities",
            all_of(&[done("completed"), done("notCompleted")]),
        ),
        (
            "values nobody has",
            "properties",
            any_of(&[
                city("=", json!("Dever")),
                city("=", json!("Oslo")),
                city("in", json!(["DENVER", "San Diago", "Osl", "Bern"])),
                city("in", json!("a, b, c, d, e, f, g, denver")),
                title("beginsWith", json!("Manager")),
                title("endsWith", json!("Chief")),
                title("contains", json!("Director")),
            ]),
        ),
        (
            "a course nobody sees",
            "activities",
            all_of(&[rule(&course("Other"), "completed", &Value::Null)]),
        ),
    ]
}

#[test]
fn every_warning() {
    let mut all: Vec<String> = trees()
        .iter()
        .map(|(headline, section, tree)| linted(headline, &with_rules(section, tree)))
        .collect();
    let mut chosen = profile("Field staff");
    chosen.overrides.include = [Target::User(World::user("Ada"))].into();
    chosen.courses = [World::course_id("Other"), World::course_id("Gone")].into();
    all.push(linted("courses", &chosen));
    let everybody = with_rules(
        "properties",
        &all_of(&[rule("title", "notNull", &json!(null))]),
    );
    all.push(linted("everybody", &everybody));
    all.push(told("nobody by rules", size_warning(&everybody, 0, 3)));
    all.push(told("nobody by overrides", size_warning(&chosen, 0, 3)));
    let titles = ["Field staff", "Sales", "Managers"].map(str::to_owned);
    all.push(told("one twin", Warning::twins(&titles[..1])));
    all.push(told("three twins", Warning::twins(&titles)));
    insta::assert_snapshot!(all.join("\n"));
}
