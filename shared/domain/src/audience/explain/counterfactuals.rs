//! The shortest ways to another verdict: what rules see, or an override.

use serde::{Deserialize, Serialize};

use super::applied_override::Named;
use super::decisive_rules::{by_field, fewest_to_turn};
use super::tree::SeenGroup;
use crate::audience::profile::Target;

/// Steps that together turn the verdict; none of them can be left out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Way {
    /// What would have to be different.
    pub steps: Vec<WhatIfStep>,
}

/// One thing that would have to be different.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct WhatIfStep {
    /// What.
    #[serde(flatten)]
    pub change: WhatIfChange,
    /// The same in words.
    pub words: String,
}

/// What would have to be different.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "camelCase", tag = "kind")]
pub enum WhatIfChange {
    /// A rule would have to turn.
    Rule {
        /// Where it stands in the profile: a JSON pointer.
        pointer: String,
        /// Whether it would have to hold.
        holds: bool,
        /// Other rules that read the same field and may turn along with it.
        also: Vec<String>,
    },
    /// An override would have to be taken out of `include`.
    RemoveInclusion(Named),
    /// An override would have to be taken out of `exclude`.
    RemoveExclusion(Named),
    /// The person would have to be named in `include`.
    Include,
    /// The person would have to be named in `exclude`.
    Exclude,
    /// The person would need an Entra account.
    Account,
}

/// What would take the person out of the group or into it, the shortest first.
pub(super) fn counterfactuals(
    member: bool,
    reachable: bool,
    rules: Option<&SeenGroup>,
    inclusions: &[Named],
    exclusions: &[Named],
) -> Vec<Way> {
    let mut ways = if member && reachable {
        leaving(rules, inclusions)
    } else {
        joining(reachable, rules, inclusions, exclusions)
    };
    ways.sort_by_key(|way| way.steps.len());
    ways
}

fn leaving(rules: Option<&SeenGroup>, inclusions: &[Named]) -> Vec<Way> {
    let mut unmatched = turned(rules.filter(|rules| rules.holds));
    unmatched.extend(inclusions.iter().map(remove_inclusion));
    let excluded = vec![step(
        WhatIfChange::Exclude,
        "the person would have to be excluded by name",
    )];
    vec![Way { steps: unmatched }, Way { steps: excluded }]
}

fn joining(
    reachable: bool,
    rules: Option<&SeenGroup>,
    inclusions: &[Named],
    exclusions: &[Named],
) -> Vec<Way> {
    let way = |middle: Vec<WhatIfStep>| {
        let mut steps: Vec<WhatIfStep> = exclusions.iter().map(remove_exclusion).collect();
        steps.extend(middle);
        if !reachable {
            steps.push(step(
                WhatIfChange::Account,
                "the person would need an Entra account",
            ));
        }
        Way { steps }
    };
    if rules.is_some_and(|rules| rules.holds) || !inclusions.is_empty() {
        return vec![way(Vec::new())];
    }
    let included = step(
        WhatIfChange::Include,
        "the person would have to be included by name",
    );
    let matched = rules.map(|rules| way(turned(Some(rules))));
    matched.into_iter().chain([way(vec![included])]).collect()
}

fn turned(rules: Option<&SeenGroup>) -> Vec<WhatIfStep> {
    let Some(rules) = rules else {
        return Vec::new();
    };
    let fields = by_field(rules);
    let turned = fewest_to_turn(rules, &fields).into_iter();
    turned
        .map(|rule| {
            let readers = fields.get(rule.field.as_str()).into_iter().flatten();
            let others = readers.filter(|other| other.pointer != rule.pointer);
            let change = WhatIfChange::Rule {
                pointer: rule.pointer.clone(),
                holds: !rule.holds,
                also: others.map(|other| other.pointer.clone()).collect(),
            };
            step(change, &rule.otherwise)
        })
        .collect()
}

fn remove_inclusion(named: &Named) -> WhatIfStep {
    let words = match (named.target, &named.title) {
        (Target::Profile(_), Some(title)) => format!(
            "the inclusion of the profile {title} would have to be taken out, or the person leave that profile"
        ),
        _ => "the inclusion by name would have to be taken out".to_owned(),
    };
    step(WhatIfChange::RemoveInclusion(named.clone()), &words)
}

fn remove_exclusion(named: &Named) -> WhatIfStep {
    let words = match (named.target, &named.title) {
        (Target::Profile(_), Some(title)) => format!(
            "the exclusion of the profile {title} would have to be taken out, or the person leave that profile"
        ),
        _ => "the exclusion by name would have to be taken out".to_owned(),
    };
    step(WhatIfChange::RemoveExclusion(named.clone()), &words)
}

fn step(change: WhatIfChange, words: &str) -> WhatIfStep {
    WhatIfStep {
        change,
        words: words.to_owned(),
    }
}
