//! The meaning of each operator for each kind of field; one function per kind.
//!
//! Each function returns a positive predicate and whether the operator negates it.

use chrono_tz::Tz;
use regex::RegexBuilder;
use serde_json::Value;

use super::expr::{ActivityPredicate, DatePredicate, NumberPredicate, TextPredicate};
use super::limits::{DEFAULT_RECENT_DAYS, MAX_PATTERN, MAX_PATTERN_BYTES};
use super::parse::Rule;
use super::problem::{Mistake, invalid};
use super::value;

fn unknown_operator<T>(rule: &Rule, known: &str) -> Result<T, Mistake> {
    Err(invalid(
        "operator",
        format!(
            "{:?} does not work on {}; use one of {known}",
            rule.operator, rule.field
        ),
    ))
}

pub(super) fn text(rule: &Rule) -> Result<(TextPredicate, bool), Mistake> {
    let one = || value::text(&rule.value).map_err(|detail| invalid("value", detail));
    Ok(match rule.operator.as_str() {
        "=" => (TextPredicate::Equals(one()?), false),
        "!=" => (TextPredicate::Equals(one()?), true),
        "contains" => (TextPredicate::Contains(one()?), false),
        "doesNotContain" => (TextPredicate::Contains(one()?), true),
        "beginsWith" => (TextPredicate::BeginsWith(one()?), false),
        "doesNotBeginWith" => (TextPredicate::BeginsWith(one()?), true),
        "endsWith" => (TextPredicate::EndsWith(one()?), false),
        "doesNotEndWith" => (TextPredicate::EndsWith(one()?), true),
        "in" | "notIn" => {
            let texts = items(&rule.value, value::text)?;
            (
                TextPredicate::In(texts.into_iter().collect()),
                rule.operator == "notIn",
            )
        }
        "matches" => (TextPredicate::Matches(pattern(&rule.value)?), false),
        _ => {
            return unknown_operator(
                rule,
                "= != contains doesNotContain beginsWith doesNotBeginWith endsWith doesNotEndWith null notNull in notIn matches",
            );
        }
    })
}

fn pattern(value: &Value) -> Result<regex::Regex, Mistake> {
    let text = value
        .as_str()
        .filter(|text| !text.is_empty())
        .ok_or_else(|| invalid("value", "the pattern is required"))?;
    if text.chars().count() > MAX_PATTERN {
        return Err(invalid(
            "value",
            format!("a pattern may be {MAX_PATTERN} characters long at most"),
        ));
    }
    RegexBuilder::new(text)
        .case_insensitive(true)
        .size_limit(MAX_PATTERN_BYTES)
        .build()
        .map_err(|error| {
            invalid(
                "value",
                format!("the pattern is invalid: {}", last_line(&error.to_string())),
            )
        })
}

/// Returns the last line of a regex error, which is the message; the lines before show the
/// position.
fn last_line(text: &str) -> &str {
    text.lines()
        .last()
        .unwrap_or(text)
        .trim_start_matches("error: ")
}

pub(super) fn number(rule: &Rule) -> Result<(NumberPredicate, bool), Mistake> {
    let one = || value::number(&rule.value).map_err(|detail| invalid("value", detail));
    Ok(match rule.operator.as_str() {
        "=" => (NumberPredicate::Equals(one()?), false),
        "!=" => (NumberPredicate::Equals(one()?), true),
        "<" => (NumberPredicate::Less(one()?), false),
        "<=" => (NumberPredicate::AtMost(one()?), false),
        ">" => (NumberPredicate::Greater(one()?), false),
        ">=" => (NumberPredicate::AtLeast(one()?), false),
        "between" | "notBetween" => {
            let [from, to] = value::pair(&rule.value).map_err(|detail| invalid("value", detail))?;
            let read =
                |value: &Value| value::number(value).map_err(|detail| invalid("value", detail));
            let (from, to) = (read(&from)?, read(&to)?);
            if from > to {
                return Err(invalid(
                    "value",
                    "the first number must not be larger than the second",
                ));
            }
            (
                NumberPredicate::Between(from, to),
                rule.operator == "notBetween",
            )
        }
        "in" | "notIn" => (
            NumberPredicate::In(items(&rule.value, value::number)?),
            rule.operator == "notIn",
        ),
        _ => {
            return unknown_operator(
                rule,
                "= != < <= > >= between notBetween in notIn null notNull",
            );
        }
    })
}

pub(super) fn boolean(rule: &Rule) -> Result<(bool, bool), Mistake> {
    let truth = value::boolean(&rule.value).map_err(|detail| invalid("value", detail));
    match rule.operator.as_str() {
        "=" => Ok((truth?, false)),
        "!=" => Ok((truth?, true)),
        _ => unknown_operator(rule, "= != null notNull"),
    }
}

pub(super) fn date(rule: &Rule, zone: Tz) -> Result<(DatePredicate, bool), Mistake> {
    let span = |given: &Value| value::span(given, zone).map_err(|detail| invalid("value", detail));
    let days = || value::days(&rule.value, None).map_err(|detail| invalid("value", detail));
    Ok(match rule.operator.as_str() {
        "before" => (DatePredicate::Before(span(&rule.value)?.0), false),
        "after" => (DatePredicate::After(span(&rule.value)?.0), false),
        "on" => {
            let (start, end) = span(&rule.value)?;
            (DatePredicate::Within(start, end), false)
        }
        "between" | "notBetween" => {
            let [from, to] = value::pair(&rule.value).map_err(|detail| invalid("value", detail))?;
            let (start, end) = (span(&from)?.0, span(&to)?.1);
            if start >= end {
                return Err(invalid(
                    "value",
                    "the first date must not be later than the second",
                ));
            }
            (
                DatePredicate::Within(start, end),
                rule.operator == "notBetween",
            )
        }
        "inLast" => (DatePredicate::InLast(days()?), false),
        "inNext" => (DatePredicate::InNext(days()?), false),
        "moreThanAgo" => (DatePredicate::MoreThanAgo(days()?), false),
        _ => {
            return unknown_operator(
                rule,
                "before after on between notBetween inLast inNext moreThanAgo null notNull",
            );
        }
    })
}

pub(super) fn activity(rule: &Rule) -> Result<(ActivityPredicate, bool), Mistake> {
    let test = match rule.operator.as_str() {
        "completed" => (ActivityPredicate::Completed, false),
        "notCompleted" => (ActivityPredicate::Completed, true),
        "completedInLast" => {
            let days = value::days(&rule.value, Some(DEFAULT_RECENT_DAYS))
                .map_err(|detail| invalid("value", detail))?;
            return Ok((ActivityPredicate::CompletedInLast(days), false));
        }
        "overdue" => (ActivityPredicate::Overdue, false),
        "inProgress" => (ActivityPredicate::InProgress, false),
        "enrolled" => (ActivityPredicate::Enrolled, false),
        "notEnrolled" => (ActivityPredicate::Enrolled, true),
        _ => {
            return unknown_operator(
                rule,
                "completed notCompleted completedInLast overdue inProgress enrolled notEnrolled",
            );
        }
    };
    match &rule.value {
        Value::Null => Ok(test),
        Value::String(text) if text.trim().is_empty() => Ok(test),
        _ => Err(invalid(
            "value",
            format!("{} takes no value", rule.operator),
        )),
    }
}

fn items<T>(given: &Value, read: fn(&Value) -> Result<T, String>) -> Result<Vec<T>, Mistake> {
    value::list(given)
        .and_then(|items| items.iter().map(read).collect())
        .map_err(|detail| invalid("value", detail))
}
