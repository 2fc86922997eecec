//! Explanations why a user is or is not in an audience, for every operator and every kind of value.

use std::fmt::Write;

use rollcall_domain::audience::explain::{OtherProfile, explain};
use rollcall_domain::audience::profile::{Profile, Target};
use rollcall_domain::base::ids::ProfileId;
use rollcall_domain::testing::{World, profile, profile_id, slot};
use serde_json::{Value, json};

use super::{academy, all_of, any_of, custom, every_operator, rule, with_rules};

fn told(profile: &Profile, name: &str) -> String {
    let mut world = academy();
    world.person("Vint").without_entra();
    let other = |_: ProfileId| {
        Some(OtherProfile {
            title: "Remote".to_owned(),
            member: true,
        })
    };
    let found = explain(
        profile,
        &world.snapshot(),
        slot(),
        World::user(name),
        &other,
    );
    found
        .expect("no audience")
        .expect("no such learner")
        .to_string()
}

#[test]
fn every_operator_in_words() {
    let mut text = String::new();
    for (section, field, operator, value) in every_operator() {
        let tree = all_of(&[rule(&field, operator, &value)]);
        let profile = with_rules(section, &tree);
        writeln!(text, "## {section} {operator} {value}").expect("text not written");
        for name in ["Ada", "Grace", "Kay"] {
            writeln!(text, "{}", told(&profile, name)).expect("text not written");
        }
    }
    insta::assert_snapshot!(text);
}

#[test]
fn groups_and_overrides_in_words() {
    let (city, number) = (
        rule("city", "=", &json!("Denver")),
        rule(&custom("Number"), ">", &json!(100)),
    );
    let not =
        |combinator: &str| json!({"combinator": combinator, "not": true, "rules": [city, number]});
    let trees = [
        all_of(&[city.clone(), number.clone()]),
        any_of(&[city.clone(), number.clone()]),
        not("and"),
        not("or"),
        all_of(&[
            any_of(&[city.clone(), number.clone()]),
            city.clone(),
            rule("city", "!=", &json!("Oslo")),
        ]),
    ];
    let mut text = String::new();
    for tree in &trees {
        for name in ["Ada", "Kay", "Vint"] {
            writeln!(text, "{}", told(&with_rules("properties", tree), name))
                .expect("text not written");
        }
    }
    let (ada, remote) = (
        Target::User(World::user("Ada")),
        Target::Profile(profile_id("Remote")),
    );
    for (include, exclude) in [
        (vec![ada], vec![]),
        (vec![remote], vec![]),
        (vec![ada], vec![remote]),
        (vec![remote], vec![ada]),
    ] {
        for rules in [None, Some(&trees[0])] {
            let mut profile = rules.map_or_else(
                || profile("Field staff"),
                |tree: &Value| with_rules("properties", tree),
            );
            profile.overrides.include = include.iter().copied().collect();
            profile.overrides.exclude = exclude.iter().copied().collect();
            writeln!(text, "{}", told(&profile, "Ada")).expect("text not written");
        }
    }
    insta::assert_snapshot!(text);
}
