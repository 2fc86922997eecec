//! Evaluates an expression for one user by walking the tree. Slow and simple; the reference for the
//! faster engine.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};

use super::expr::{ActivityPredicate, DatePredicate, Expr, Leaf, NumberPredicate, TextPredicate};
use super::value::{parse_boolean, parse_number};
use crate::base::text::fold;
use crate::snapshot::{Activity, Snapshot, Source};

pub(crate) const DAY_MS: i64 = 86_400_000;

/// A snapshot prepared for evaluation: texts are folded once per distinct value.
pub struct PersonValues<'a> {
    snapshot: &'a Snapshot,
    now: i64,
    folded: BTreeMap<Source, Vec<String>>,
}

impl<'a> PersonValues<'a> {
    /// Prepares the columns that the expressions use; `at` is the run's slot.
    pub fn new<'e>(
        snapshot: &'a Snapshot,
        at: DateTime<Utc>,
        exprs: impl IntoIterator<Item = &'e Expr>,
    ) -> Self {
        let mut facts = Self {
            snapshot,
            now: at.timestamp_millis(),
            folded: BTreeMap::new(),
        };
        for leaf in exprs.into_iter().flat_map(Expr::leaves) {
            if let Leaf::Text(source, _) = leaf {
                facts.prepare_text(source);
            }
        }
        facts
    }

    fn prepare_text(&mut self, source: &Source) {
        if let Some(column) = self.snapshot.people.texts.get(source) {
            self.folded.entry(source.clone()).or_insert_with(|| {
                let values = column.dictionary().iter();
                values
                    .map(|value| fold(value).unwrap_or_default())
                    .collect()
            });
        }
    }

    /// Returns true if the expression holds for the user in this row.
    pub fn holds(&self, expr: &Expr, row: u32) -> bool {
        match expr {
            Expr::All(parts) => parts.iter().all(|part| self.holds(part, row)),
            Expr::Any(parts) => parts.iter().any(|part| self.holds(part, row)),
            Expr::Not(part) => !self.holds(part, row),
            Expr::Leaf(leaf) => self.leaf(leaf, row),
        }
    }

    /// Returns true if the predicate holds for the user in this row.
    pub fn leaf(&self, leaf: &Leaf, row: u32) -> bool {
        let people = &self.snapshot.people;
        match leaf {
            Leaf::Missing(source) => people.text(source, row).is_none(),
            Leaf::Text(source, TextPredicate::Matches(pattern)) => people
                .text(source, row)
                .is_some_and(|text| pattern.is_match(text)),
            Leaf::Text(source, test) => self
                .folded_text(source, row)
                .is_some_and(|text| text_holds(test, text)),
            Leaf::Number(source, test) => people
                .text(source, row)
                .and_then(parse_number)
                .is_some_and(|number| number_holds(test, number)),
            Leaf::Boolean(source, truth) => {
                people.text(source, row).and_then(parse_boolean) == Some(*truth)
            }
            Leaf::Date(source, test) => people
                .dates
                .get(source)
                .and_then(|column| column.get(row))
                .is_some_and(|moment| date_holds(test, moment, self.now)),
            Leaf::Activity(course, test) => self
                .snapshot
                .enrolments
                .activity(*course, row)
                .is_some_and(|activity| activity_holds(*test, activity, self.now)),
        }
    }

    fn folded_text(&self, source: &Source, row: u32) -> Option<&str> {
        let code = self.snapshot.people.texts.get(source)?.codes().get(row);
        let folded = self.folded.get(source)?;
        folded
            .get((code as usize).checked_sub(1)?)
            .map(String::as_str)
    }
}

pub(crate) fn activity_holds(test: ActivityPredicate, activity: Activity, now: i64) -> bool {
    match test {
        ActivityPredicate::Completed => activity.completed,
        ActivityPredicate::CompletedInLast(days) => activity
            .last_completed
            .is_some_and(|done| done <= now && done >= now - i64::from(days) * DAY_MS),
        ActivityPredicate::Overdue => {
            activity.late || activity.open_due.is_some_and(|due| due < now)
        }
        ActivityPredicate::InProgress => activity.in_progress,
        ActivityPredicate::Enrolled => true,
    }
}

pub(crate) fn text_holds(test: &TextPredicate, text: &str) -> bool {
    match test {
        TextPredicate::Equals(operand) => text == operand,
        TextPredicate::Contains(operand) => text.contains(operand.as_str()),
        TextPredicate::BeginsWith(operand) => text.starts_with(operand.as_str()),
        TextPredicate::EndsWith(operand) => text.ends_with(operand.as_str()),
        TextPredicate::In(operands) => operands.contains(text),
        TextPredicate::Matches(pattern) => pattern.is_match(text),
    }
}

#[expect(clippy::float_cmp, reason = "numbers in rules are compared exactly")]
pub(crate) fn number_holds(test: &NumberPredicate, number: f64) -> bool {
    match test {
        NumberPredicate::Equals(operand) => number == *operand,
        NumberPredicate::Less(operand) => number < *operand,
        NumberPredicate::AtMost(operand) => number <= *operand,
        NumberPredicate::Greater(operand) => number > *operand,
        NumberPredicate::AtLeast(operand) => number >= *operand,
        NumberPredicate::Between(from, to) => (*from..=*to).contains(&number),
        NumberPredicate::In(operands) => operands.contains(&number),
    }
}

pub(crate) fn date_holds(test: &DatePredicate, moment: i64, now: i64) -> bool {
    match test {
        DatePredicate::Before(instant) => moment < *instant,
        DatePredicate::After(instant) => moment > *instant,
        DatePredicate::Within(start, end) => (*start..*end).contains(&moment),
        DatePredicate::InLast(days) => (now - i64::from(*days) * DAY_MS..=now).contains(&moment),
        DatePredicate::InNext(days) => (now..=now + i64::from(*days) * DAY_MS).contains(&moment),
        DatePredicate::MoreThanAgo(days) => moment < now - i64::from(*days) * DAY_MS,
    }
}
