//! The peer `cel` (Common Expression Language): compiled programs, one context per user.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::sync::Arc;

use cel::{Context, Env, Program, Value as Cel};

use super::datalogic::last_completed;
use crate::overrides::Members;
use crate::person::{Person, Value, holds};
use crate::tree::{CourseIs, Field, Test, TextIs, Tree};

/// Compiled programs and contexts with every variable of a user.
pub struct Peer {
    programs: Vec<Option<Program>>,
    people: Vec<Context<'static, 'static>>,
}

impl Peer {
    /// Compiles programs and fills contexts, outside the timed part. Several enrolments in a course
    /// are summarised here as well.
    ///
    /// # Panics
    /// If the library rejects a rule.
    pub fn new(trees: &[Option<Tree>], people: &[&Person], now: i64) -> Self {
        let env = Arc::new(Env::stdlib());
        let compile = |tree: &Tree| {
            let source = expression(tree);
            env.compile(&source)
                .unwrap_or_else(|error| panic!("{source}: {error}"))
        };
        Self {
            programs: trees
                .iter()
                .map(|tree| tree.as_ref().map(compile))
                .collect(),
            people: people
                .iter()
                .map(|person| context(person, now, &env))
                .collect(),
        }
    }

    /// Returns the indexes of the users that match each program.
    ///
    /// # Panics
    /// If a program fails, although all its variables are defined.
    pub fn members(&self) -> Members {
        let mut members = vec![Vec::new(); self.programs.len()];
        for (person, place) in self.people.iter().zip(0u32..) {
            for (program, found) in self.programs.iter().zip(&mut members) {
                if program
                    .as_ref()
                    .is_some_and(|program| passes(program, person))
                {
                    found.push(place);
                }
            }
        }
        members
    }
}

fn passes(program: &Program, person: &Context<'static, 'static>) -> bool {
    match program.execute(person) {
        Ok(Cel::Bool(answer)) => answer,
        other => panic!("{other:?} is not a boolean"),
    }
}

fn expression(tree: &Tree) -> String {
    let joined = |parts: &[Tree], word: &str| {
        let parts: Vec<_> = parts.iter().map(expression).collect();
        format!("({})", parts.join(word))
    };
    match tree {
        Tree::All(parts) => joined(parts, " && "),
        Tree::Any(parts) => joined(parts, " || "),
        Tree::Not(part) => format!("!({})", expression(part)),
        Tree::Test(test) => test_expression(test),
    }
}

fn test_expression(test: &Test) -> String {
    match test {
        Test::Missing(field) => format!("{} in missing", quoted(field.name())),
        Test::Text(field, is) => text_expression(field.name(), is),
        Test::Number(field, from, to) => {
            let name = field.name();
            let literal = |number: f64| format!("{number:?}");
            within(
                name,
                &format!("{name} != null"),
                from.map(literal),
                to.map(literal),
                "<=",
            )
        }
        Test::Truth(field, truth) => format!("{} == {truth}", field.name()),
        Test::Moment(field, from, until) => {
            let name = field.name();
            let literal = |moment: i64| moment.to_string();
            within(
                name,
                &format!("{name} != null"),
                from.map(literal),
                until.map(literal),
                "<",
            )
        }
        Test::Course(course, is) => match is {
            CourseIs::Completed => format!("{course} in completed"),
            CourseIs::CompletedWithin(from, until) => {
                let (from, until) = (Some(from.to_string()), Some(until.to_string()));
                within(
                    &format!("last[{course}]"),
                    &format!("{course} in last"),
                    from,
                    until,
                    "<",
                )
            }
            CourseIs::Overdue => format!("{course} in overdue"),
            CourseIs::InProgress => format!("{course} in begun"),
            CourseIs::Enrolled => format!("{course} in enrolled"),
        },
    }
}

fn within(
    name: &str,
    present: &str,
    from: Option<String>,
    to: Option<String>,
    upper: &str,
) -> String {
    let mut text = format!("({present}");
    for (operator, bound) in [(">=", from), (upper, to)] {
        if let Some(bound) = bound {
            // Writing to a string cannot fail.
            let _ = write!(text, " && {name} {operator} {bound}");
        }
    }
    text + ")"
}

fn text_expression(name: &str, is: &TextIs) -> String {
    match is {
        TextIs::Equal(operand) => format!("{name} == {}", quoted(operand)),
        TextIs::Containing(operand) => format!("{name}.contains({})", quoted(operand)),
        TextIs::Beginning(operand) => format!("{name}.startsWith({})", quoted(operand)),
        TextIs::Ending(operand) => format!("{name}.endsWith({})", quoted(operand)),
        TextIs::In(operands) => {
            let operands: Vec<_> = operands.iter().map(|operand| quoted(operand)).collect();
            format!("{name} in [{}]", operands.join(", "))
        }
    }
}

/// JSON strings are valid CEL strings.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

fn context(person: &Person, now: i64, env: &Arc<Env>) -> Context<'static, 'static> {
    let mut context = Context::with_env(Arc::clone(env));
    let mut missing: HashMap<String, bool> = HashMap::new();
    for (field, _) in Field::all() {
        if person.lacks(field) {
            missing.insert(field.name().to_owned(), true);
        }
        context.add_variable_from_value(field.name(), value(person, field));
    }
    context.add_variable_from_value("missing", missing);
    for (name, is) in [
        ("enrolled", CourseIs::Enrolled),
        ("completed", CourseIs::Completed),
        ("overdue", CourseIs::Overdue),
        ("begun", CourseIs::InProgress),
    ] {
        let courses = person.courses.iter();
        let held: HashMap<i64, bool> = courses
            .filter(|(_, attempts)| holds(attempts, is, now))
            .map(|(course, _)| (i64::from(*course), true))
            .collect();
        context.add_variable_from_value(name, held);
    }
    let courses = person.courses.iter();
    let last: HashMap<i64, i64> = courses
        .filter_map(|(course, attempts)| Some((i64::from(*course), last_completed(attempts)?)))
        .collect();
    context.add_variable_from_value("last", last);
    context
}

/// A missing text is empty, which equals no operand; any other missing value is null.
fn value(person: &Person, field: Field) -> Cel {
    if let Some(text) = person.text(field) {
        return text.to_owned().into();
    }
    match (field, person.custom(field.name())) {
        (_, Some(Value::Number(number))) => (*number).into(),
        (_, Some(Value::Truth(truth))) => (*truth).into(),
        (_, Some(Value::Moment(moment))) => (*moment).into(),
        (Field::Custom("hireDate" | "costCentre" | "remote"), _) => Cel::Null,
        _ => String::new().into(),
    }
}
