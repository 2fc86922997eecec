//! A fingerprint of an audience's definition: equal fingerprints mean equal members.

use std::collections::{BTreeMap, BTreeSet};

use chrono_tz::Tz;
use serde::Serialize;
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::profile::{Profile, Target};
use crate::base::text::fold;
use crate::rules::parse::{Combinator, FilterPart, Group, Rule, parse};
use crate::rules::{DEFAULT_RECENT_DAYS, FieldRef, MatchMode, list, parse_number, span, written};

/// Length of the hash in bytes; enough to avoid collisions between profiles.
const BYTES: usize = 16;

/// Returns the fingerprint of a profile's rules and overrides: 32 hexadecimal digits.
///
/// It does not depend on the order of rules, on case and spaces of texts, on the editor's own keys,
/// on groups around one rule, on double negations or on other equivalent forms: `not (a or b)`
/// equals `not a and not b`, and "is A or is B" equals "is one of A, B". Profiles with equal
/// fingerprints have equal members on any data; profiles with equal members may still have
/// different fingerprints. Returns `None` if there is nothing to compare (neither rules nor
/// overrides) or the rules cannot be parsed.
pub fn fingerprint(profile: &Profile) -> Option<String> {
    let mut sections = Vec::new();
    for (_, pointer, tree) in profile.filter.sections() {
        let group = parse(tree, pointer).ok()?;
        sections.push(Meaning::of(&group, false, profile.time_zone));
    }
    let rules = (!sections.is_empty())
        .then(|| Meaning::combined(profile.filter.mode == MatchMode::All, sections));
    let exclude = &profile.overrides.exclude;
    // Exclude wins, so a target in both lists is excluded.
    let include: BTreeSet<&Target> = profile.overrides.include.difference(exclude).collect();
    if rules.is_none() && include.is_empty() && exclude.is_empty() {
        return None;
    }
    let written = serde_json::to_vec(&(rules, include, exclude)).ok()?;
    let mut hasher = Sha256::new();
    hasher.update(b"rollcall-audience-1");
    hasher.update(&written);
    Some(hex::encode(&hasher.finalize()[..BYTES]))
}

/// Rules in a canonical form: negations are moved down to the predicates, nested groups of one kind
/// are merged, and no group has a single part.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
enum Meaning {
    /// The value is one of these (or, if `passes` is false, none of these).
    Is {
        field: String,
        values: BTreeSet<String>,
        passes: bool,
    },
    /// Any other predicate.
    Test {
        field: String,
        operator: String,
        operands: Vec<String>,
        passes: bool,
    },
    All(BTreeSet<Meaning>),
    Any(BTreeSet<Meaning>),
}

impl Meaning {
    fn of(group: &Group, negated: bool, zone: Tz) -> Self {
        let negated = negated != group.not;
        let parts = group.parts.iter();
        let parts = parts.map(|part| match part {
            FilterPart::Group(inner) => Self::of(inner, negated, zone),
            FilterPart::Rule(rule) => Self::test(rule, negated, zone),
        });
        Self::combined((group.combinator == Combinator::And) != negated, parts)
    }

    fn test(rule: &Rule, negated: bool, zone: Tz) -> Self {
        let field = FieldRef::parse(&rule.field);
        let field = field.map_or_else(|_| rule.field.clone(), |field| field.to_string());
        let (operator, is_negative) = positive(&rule.operator);
        let passes = is_negative == negated;
        let items = match operator {
            "=" => Some(written(&rule.value)),
            "in" => list(&rule.value).ok().map(|items| {
                let items = items.iter();
                items.flat_map(written).collect()
            }),
            _ => None,
        };
        if let Some(items) = items {
            let values = items.iter().filter_map(|item| fold(item)).collect();
            return Self::Is {
                field,
                values,
                passes,
            };
        }
        Self::Test {
            field,
            operator: operator.to_owned(),
            operands: operands(operator, &rule.value, zone),
            passes,
        }
    }

    /// Combines parts of which all must hold (`all`), or any.
    fn combined(all: bool, parts: impl IntoIterator<Item = Self>) -> Self {
        let mut together = BTreeSet::new();
        // "Is A or is B" is one predicate, and so is "is not A and is not B".
        let mut values: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        let mut waiting: Vec<Self> = parts.into_iter().collect();
        while let Some(part) = waiting.pop() {
            match part {
                Self::All(inner) if all => waiting.extend(inner),
                Self::Any(inner) if !all => waiting.extend(inner),
                Self::Is {
                    field,
                    values: more,
                    passes,
                } if passes != all => values.entry(field).or_default().extend(more),
                other => {
                    together.insert(other);
                }
            }
        }
        together.extend(values.into_iter().map(|(field, values)| Self::Is {
            field,
            values,
            passes: !all,
        }));
        if together.len() == 1
            && let Some(only) = together.pop_first()
        {
            return only;
        }
        if all {
            Self::All(together)
        } else {
            Self::Any(together)
        }
    }
}

/// Returns the positive form of an operator, and whether the operator was negative.
fn positive(operator: &str) -> (&str, bool) {
    match operator {
        "!=" => ("=", true),
        "notIn" => ("in", true),
        "doesNotContain" => ("contains", true),
        "doesNotBeginWith" => ("beginsWith", true),
        "doesNotEndWith" => ("endsWith", true),
        "notNull" => ("null", true),
        "notBetween" => ("between", true),
        "notCompleted" => ("completed", true),
        "notEnrolled" => ("enrolled", true),
        other => (other, false),
    }
}

/// Returns the operands in a canonical form.
fn operands(operator: &str, value: &Value, zone: Tz) -> Vec<String> {
    let one = || written(value).into_iter();
    let number = |text: String| parse_number(&text).map_or(text, |number| number.to_string());
    match operator {
        "contains" | "beginsWith" | "endsWith" => one().filter_map(|text| fold(&text)).collect(),
        // Spaces and case are significant in a pattern.
        "matches" => vec![value.as_str().unwrap_or_default().to_owned()],
        "<" | "<=" | ">" | ">=" => one().map(number).collect(),
        "between" => between(value, zone),
        "before" | "after" => span(value, zone).map_or_else(
            |_| one().collect(),
            |(start, _)| vec![format!("at {start}")],
        ),
        "on" => span(value, zone).map_or_else(
            |_| one().collect(),
            |(start, end)| vec![format!("from {start} until {end}")],
        ),
        "completedInLast" => {
            let days = one().find(|text| !text.is_empty());
            vec![days.unwrap_or_else(|| DEFAULT_RECENT_DAYS.to_string())]
        }
        "null" | "completed" | "overdue" | "inProgress" | "enrolled" => Vec::new(),
        _ => one().collect(),
    }
}

/// Returns two numbers or two dates. The field's kind is not known here, but no text is both.
fn between(value: &Value, zone: Tz) -> Vec<String> {
    let items = list(value).unwrap_or_default();
    let numbers: Option<Vec<f64>> = items
        .iter()
        .map(|item| parse_number(written(item).first()?))
        .collect();
    if let Some(numbers) = numbers {
        return numbers.iter().map(ToString::to_string).collect();
    }
    match &items[..] {
        [from, to] => match (span(from, zone), span(to, zone)) {
            (Ok((start, _)), Ok((_, end))) => vec![format!("from {start} until {end}")],
            _ => written(value),
        },
        _ => written(value),
    }
}

#[cfg(test)]
mod tests;
