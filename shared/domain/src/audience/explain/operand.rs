//! Phrases for the operands of rules.

use serde_json::Value;

use crate::rules::parse::Rule;
use crate::rules::{ActivityPredicate, DatePredicate, Leaf, NumberPredicate, TextPredicate};

/// Maximum number of list items in a text.
const MOST_ITEMS: usize = 10;
/// Maximum length of one operand in a text, in characters.
const MOST_CHARACTERS: usize = 1_024;

/// Returns the operand as written, or the number of days, including a default.
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

/// Formats a number of days.
pub(super) fn count(days: u32) -> String {
    if days == 1 {
        "1 day".to_owned()
    } else {
        format!("{days} days")
    }
}

/// Returns what a text would have to do to pass the predicate, after "would have to".
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

/// Returns what a number would have to be to pass the predicate, after "would have to".
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

/// Formats the value of a rule; long lists are truncated.
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
            let phrases = items.iter().take(MOST_ITEMS);
            let phrases: Vec<String> = phrases
                .filter_map(|item| phrases_of(item, between))
                .collect();
            let more = items.len().saturating_sub(MOST_ITEMS);
            let phrases = phrases.join(between);
            Some(if more > 0 {
                format!("{phrases} and {more} more")
            } else {
                phrases
            })
        }
        Value::Null | Value::Object(_) => None,
    }
}
