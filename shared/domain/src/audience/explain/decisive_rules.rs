//! Which rules settle a result, and the fewest that would have to turn for another one.
//!
//! Exact as long as rules turn independently of each other, which those about
//! one field do not always; of two equally short answers the one whose fields
//! fewer other rules read is therefore taken.

use std::collections::{BTreeMap, BTreeSet};

use super::tree::{SeenGroup, SeenPart, SeenRule};
use crate::rules::parse::Combinator;

/// What is asked of a part of the tree.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Aim {
    /// The fewest rules that make it what it is, whatever the others say.
    Keep,
    /// The fewest rules that have to turn for it to turn.
    Turn,
}

/// Some rules and what they cost: their number, then how many other rules read their fields.
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

/// The fewest rules that have to turn for the whole to turn, in the order written.
pub(super) fn fewest_to_turn<'a>(root: &'a SeenGroup, fields: &ByField<'a>) -> Vec<&'a SeenRule> {
    choose(root, Aim::Turn, fields).rules
}

/// Marks the fewest rules that settle what the whole is.
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

/// Only parts with the value of the whole before its negation count: in a true
/// "and" and a false "or" that is every part, each of them needed to keep the
/// value and any of them enough to turn it; otherwise it is the reverse.
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
