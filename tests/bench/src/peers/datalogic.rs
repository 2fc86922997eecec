//! The peer `datalogic-rs` (`JSONLogic`): compiled rules, users parsed beforehand.

use std::collections::HashMap;

use bumpalo::Bump;
use datalogic_rs::{Engine, Logic, ParsedData};
use rollcall_domain::snapshot::lms::Progress;
use serde_json::{Map, Value as Json, json};

use crate::overrides::Members;
use crate::person::{Attempt, Person, Value, holds};
use crate::tree::{CourseIs, Field, Test, TextIs, Tree};

/// Compiled rules and parsed users.
pub struct Peer {
    engine: Engine,
    rules: Vec<Option<Logic>>,
    people: Vec<ParsedData>,
}

impl Peer {
    /// Compiles and parses, outside the timed part. Several enrolments in a course are summarised
    /// here as well.
    ///
    /// # Panics
    /// If the library rejects a rule or a user.
    pub fn new(trees: &[Option<Tree>], people: &[&Person], now: i64) -> Self {
        let engine = Engine::new();
        let compile = |tree: &Tree| {
            let rule = json!({"!!": [logic(tree)]}).to_string();
            engine
                .compile(rule.as_str())
                .unwrap_or_else(|error| panic!("{rule}: {error}"))
        };
        Self {
            rules: trees
                .iter()
                .map(|tree| tree.as_ref().map(compile))
                .collect(),
            people: people
                .iter()
                .map(|person| {
                    let text = Json::Object(data(person, now)).to_string();
                    ParsedData::from_json(&text).unwrap_or_else(|error| panic!("{text}: {error}"))
                })
                .collect(),
            engine,
        }
    }

    /// Returns the indexes of the users that match each rule.
    ///
    /// # Panics
    /// If a rule fails.
    pub fn members(&self) -> Members {
        let mut arena = Bump::new();
        let mut members = vec![Vec::new(); self.rules.len()];
        for (person, place) in self.people.iter().zip(0u32..) {
            for (rule, found) in self.rules.iter().zip(&mut members) {
                if rule
                    .as_ref()
                    .is_some_and(|rule| self.holds(rule, person, &arena))
                {
                    found.push(place);
                }
                arena.reset();
            }
        }
        members
    }

    fn holds(&self, rule: &Logic, person: &ParsedData, arena: &Bump) -> bool {
        match self.engine.evaluate(rule, person, arena) {
            Ok(answer) => answer.as_bool() == Some(true),
            Err(error) => panic!("{error}"),
        }
    }
}

fn logic(tree: &Tree) -> Json {
    let all = |parts: &[Tree]| parts.iter().map(logic).collect::<Vec<_>>();
    match tree {
        Tree::All(parts) => json!({"and": all(parts)}),
        Tree::Any(parts) => json!({"or": all(parts)}),
        Tree::Not(part) => json!({"!": [logic(part)]}),
        Tree::Test(test) => test_logic(test),
    }
}

fn test_logic(test: &Test) -> Json {
    let var = |field: &Field| json!({"var": field.name()});
    match test {
        Test::Missing(field) => json!({"!": [{"var": format!("has.{}", field.name())}]}),
        Test::Text(field, is) => text_logic(*field, is),
        Test::Number(field, from, to) => within(var(field), *from, *to, "<="),
        Test::Truth(field, truth) => json!({"===": [var(field), truth]}),
        Test::Moment(field, from, until) => within(var(field), *from, *until, "<"),
        Test::Course(course, is) => {
            let var = |what: &str| json!({"var": format!("courses.c{course}.{what}")});
            match is {
                CourseIs::Completed => var("completed"),
                CourseIs::CompletedWithin(from, until) => {
                    within(var("last"), Some(*from), Some(*until), "<")
                }
                CourseIs::Overdue => var("overdue"),
                CourseIs::InProgress => var("begun"),
                CourseIs::Enrolled => var("enrolled"),
            }
        }
    }
}

fn text_logic(field: Field, is: &TextIs) -> Json {
    // A missing text is read as an empty one, which equals no operand.
    let text = json!({"var": [field.name(), ""]});
    match is {
        TextIs::Equal(operand) => json!({"===": [text, operand]}),
        TextIs::Containing(operand) => json!({"in": [operand, text]}),
        TextIs::Beginning(operand) => json!({"starts_with": [text, operand]}),
        TextIs::Ending(operand) => json!({"ends_with": [text, operand]}),
        TextIs::In(operands) => json!({"in": [text, operands]}),
    }
}

/// `JSONLogic` compares a missing value as zero, so its presence is tested first.
fn within<T: serde::Serialize>(var: Json, from: Option<T>, to: Option<T>, upper: &str) -> Json {
    let mut parts = vec![json!({"!==": [var, null]})];
    parts.extend(from.map(|from| json!({"<=": [from, var]})));
    parts.extend(to.map(|to| json!({upper: [var, to]})));
    json!({"and": parts})
}

fn data(person: &Person, now: i64) -> Map<String, Json> {
    let mut data = Map::new();
    let mut has = Map::new();
    for (field, _) in Field::all() {
        if !person.lacks(field) {
            has.insert(field.name().to_owned(), Json::Bool(true));
        }
        if let Some(value) = value(person, field) {
            data.insert(field.name().to_owned(), value);
        }
    }
    data.insert("has".to_owned(), Json::Object(has));
    data.insert("courses".to_owned(), json!(courses(person, now)));
    data
}

fn value(person: &Person, field: Field) -> Option<Json> {
    if let Some(text) = person.text(field) {
        return Some(json!(text));
    }
    match person.custom(field.name())? {
        Value::Text(_) | Value::Unreadable => None,
        Value::Number(number) => Some(json!(number)),
        Value::Truth(truth) => Some(json!(truth)),
        Value::Moment(moment) => Some(json!(moment)),
    }
}

fn courses(person: &Person, now: i64) -> HashMap<String, Json> {
    let all = person.courses.iter();
    all.map(|(course, attempts)| (format!("c{course}"), summary(attempts, now)))
        .collect()
}

fn summary(attempts: &[Attempt], now: i64) -> Json {
    json!({
        "enrolled": true,
        "completed": holds(attempts, CourseIs::Completed, now),
        "overdue": holds(attempts, CourseIs::Overdue, now),
        "begun": holds(attempts, CourseIs::InProgress, now),
        "last": last_completed(attempts),
    })
}

/// Returns the latest completion, in milliseconds since 1970 UTC.
pub(super) fn last_completed(attempts: &[Attempt]) -> Option<i64> {
    let completed = attempts
        .iter()
        .filter(|attempt| attempt.progress == Progress::Completed);
    completed.filter_map(|attempt| attempt.completed_at).max()
}
