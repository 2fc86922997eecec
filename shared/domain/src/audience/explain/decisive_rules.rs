//! Determines which rules decide a result, and the fewest that would have to change to reverse it.
//!
//! The results are exact if rules change independently of each other, which rules about the same
//! field may not. Of two equally short answers, the one whose fields are read by fewer other rules
//! is therefore preferred.

use std::collections::{BTreeMap, BTreeSet};

use super::tree::{SeenGroup, SeenPart, SeenRule};
use crate::rules::parse::Combinator;

/// The set of rules to find for a part of the tree.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Aim {
    /// The fewest rules that determine its result regardless of the others.
    Keep,
    /// The fewest rules that have to change to reverse its result.
    Turn,
}

/// Rules with their cost: their number, then the number of other rules that read their fields.
#[derive(Default)]
struct Choice<'a> {
    cost: (usize, usize),
    rules: Vec<&'a SeenRule>,
}

/// Rules by the field they read.
pub(super) type ByField<'a> = BTreeMap<&'a str, Vec<&'a SeenRule>>;

/// Groups the rules of a tree by field.
pub(super) fn by_field(root: &SeenGroup) -> ByField<'_> {
    let mut fields = ByField::new();
    for rule in root.leaves() {
        fields.entry(&rule.field).or_default().push(rule);
    }
    fields
}

/// Returns the fewest rules that have to change to reverse the result, in the order written.
pub(super) fn fewest_to_turn<'a>(root: &'a SeenGroup, fields: &ByField<'a>) -> Vec<&'a SeenRule> {
    choose(root, Aim::Turn, fields).rules
}

/// Marks the fewest rules that determine the result.
pub(super) fn mark_decisive(root: &mut SeenGroup) {
    let chosen = choose(root, Aim::Keep, &ByField::new()).rules;
    let pointers: BTreeSet<String> = chosen.iter().map(|rule| rule.pointer.clone()).collect();
    mark_these(root, &pointers);
}

fn mark_these(group: &mut SeenGroup, pointers: &BTreeSet<String>) {
    for part in &mut group.rules {
        match part {
            SeenPart::Group(inner) => mark_these(inner, pointers),
            SeenPart::Rule(rule) => rule.decisive = pointers.contains(&rule.pointer),
        }
    }
}

/// Chooses rules for an aim. Only parts that have the value of the group before its negation count.
/// In a true "and" and a false "or" these are all parts: all of them are needed to keep the value,
/// and any one is enough to reverse it. Otherwise the opposite holds.
fn choose<'a>(group: &'a SeenGroup, aim: Aim, fields: &ByField<'a>) -> Choice<'a> {
    let inner = group.holds != group.not;
    let unanimous = (group.combinator == Combinator::And) == inner;
    let parts = group.rules.iter().filter(|part| part.holds() == inner);
    let choices = parts.map(|part| match part {
        SeenPart::Group(group) => choose(group, aim, fields),
        SeenPart::Rule(rule) => Choice::one(rule, fields),
    });
    if unanimous == (aim == Aim::Keep) {
        choices.fold(Choice::default(), Choice::and)
    } else {
        choices.min_by_key(|choice| choice.cost).unwrap_or_default()
    }
}

impl<'a> Choice<'a> {
    fn one(rule: &'a SeenRule, fields: &ByField<'a>) -> Self {
        let readers = fields.get(rule.field.as_str()).map_or(1, Vec::len);
        Self {
            cost: (1, readers - 1),
            rules: vec![rule],
        }
    }

    fn and(mut self, other: Self) -> Self {
        self.cost.0 += other.cost.0;
        self.cost.1 += other.cost.1;
        self.rules.extend(other.rules);
        self
    }
}
