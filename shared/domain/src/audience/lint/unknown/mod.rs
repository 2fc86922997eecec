//! Detects texts in rules that no learner has, and suggests the closest existing value.

mod closest;

use std::collections::BTreeMap;

use hashbrown::HashMap;
use memchr::memmem::Finder;

use super::judge::label;
use super::tree::{Test, Tree};
use super::warning::{MAX_WARNINGS, Warning, WarningKind};
use crate::base::text::fold;
use crate::rules::{Leaf, TextPredicate, list, written};
use crate::snapshot::{Snapshot, Source, TextColumn};
use closest::Closest;

/// Maximum number of unknown values of one list in a text.
const NAMED: usize = 5;
/// Maximum number of suggestions; each one scans all distinct values.
const SUGGESTIONS: usize = 10;
/// Maximum length of a value in a text, in characters.
const SHOWN: usize = 80;

/// Warns about every text operand that no value of its field matches.
pub(super) fn values(tree: &Tree, snapshot: &Snapshot, warnings: &mut Vec<Warning>) {
    let rules = tree.rules();
    let rules = rules.iter().filter_map(|rule| match &rule.leaf {
        Leaf::Text(source, test) => Some((*rule, source, test)),
        _ => None,
    });
    let mut tests: BTreeMap<&Source, Vec<&TextPredicate>> = BTreeMap::new();
    for (_, source, test) in rules.clone() {
        tests.entry(source).or_default().push(test);
    }
    let empty = TextColumn::default();
    let mut fields: BTreeMap<&Source, Values> = tests
        .into_iter()
        .map(|(source, tests)| {
            let column = snapshot.people.texts.get(source).unwrap_or(&empty);
            (source, Values::of(column, &tests))
        })
        .collect();
    let mut suggestions = SUGGESTIONS;
    for (rule, source, test) in rules {
        if warnings.len() >= MAX_WARNINGS {
            return;
        }
        let label = label(&rule.leaf, snapshot);
        let values = fields.get_mut(source);
        let unknown = values.and_then(|it| it.unknown(rule, test, &label, &mut suggestions));
        warnings.extend(
            unknown.map(|detail| Warning::at(WarningKind::UnknownValue, rule.pointer(), detail)),
        );
    }
}

/// The values of one field.
struct Values<'a> {
    column: &'a TextColumn,
    /// Number of learners with each value, by code.
    counts: Vec<u32>,
    /// The texts that rules compare with, and whether any learner has them.
    asked: HashMap<&'a str, bool>,
    closest: Option<Closest<'a>>,
}

impl<'a> Values<'a> {
    fn of(column: &'a TextColumn, tests: &[&'a TextPredicate]) -> Self {
        let mut asked = HashMap::new();
        for test in tests {
            match test {
                TextPredicate::Equals(text) => {
                    asked.insert(text.as_str(), false);
                }
                TextPredicate::In(texts) => {
                    asked.extend(texts.iter().map(|text| (text.as_str(), false)));
                }
                _ => {}
            }
        }
        let mut values = Self {
            counts: column.counts(),
            column,
            asked,
            closest: None,
        };
        if !values.asked.is_empty() {
            for (count, text) in values.counts.iter().skip(1).zip(column.folded().iter()) {
                if let Some(found) = values.asked.get_mut(text).filter(|_| *count > 0) {
                    *found = true;
                }
            }
        }
        values
    }

    /// Returns the text of a warning if no learner has a matching value.
    fn unknown(
        &mut self,
        rule: &Test,
        test: &TextPredicate,
        label: &str,
        suggestions: &mut usize,
    ) -> Option<String> {
        let no_match = |how: &str, part: &str| {
            let raw = written(&rule.rule.value).into_iter().next();
            let shown = shown(raw.as_deref().unwrap_or(part));
            Some(format!("no learner's {label} {how} {shown}"))
        };
        match test {
            TextPredicate::Equals(text) => {
                if self.asked[text.as_str()] {
                    return None;
                }
                let suggestion = self.suggestion(text, suggestions);
                let suggestion = suggestion.map(|value| format!("; did you mean {value}?"));
                Some(no_match("is", text)? + &suggestion.unwrap_or_default())
            }
            TextPredicate::In(_) => self.unknown_items(rule, label, suggestions),
            TextPredicate::BeginsWith(part)
                if !self.any(|text| text.starts_with(part.as_str())) =>
            {
                no_match("begins with", part)
            }
            TextPredicate::EndsWith(part) if !self.any(|text| text.ends_with(part.as_str())) => {
                no_match("ends with", part)
            }
            TextPredicate::Contains(part) if !self.contains(part) => no_match("contains", part),
            _ => None,
        }
    }

    fn unknown_items(
        &mut self,
        rule: &Test,
        label: &str,
        suggestions: &mut usize,
    ) -> Option<String> {
        let items = list(&rule.rule.value).ok()?;
        let mut unknown: Vec<(String, String)> = items
            .iter()
            .flat_map(written)
            .filter_map(|raw| Some((fold(&raw)?, raw)))
            .filter(|(folded, _)| self.asked.get(folded.as_str()) == Some(&false))
            .collect();
        unknown.sort();
        unknown.dedup_by(|a, b| a.0 == b.0);
        let how = if unknown.len() > 1 { "any of " } else { "" };
        let more = unknown.len().saturating_sub(NAMED);
        let named: Vec<String> = unknown
            .into_iter()
            .take(NAMED)
            .map(
                |(folded, raw)| match self.suggestion(&folded, suggestions) {
                    Some(value) => format!("{} (did you mean {value}?)", shown(&raw)),
                    None => shown(&raw),
                },
            )
            .collect();
        if named.is_empty() {
            return None;
        }
        let more = if more > 0 {
            format!(" and {more} more")
        } else {
            String::new()
        };
        Some(format!(
            "no learner's {label} is {how}{}{more}",
            named.join(", ")
        ))
    }

    /// Returns true if a learner's folded text satisfies the condition.
    fn any(&self, is: impl Fn(&str) -> bool) -> bool {
        let mut values = self.counts.iter().skip(1).zip(self.column.folded().iter());
        values.any(|(count, text)| *count > 0 && is(text))
    }

    fn contains(&self, part: &str) -> bool {
        let finder = Finder::new(part);
        // All texts are searched at once first: a text that does not occur there is in none of
        // them.
        let (all, _) = self.column.folded().parts();
        finder.find(all.as_bytes()).is_some()
            && self.any(|text| finder.find(text.as_bytes()).is_some())
    }

    fn suggestion(&mut self, folded: &str, suggestions: &mut usize) -> Option<String> {
        *suggestions = suggestions.checked_sub(1)?;
        let column = self.column;
        let closest = self
            .closest
            .get_or_insert_with(|| Closest::of(column.folded()));
        let code = closest.find(folded, &self.counts)?;
        column.dictionary().get(code).map(shown)
    }
}

/// Quotes a value, truncated if it is too long.
fn shown(text: &str) -> String {
    let mut short: String = text.chars().take(SHOWN).collect();
    if short.len() < text.len() {
        short.push('…');
    }
    format!("{short:?}")
}
