//! The direct approach: walks the tree for every profile and user, comparing strings.
//!
//! The semantics follow the design, without using the product's code: this is also the oracle for
//! the other peers.

use crate::overrides::Members;
use crate::person::{Person, Value, holds};
use crate::tree::{Field, Test, TextIs, Tree};

/// Returns the indexes of the users that match each tree. Iterates by user, so that a user's
/// strings stay in the CPU cache for all trees.
pub fn members(trees: &[Option<Tree>], people: &[&Person], now: i64) -> Members {
    let mut members = vec![Vec::new(); trees.len()];
    for (person, place) in people.iter().zip(0u32..) {
        for (tree, found) in trees.iter().zip(&mut members) {
            if tree.as_ref().is_some_and(|tree| matches(tree, person, now)) {
                found.push(place);
            }
        }
    }
    members
}

fn matches(tree: &Tree, person: &Person, now: i64) -> bool {
    match tree {
        Tree::All(parts) => parts.iter().all(|part| matches(part, person, now)),
        Tree::Any(parts) => parts.iter().any(|part| matches(part, person, now)),
        Tree::Not(part) => !matches(part, person, now),
        Tree::Test(test) => passes(test, person, now),
    }
}

fn passes(test: &Test, person: &Person, now: i64) -> bool {
    match test {
        Test::Missing(field) => person.lacks(*field),
        Test::Text(field, is) => person.text(*field).is_some_and(|text| compares(is, text)),
        Test::Number(field, from, to) => matches!(
            custom(person, *field),
            Some(Value::Number(number)) if from.is_none_or(|from| *number >= from) && to.is_none_or(|to| *number <= to)
        ),
        Test::Truth(field, truth) => custom(person, *field) == Some(&Value::Truth(*truth)),
        Test::Moment(field, from, until) => matches!(
            custom(person, *field),
            Some(Value::Moment(moment)) if from.is_none_or(|from| *moment >= from) && until.is_none_or(|until| *moment < until)
        ),
        Test::Course(course, is) => person
            .courses
            .get(course)
            .is_some_and(|attempts| holds(attempts, *is, now)),
    }
}

fn custom(person: &Person, field: Field) -> Option<&Value> {
    person.custom(field.name())
}

fn compares(is: &TextIs, text: &str) -> bool {
    match is {
        TextIs::Equal(operand) => text == operand,
        TextIs::Containing(operand) => text.contains(operand.as_str()),
        TextIs::Beginning(operand) => text.starts_with(operand.as_str()),
        TextIs::Ending(operand) => text.ends_with(operand.as_str()),
        TextIs::In(operands) => operands.iter().any(|operand| operand == text),
    }
}
