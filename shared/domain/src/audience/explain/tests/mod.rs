//! Tests of explanations.

mod oracle;
mod properties;

use serde_json::{Value, json};

use super::*;
use crate::audience::desired_members::evaluate;
use crate::audience::profile::Overrides;
use crate::rules::MatchMode;
use crate::snapshot::lms::{FieldKind, Progress};
use crate::testing::{World, profile, profile_id, slot};

const PEOPLE: [&str; 3] = ["Ada", "Grace", "Alan"];

fn rule(field: &str, operator: &str, value: Value) -> Value {
    json!({"field": field, "operator": operator, "value": value})
}

fn stranger(_: ProfileId) -> Option<OtherProfile> {
    None
}

fn explained(world: &World, profile: &Profile, name: &str) -> Explanation {
    explain(
        profile,
        &world.snapshot(),
        slot(),
        World::user(name),
        &stranger,
    )
    .expect("no audience")
    .expect("learner not found")
}

fn academy() -> World {
    let mut world = World::new();
    world.course("Security 101");
    world.field("Hire Date", FieldKind::Date);
    world
        .person("Ada")
        .with("city", " San Diego ")
        .with("jobTitle", "Customer Success Manager")
        .custom("Hire Date", "2026-10-01")
        .person("Grace")
        .with("city", "Oslo")
        .custom("Hire Date", "soon")
        .without_entra();
    world.completed("Ada", "Security 101", "2026-01-01");
    world.enrol(
        "Grace",
        "Security 101",
        Progress::InProgress,
        None,
        Some("2026-03-01"),
    );
    world
}

/// A profile for managers in some cities, hired recently, who completed the course recently.
fn managers(world: &World) -> Profile {
    let mut profile = profile("Managers");
    profile.filter.properties = Some(json!({"combinator": "and", "rules": [
        {"combinator": "or", "rules": [
            rule("city", "=", json!("Denver")),
            rule("city", "=", json!("San Diego")),
        ]},
        rule("jobTitle", "beginsWith", json!("Customer")),
    ]}));
    profile.filter.dates = Some(json!({"combinator": "and", "rules": [
        rule(&world.field_name("Hire Date"), "inLast", json!(90)),
    ]}));
    profile.filter.activities = Some(json!({"combinator": "and", "rules": [
        rule(&world.course_name("Security 101"), "completedInLast", Value::Null),
    ]}));
    profile
}

#[test]
fn a_non_member_reads_what_decided_and_what_would_change_it() {
    let world = academy();
    let profile = managers(&world);
    let texts = ["Ada", "Grace"].map(|name| explained(&world, &profile, name).to_string());
    insta::assert_snapshot!(texts.join("\n---\n\n"));
}

#[test]
fn a_member_reads_what_keeps_them_in_and_programs_read_the_same() {
    let world = academy();
    let mut profile = managers(&world);
    profile.filter.activities = None;
    profile.filter.mode = MatchMode::Any;
    profile.overrides.include = [Target::User(World::user("Ada"))].into();
    let explanation = explained(&world, &profile, "Ada");
    let text = serde_json::to_string_pretty(&explanation).expect("explanation not serialized");
    let read: Explanation = serde_json::from_str(&text).expect("explanation not deserialized");
    assert_eq!(read, explanation);
    let field = World::field_id("Hire Date").to_string();
    insta::assert_snapshot!(text.replace(&field, "HIRED"));
}

/// Proves S4-088b: an excluded learner joins only if the exclusion is removed.
#[test]
fn who_is_excluded_by_name_joins_only_without_the_exclusion() {
    let world = academy();
    let mut profile = managers(&world);
    profile.filter.activities = None;
    profile.overrides.exclude = [Target::User(World::user("Ada"))].into();
    let explanation = explained(&world, &profile, "Ada");
    assert!(matches!(explanation.because, MembershipCause::Excluded(_)) && !explanation.member);
    let ways: Vec<_> = explanation.ways.iter().map(ToString::to_string).collect();
    assert_eq!(ways, ["the exclusion by name would have to be removed"]);
}

#[test]
fn who_lacks_an_account_would_need_one() {
    let world = academy();
    let mut profile = profile("Norway");
    profile.overrides.include = [Target::User(World::user("Grace"))].into();
    let explanation = explained(&world, &profile, "Grace");
    assert!(explanation.member && !explanation.reachable);
    assert_eq!(explanation.ways.len(), 1);
    assert_eq!(explanation.ways[0].steps[0].change, WhatIfChange::Account);
}

/// Proves S4-044: unknown learners are in no audience; S4-088f: other profiles are not guessed.
#[test]
fn strangers_circles_and_unknown_profiles_are_not_explained() {
    let (world, mut profile) = (academy(), profile("P"));
    profile.overrides.include = [Target::Profile(profile_id("Gone"))].into();
    let asked = |profile: &Profile, name: &str| {
        let user = World::user(name);
        explain(profile, &world.snapshot(), slot(), user, &stranger)
    };
    assert_eq!(asked(&profile, "Nobody"), Ok(None));
    let on = profile_id("Gone");
    assert_eq!(
        asked(&profile, "Ada"),
        Err(AudienceError::Dependency { on })
    );
    profile.overrides.include = [Target::Profile(profile.id)].into();
    assert_eq!(asked(&profile, "Ada"), Err(AudienceError::Cycle));
    profile.overrides = Overrides::default();
    assert_eq!(asked(&profile, "Ada"), Err(AudienceError::Empty));
}

// Strategies for random filters, overrides and users.
