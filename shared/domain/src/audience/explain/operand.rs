//! Operands of rules in words, alone and in a phrase.

use serde_json::Value;

use crate::rules::parse::Rule;
use crate::rules::{ActivityTest, DateTest, Leaf, NumberTest, TextTest};

/// A list of operands is told up to this length.
const MOST_ITEMS: usize = 10;
/// An operand is told up to this many characters; only lists are longer.
const MOST_CHARACTERS: usize = 1_024;

/// The operand as written; the days a rule leaves to the default are told, too.
pub(super) fn operand(rule: &Rule, leaf: &Leaf) -> Option<String> {
    match leaf {
        Leaf::Activity(_, ActivityTest::CompletedInLast(days))
        | Leaf::Date(
            _,
            DateTest::InLast(days) | DateTest::InNext(days) | DateTest::MoreThanAgo(days),
        ) => Some(count(*days)),
        Leaf::Date(_, DateTest::Within(..)) | Leaf::Number(_, NumberTest::Between(..)) => {
            words_of(&rule.value, " and ")
        }
        _ => words_of(&rule.value, ", "),
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
pub(super) fn text_phrase(test: &TextTest, operand: &str) -> String {
    match test {
        TextTest::Equals(_) => format!("be {operand}"),
        TextTest::Contains(_) => format!("contain {operand}"),
        TextTest::BeginsWith(_) => format!("begin with {operand}"),
        TextTest::EndsWith(_) => format!("end with {operand}"),
        TextTest::In(_) => format!("be one of {operand}"),
        TextTest::Matches(_) => format!("match the pattern {operand}"),
    }
}

/// What a number has to be to pass the test.
pub(super) fn number_phrase(test: &NumberTest, operand: &str) -> String {
    match test {
        NumberTest::Equals(_) => format!("be {operand}"),
        NumberTest::Less(_) => format!("be less than {operand}"),
        NumberTest::AtMost(_) => format!("be at most {operand}"),
        NumberTest::Greater(_) => format!("be greater than {operand}"),
        NumberTest::AtLeast(_) => format!("be at least {operand}"),
        NumberTest::Between(..) => format!("be between {operand}"),
        NumberTest::In(_) => format!("be one of {operand}"),
    }
}

/// A value of a rule in words, lists cut short.
fn words_of(value: &Value, between: &str) -> Option<String> {
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
            let told: Vec<String> = told.filter_map(|item| words_of(item, between)).collect();
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
