//! Whether one text can pass some tests and fail others.

use std::iter::once;

use super::bounds::{Bounds, StepLimit};
use crate::rules::TextPredicate;
use crate::rules::evaluate::text_holds;

/// Whether no text can.
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
    // Without fuel nothing is claimed, as if a candidate had been found.
    !candidates.any(|text| !fuel.consume(tests.len()) || could_be(tests, text))
}

/// The only texts that pass a test, and how many they are.
fn candidates(test: &TextPredicate) -> Option<(usize, Box<dyn Iterator<Item = &str> + '_>)> {
    match test {
        TextPredicate::Equals(text) => Some((1, Box::new(once(text.as_str())))),
        TextPredicate::In(texts) => Some((texts.len(), Box::new(texts.iter().map(String::as_str)))),
        _ => None,
    }
}

/// Whether a folded text meets all tests. Patterns look at the text before it
/// is folded, so they may say anything about it.
fn could_be(tests: &Bounds<'_, TextPredicate>, text: &str) -> bool {
    let plain = |test: &&&TextPredicate| !matches!(test, TextPredicate::Matches(_));
    let mut wanted = tests.wanted.iter().filter(plain);
    let mut refused = tests.refused.iter().filter(plain);
    wanted.all(|test| text_holds(test, text)) && !refused.any(|test| text_holds(test, text))
}

/// Whether every text that passes the first test passes the second. Equality
/// with known texts is tried out instead.
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

/// Whether a text would need two beginnings, or two ends, that differ.
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

/// Whether the texts are not all beginnings of the longest of them.
fn differ(parts: impl Iterator<Item = Vec<u8>>) -> bool {
    let parts: Vec<Vec<u8>> = parts.collect();
    let longest = parts.iter().max_by_key(|part| part.len());
    longest.is_some_and(|longest| parts.iter().any(|part| !longest.starts_with(part)))
}
