//! The smallest changes that would reverse the result, to rules or to overrides.

use serde::{Deserialize, Serialize};

use super::applied_override::Named;
use super::decisive_rules::{by_field, fewest_to_turn};
use super::tree::SeenGroup;
use crate::audience::profile::Target;

/// A set of steps that reverses the result; none of them can be omitted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Way {
    /// The changes that are needed together.
    pub steps: Vec<WhatIfStep>,
}

/// One change that would be needed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = Step))]
pub struct WhatIfStep {
    /// The change.
    #[serde(flatten)]
    pub change: WhatIfChange,
    /// The change as text.
    pub words: String,
}

/// A change that would be needed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema), schema(as = Change))]
#[serde(rename_all = "camelCase", tag = "kind")]
pub enum WhatIfChange {
    /// The result of a rule would have to be the opposite.
    Rule {
        /// JSON pointer of the rule in the profile.
        pointer: String,
        /// True if the rule would have to hold.
        holds: bool,
        /// JSON pointers of other rules that read the same field and may change with it.
        also: Vec<String>,
    },
    /// An override would have to be removed from `include`.
    RemoveInclusion(Named),
    /// An override would have to be removed from `exclude`.
    RemoveExclusion(Named),
    /// The learner would have to be listed in `include`.
    Include,
    /// The learner would have to be listed in `exclude`.
    Exclude,
    /// The learner would need an Entra account.
    Account,
}

/// Returns the changes that would remove the learner from the group or add them, shortest first.
pub(super) fn counterfactuals(
    member: bool,
    reachable: bool,
    rules: Option<&SeenGroup>,
    inclusions: &[Named],
    exclusions: &[Named],
) -> Vec<Way> {
    let mut alternatives = if member && reachable {
        leaving(rules, inclusions)
    } else {
        joining(reachable, rules, inclusions, exclusions)
    };
    alternatives.sort_by_key(|way| way.steps.len());
    alternatives
}

fn leaving(rules: Option<&SeenGroup>, inclusions: &[Named]) -> Vec<Way> {
    let mut unmatched = turned(rules.filter(|rules| rules.holds));
    unmatched.extend(inclusions.iter().map(remove_inclusion));
    let excluded = vec![step(
        WhatIfChange::Exclude,
        "the learner would have to be excluded by name",
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
                "the learner would need an Entra account",
            ));
        }
        Way { steps }
    };
    if rules.is_some_and(|rules| rules.holds) || !inclusions.is_empty() {
        return vec![way(Vec::new())];
    }
    let included = step(
        WhatIfChange::Include,
        "the learner would have to be included by name",
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
            "the inclusion of the profile {title} would have to be removed, or the learner would have to leave that profile"
        ),
        _ => "the inclusion by name would have to be removed".to_owned(),
    };
    step(WhatIfChange::RemoveInclusion(named.clone()), &words)
}

fn remove_exclusion(named: &Named) -> WhatIfStep {
    let words = match (named.target, &named.title) {
        (Target::Profile(_), Some(title)) => format!(
            "the exclusion of the profile {title} would have to be removed, or the learner would have to leave that profile"
        ),
        _ => "the exclusion by name would have to be removed".to_owned(),
    };
    step(WhatIfChange::RemoveExclusion(named.clone()), &words)
}

fn step(change: WhatIfChange, words: &str) -> WhatIfStep {
    WhatIfStep {
        change,
        words: words.to_owned(),
    }
}
