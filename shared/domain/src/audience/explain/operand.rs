//! Operands of rules in words, alone and in a phrase.

use serde_json::Value;

use crate::rules::parse::Rule;
use crate::rules::{ActivityPredicate, DatePredicate, Leaf, NumberPredicate, TextPredicate};

/// A list of operands is told up to this length.
const MOST_ITEMS: usize = 10;
/// An operand is told up to this many characters; only lists are longer.
const MOST_CHARACTERS: usize = 1_024;

/// The operand as written; the days a rule leaves to the default are told, too.
pub(super) fn operand(rule: &Rule, leaf: &Leaf) -> Option<String> {
    match leaf {
        Leaf::Activity(_, ActivityPredicate::CompletedInLast(days))
        | Leaf::Date(
            _,
            DatePredicate::InLast(days)
            | DatePredicate::InNext(days)
            | DatePredicate::MoreThanAgo(days),
        ) => Some(count(*days)),
        Leaf::Date(_, DatePredicate::Within(..))
        | Leaf::Number(_, NumberPredicate::Between(..)) => phrases_of(&rule.value, " and "),
        _ => phrases_of(&rule.value, ", "),
    }
}

/// A number of days in words.
pub(super) fn count(days: u32) -> String {
    if days == 1 {
        "1 day".to_owned()
    } else {
        format!("{days} days")
    }
}

/// What a text has to do to pass the test.
pub(super) fn text_phrase(test: &TextPredicate, operand: &str) -> String {
    match test {
        TextPredicate::Equals(_) => format!("be {operand}"),
        TextPredicate::Contains(_) => format!("contain {operand}"),
        TextPredicate::BeginsWith(_) => format!("begin with {operand}"),
        TextPredicate::EndsWith(_) => format!("end with {operand}"),
        TextPredicate::In(_) => format!("be one of {operand}"),
        TextPredicate::Matches(_) => format!("match the pattern {operand}"),
    }
}

/// What a number has to be to pass the test.
pub(super) fn number_phrase(test: &NumberPredicate, operand: &str) -> String {
    match test {
        NumberPredicate::Equals(_) => format!("be {operand}"),
        NumberPredicate::Less(_) => format!("be less than {operand}"),
        NumberPredicate::AtMost(_) => format!("be at most {operand}"),
        NumberPredicate::Greater(_) => format!("be greater than {operand}"),
        NumberPredicate::AtLeast(_) => format!("be at least {operand}"),
        NumberPredicate::Between(..) => format!("be between {operand}"),
        NumberPredicate::In(_) => format!("be one of {operand}"),
    }
}

/// A value of a rule in words, lists cut short.
fn phrases_of(value: &Value, between: &str) -> Option<String> {
    match value {
        Value::String(text) => {
            let text = text.trim();
            if text.is_empty() {
                return None;
            }
            let mut short: String = text.chars().take(MOST_CHARACTERS).collect();
            if short.len() < text.len() {
                short.push('…');
            }
            Some(short)
        }
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(truth) => Some(truth.to_string()),
        Value::Array(items) => {
            let told = items.iter().take(MOST_ITEMS);
            let told: Vec<String> = told.filter_map(|item| phrases_of(item, between)).collect();
            let more = items.len().saturating_sub(MOST_ITEMS);
            let told = told.join(between);
            Some(if more > 0 {
                format!("{told} and {more} more")
            } else {
                told
            })
        }
        Value::Null | Value::Object(_) => None,
    }
}
