//! Detects contradictions between predicates on one text.

use std::iter::once;

use super::bounds::{Bounds, StepLimit};
use crate::rules::TextPredicate;
use crate::rules::evaluate::text_holds;

/// Returns true if no text satisfies the predicates.
pub(super) fn contradict(tests: &Bounds<'_, TextPredicate>, fuel: &mut StepLimit) -> bool {
    if !fuel.consume(tests.wanted.len() * tests.len()) {
        return false;
    }
    if tests.contradicts(implies) || edges_differ(&tests.wanted) {
        return true;
    }
    let lists = tests.wanted.iter().filter_map(|test| candidates(test));
    let Some((_, mut candidates)) = lists.min_by_key(|(count, _)| *count) else {
        return false;
    };
    // If the limit is reached, nothing is reported, as if a candidate satisfied the predicates.
    !candidates.any(|text| !fuel.consume(tests.len()) || could_be(tests, text))
}

/// Returns the only texts that can pass a predicate, and their number.
fn candidates(test: &TextPredicate) -> Option<(usize, Box<dyn Iterator<Item = &str> + '_>)> {
    match test {
        TextPredicate::Equals(text) => Some((1, Box::new(once(text.as_str())))),
        TextPredicate::In(texts) => Some((texts.len(), Box::new(texts.iter().map(String::as_str)))),
        _ => None,
    }
}

/// Returns true if a folded text may satisfy all predicates. Patterns are matched against the text
/// before folding, so their result is unknown here.
fn could_be(tests: &Bounds<'_, TextPredicate>, text: &str) -> bool {
    let plain = |test: &&&TextPredicate| !matches!(test, TextPredicate::Matches(_));
    let mut wanted = tests.wanted.iter().filter(plain);
    let mut refused = tests.refused.iter().filter(plain);
    wanted.all(|test| text_holds(test, text)) && !refused.any(|test| text_holds(test, text))
}

/// Returns true if every text that passes the first predicate passes the second. Predicates with
/// known texts are not handled here; their candidates are tried instead.
fn implies(first: &TextPredicate, second: &TextPredicate) -> bool {
    use TextPredicate::{BeginsWith, Contains, EndsWith, Matches};
    match (first, second) {
        (BeginsWith(a), BeginsWith(b)) => a.starts_with(b.as_str()),
        (EndsWith(a), EndsWith(b)) => a.ends_with(b.as_str()),
        (BeginsWith(a) | EndsWith(a) | Contains(a), Contains(b)) => a.contains(b.as_str()),
        (Matches(a), Matches(b)) => a.as_str() == b.as_str(),
        _ => false,
    }
}

/// Returns true if a text would need two different prefixes or suffixes.
fn edges_differ(wanted: &[&TextPredicate]) -> bool {
    let begins = |test: &&TextPredicate| match test {
        TextPredicate::BeginsWith(part) => Some(part.as_bytes().to_vec()),
        _ => None,
    };
    let ends = |test: &&TextPredicate| match test {
        TextPredicate::EndsWith(part) => Some(part.bytes().rev().collect()),
        _ => None,
    };
    differ(wanted.iter().filter_map(begins)) || differ(wanted.iter().filter_map(ends))
}

/// Returns true if not all texts are prefixes of the longest one.
fn differ(parts: impl Iterator<Item = Vec<u8>>) -> bool {
    let parts: Vec<Vec<u8>> = parts.collect();
    let longest = parts.iter().max_by_key(|part| part.len());
    longest.is_some_and(|longest| parts.iter().any(|part| !longest.starts_with(part)))
}
