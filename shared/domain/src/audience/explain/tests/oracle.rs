//! The expected explanation, found by trying every combination of changes.

use std::collections::BTreeMap;

use serde_json::Value;

use super::*;

/// Evaluates the rules with given results. This second reading of the document is independent
/// of the first.
pub(super) fn matches(document: &Value, pointer: &str, outcomes: &BTreeMap<String, bool>) -> bool {
    let Some(rules) = document["rules"].as_array() else {
        return outcomes[pointer];
    };
    let mut parts = rules
        .iter()
        .enumerate()
        .map(|(index, part)| matches(part, &format!("{pointer}/rules/{index}"), outcomes));
    let inner = if document["combinator"] == "and" {
        parts.all(|part| part)
    } else {
        parts.any(|part| part)
    };
    inner != document["not"].as_bool().unwrap_or(false)
}

/// Everything that can change for one learner.
#[derive(Clone)]
pub(super) struct Stage<'a> {
    profile: &'a Profile,
    user: UserId,
    pub(super) outcomes: BTreeMap<String, bool>,
    include: BTreeSet<Target>,
    exclude: BTreeSet<Target>,
    reachable: bool,
}

impl<'a> Stage<'a> {
    pub(super) fn of(profile: &'a Profile, explanation: &Explanation) -> Self {
        let rules = explanation.rules.iter().flat_map(SeenGroup::leaves);
        let targets = |named: &[Named]| named.iter().map(|named| named.target).collect();
        Self {
            profile,
            user: explanation.user,
            outcomes: rules
                .map(|rule| (rule.pointer.clone(), rule.holds))
                .collect(),
            include: targets(&explanation.inclusions),
            exclude: targets(&explanation.exclusions),
            reachable: explanation.reachable,
        }
    }

    pub(super) fn rules_match(&self) -> bool {
        let filter = &self.profile.filter;
        let sections = [
            ("properties", &filter.properties),
            ("dates", &filter.dates),
            ("activities", &filter.activities),
        ];
        let found: Vec<bool> = sections
            .into_iter()
            .filter_map(|(name, tree)| Some((name, tree.as_ref()?)))
            .filter(|(_, tree)| tree["rules"] != json!([]))
            .map(|(name, tree)| matches(tree, &format!("/filter/{name}"), &self.outcomes))
            .collect();
        match filter.mode {
            MatchMode::All => !found.is_empty() && found.iter().all(|holds| *holds),
            MatchMode::Any => found.iter().any(|holds| *holds),
        }
    }

    pub(super) fn in_group(&self) -> bool {
        let member = self.rules_match() || !self.include.is_empty();
        member && self.exclude.is_empty() && self.reachable
    }

    pub(super) fn take(&mut self, change: &WhatIfChange) {
        match change {
            WhatIfChange::Rule { pointer, holds, .. } => {
                let before = self.outcomes.insert(pointer.clone(), *holds);
                assert_eq!(before, Some(!holds), "{pointer}");
            }
            WhatIfChange::RemoveInclusion(named) => assert!(self.include.remove(&named.target)),
            WhatIfChange::RemoveExclusion(named) => assert!(self.exclude.remove(&named.target)),
            WhatIfChange::Include => assert!(self.include.insert(Target::User(self.user))),
            WhatIfChange::Exclude => assert!(self.exclude.insert(Target::User(self.user))),
            WhatIfChange::Account => self.reachable = true,
        }
    }

    pub(super) fn after<'c>(&self, changes: impl IntoIterator<Item = &'c WhatIfChange>) -> Self {
        let mut after = self.clone();
        changes.into_iter().for_each(|change| after.take(change));
        after
    }

    /// Returns all possible changes.
    pub(super) fn changes(&self) -> Vec<WhatIfChange> {
        let rules = self
            .outcomes
            .iter()
            .map(|(pointer, holds)| WhatIfChange::Rule {
                pointer: pointer.clone(),
                holds: !holds,
                also: Vec::new(),
            });
        let named = |target: &Target| Named {
            target: *target,
            title: None,
        };
        let me = Target::User(self.user);
        rules
            .chain(
                self.include
                    .iter()
                    .map(|target| WhatIfChange::RemoveInclusion(named(target))),
            )
            .chain(
                self.exclude
                    .iter()
                    .map(|target| WhatIfChange::RemoveExclusion(named(target))),
            )
            .chain((!self.include.contains(&me)).then_some(WhatIfChange::Include))
            .chain((!self.exclude.contains(&me)).then_some(WhatIfChange::Exclude))
            .chain((!self.reachable).then_some(WhatIfChange::Account))
            .collect()
    }
}

/// Returns all subsets with at most `most` items.
pub(super) fn choices<T>(items: &[T], most: usize) -> impl Iterator<Item = Vec<&T>> {
    let all = 1u32 << items.len();
    (0..all)
        .filter(move |mask| mask.count_ones() as usize <= most)
        .map(|mask| {
            let chosen = items.iter().enumerate();
            let chosen = chosen.filter(move |(index, _)| mask >> index & 1 == 1);
            chosen.map(|(_, item)| item).collect()
        })
}

pub(super) fn every_way_works_and_is_the_shortest(stage: &Stage<'_>, ways: &[Way]) {
    let now = stage.in_group();
    for way in ways {
        let changes: Vec<&WhatIfChange> = way.steps.iter().map(|step| &step.change).collect();
        assert_ne!(
            stage.after(changes.iter().copied()).in_group(),
            now,
            "{way}"
        );
        for left_out in 0..changes.len() {
            let rest = changes.iter().enumerate();
            let rest = rest.filter(|(index, _)| *index != left_out);
            let after = stage.after(rest.map(|(_, change)| *change));
            assert_eq!(after.in_group(), now, "{way}, without step {left_out}");
        }
    }
    let shortest = ways[0].steps.len();
    for fewer in choices(&stage.changes(), shortest - 1) {
        assert_eq!(
            stage.after(fewer.iter().copied()).in_group(),
            now,
            "{fewer:?}"
        );
    }
}

/// Checks that the listed rules are the fewest, even if an override would be shorter.
pub(super) fn no_fewer_rules_turn_the_match(stage: &Stage<'_>, ways: &[Way]) {
    let is_rule = |change: &WhatIfChange| matches!(change, WhatIfChange::Rule { .. });
    let all: Vec<WhatIfChange> = stage.changes().into_iter().filter(is_rule).collect();
    for way in ways {
        let steps = way.steps.iter();
        let rules = steps.filter(|step| is_rule(&step.change)).count();
        for fewer in choices(&all, rules.saturating_sub(1)).filter(|_| rules > 0) {
            let after = stage.after(fewer.iter().copied());
            assert_eq!(after.rules_match(), stage.rules_match(), "{fewer:?}");
        }
    }
}

/// Returns true if the rules determine the match whatever the results of the others are.
pub(super) fn settles(stage: &Stage<'_>, rules: &[&String]) -> bool {
    let others: Vec<WhatIfChange> = (stage.outcomes.iter())
        .filter(|(pointer, _)| !rules.contains(pointer))
        .map(|(pointer, holds)| WhatIfChange::Rule {
            pointer: pointer.clone(),
            holds: !holds,
            also: Vec::new(),
        })
        .collect();
    choices(&others, others.len())
        .all(|turned| stage.after(turned).rules_match() == stage.rules_match())
}

pub(super) fn the_decisive_rules_are_the_fewest_that_settle_it(
    stage: &Stage<'_>,
    explanation: &Explanation,
) {
    let rules = explanation.rules.iter().flat_map(SeenGroup::leaves);
    let decisive: Vec<&String> = rules
        .filter(|rule| rule.decisive)
        .map(|rule| &rule.pointer)
        .collect();
    match explanation.because {
        MembershipCause::Included(_) | MembershipCause::Excluded(_) => {
            assert!(decisive.is_empty());
        }
        MembershipCause::Rules | MembershipCause::NotMatched if explanation.rules.is_none() => {}
        MembershipCause::Rules | MembershipCause::NotMatched => {
            assert!(settles(stage, &decisive));
            let all: Vec<&String> = stage.outcomes.keys().collect();
            for fewer in choices(&all, decisive.len() - 1) {
                let fewer: Vec<&String> = fewer.into_iter().copied().collect();
                assert!(!settles(stage, &fewer), "{fewer:?}");
            }
        }
    }
}
