//! Rules as every peer reads them: operands folded, days turned into instants.
//!
//! Read here from the stored JSON and not with the product's parser, so that
//! a mistake there shows as a difference in members.

mod operands;

use std::collections::HashMap;

use chrono_tz::Tz;
use rollcall_domain::snapshot::lms::FieldKind;
use rollcall_domain::audience::profile::Profile;
use rollcall_domain::rules::{FilterDocument, MatchMode};
use rollcall_domain::snapshot::Property;
use serde::Serialize;
use serde_json::Value;

use crate::workload::Workload;
use crate::workload::people::{CUSTOM, field_id};
use operands::{days, fold_operand, items, number, span};

const DAY_MS: i64 = 86_400_000;

/// A field of a person: one of the platform's eight, or a custom one by its short name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Field {
    /// One of the platform's own.
    Own(Property),
    /// A custom field.
    Custom(&'static str),
}

impl Field {
    /// Its name in queries and exports, an identifier everywhere.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Own(property) => property.name(),
            Self::Custom(name) => name,
        }
    }

    /// Every field and its kind, in the order of the export's columns.
    pub fn all() -> Vec<(Self, FieldKind)> {
        let own = Property::ALL.map(|property| (Self::Own(property), FieldKind::Text));
        let custom = CUSTOM.map(|(name, _, kind)| (Self::Custom(name), kind));
        own.into_iter().chain(custom).collect()
    }
}

impl Serialize for Field {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

/// A rule tree.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Tree {
    /// Every part holds.
    All(Vec<Tree>),
    /// One part holds at least.
    Any(Vec<Tree>),
    /// The exact complement.
    Not(Box<Tree>),
    /// A positive test.
    Test(Test),
}

/// A positive test of one value; false when the value is missing.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Test {
    /// Missing or blank.
    Missing(Field),
    /// A test of a folded text.
    Text(Field, TextIs),
    /// A number from the first to the second, both included.
    Number(Field, Option<f64>, Option<f64>),
    /// This truth.
    Truth(Field, bool),
    /// A moment from the first (included) until the second, in milliseconds since 1970 UTC.
    Moment(Field, Option<i64>, Option<i64>),
    /// What was done in a course, by its place in the list of courses.
    Course(u32, CourseIs),
}

/// Tests of texts; operands are folded.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum TextIs {
    /// Equal.
    Equal(String),
    /// Contains.
    Containing(String),
    /// Begins with.
    Beginning(String),
    /// Ends with.
    Ending(String),
    /// One of these.
    In(Vec<String>),
}

/// Tests of the enrolments in a course.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum CourseIs {
    /// Completed once at least.
    Completed,
    /// The latest completion is from the first (included) until the second.
    CompletedWithin(i64, i64),
    /// Due and not completed, or completed too late.
    Overdue,
    /// Begun.
    InProgress,
    /// Enrolled at all.
    Enrolled,
}

impl Tree {
    /// Every test, in the order written.
    pub fn tests(&self) -> Vec<&Test> {
        match self {
            Self::All(parts) | Self::Any(parts) => parts.iter().flat_map(Self::tests).collect(),
            Self::Not(part) => part.tests(),
            Self::Test(test) => vec![test],
        }
    }

    fn negated(self, not: bool) -> Self {
        if not { Self::Not(Box::new(self)) } else { self }
    }
}

/// Reads the filters of all profiles; `None` for a profile without one.
///
/// # Panics
/// If a rule is none that the workload writes.
pub fn read(workload: &Workload) -> Vec<Option<Tree>> {
    let courses = workload.data.courses.iter().zip(0u32..);
    let reader = Reader {
        fields: CUSTOM
            .iter()
            .enumerate()
            .map(|(place, (name, _, kind))| {
                (
                    format!("custom:{}", field_id(place)),
                    (Field::Custom(name), *kind),
                )
            })
            .chain(
                Property::ALL
                    .map(|own| (own.name().to_owned(), (Field::Own(own), FieldKind::Text))),
            )
            .collect(),
        courses: courses
            .map(|(course, place)| (format!("course:{}", course.id), place))
            .collect(),
        now: workload.at.timestamp_millis(),
    };
    workload
        .profiles
        .iter()
        .map(|profile| reader.filter(profile))
        .collect()
}

struct Reader {
    fields: HashMap<String, (Field, FieldKind)>,
    courses: HashMap<String, u32>,
    now: i64,
}

impl Reader {
    fn filter(&self, profile: &Profile) -> Option<Tree> {
        let FilterDocument {
            mode,
            properties,
            dates,
            activities,
        } = &profile.filter;
        let sections: Vec<Tree> = [properties, dates, activities]
            .into_iter()
            .flatten()
            .map(|section| self.group(section, profile.time_zone))
            .collect();
        if sections.is_empty() {
            return None;
        }
        Some(match mode {
            MatchMode::All => Tree::All(sections),
            MatchMode::Any => Tree::Any(sections),
        })
    }

    fn group(&self, value: &Value, zone: Tz) -> Tree {
        let parts = value["rules"].as_array().into_iter().flatten();
        let parts = parts
            .map(|part| {
                if part["rules"].is_array() {
                    self.group(part, zone)
                } else {
                    self.rule(part, zone)
                }
            })
            .collect();
        let tree = match value["combinator"].as_str() {
            Some("and") => Tree::All(parts),
            Some("or") => Tree::Any(parts),
            other => panic!("{other:?} is no combinator"),
        };
        tree.negated(value["not"] == true)
    }

    fn rule(&self, rule: &Value, zone: Tz) -> Tree {
        let name = rule["field"].as_str().unwrap_or_default();
        let operator = rule["operator"].as_str().unwrap_or_default();
        let (test, not) = if let Some(course) = self.courses.get(name) {
            let (is, not) = self.course(operator, &rule["value"]);
            (Test::Course(*course, is), not)
        } else {
            let (field, kind) = self.fields[name];
            match (operator, kind) {
                ("null" | "notNull", _) => (Test::Missing(field), operator == "notNull"),
                (_, FieldKind::Text) => text(field, operator, &rule["value"]),
                (_, FieldKind::Number) => numbers(field, operator, &rule["value"]),
                (_, FieldKind::Boolean) => {
                    (Test::Truth(field, rule["value"] == true), operator == "!=")
                }
                (_, FieldKind::Date) => (self.date(field, operator, &rule["value"], zone), false),
            }
        };
        Tree::Test(test).negated(not)
    }

    fn course(&self, operator: &str, value: &Value) -> (CourseIs, bool) {
        match operator {
            "completed" => (CourseIs::Completed, false),
            "notCompleted" => (CourseIs::Completed, true),
            "completedInLast" => {
                let days = if value.is_null() { 30 } else { days(value) };
                (
                    CourseIs::CompletedWithin(self.now - days * DAY_MS, self.now + 1),
                    false,
                )
            }
            "overdue" => (CourseIs::Overdue, false),
            "inProgress" => (CourseIs::InProgress, false),
            "enrolled" => (CourseIs::Enrolled, false),
            "notEnrolled" => (CourseIs::Enrolled, true),
            other => panic!("{other} is no test of a course"),
        }
    }

    fn date(&self, field: Field, operator: &str, value: &Value, zone: Tz) -> Test {
        let now = self.now;
        let (from, until) = match operator {
            "before" => (None, Some(span(value, zone).0)),
            "after" => (Some(span(value, zone).0 + 1), None),
            "between" => (Some(span(&value[0], zone).0), Some(span(&value[1], zone).1)),
            "inLast" => (Some(now - days(value) * DAY_MS), Some(now + 1)),
            "inNext" => (Some(now), Some(now + days(value) * DAY_MS + 1)),
            "moreThanAgo" => (None, Some(now - days(value) * DAY_MS)),
            other => panic!("{other} is no test of a date"),
        };
        Test::Moment(field, from, until)
    }
}

fn text(field: Field, operator: &str, value: &Value) -> (Test, bool) {
    let one = || fold_operand(value);
    let (is, not) = match operator {
        "=" => (TextIs::Equal(one()), false),
        "!=" => (TextIs::Equal(one()), true),
        "contains" => (TextIs::Containing(one()), false),
        "doesNotContain" => (TextIs::Containing(one()), true),
        "beginsWith" => (TextIs::Beginning(one()), false),
        "doesNotBeginWith" => (TextIs::Beginning(one()), true),
        "endsWith" => (TextIs::Ending(one()), false),
        "doesNotEndWith" => (TextIs::Ending(one()), true),
        "in" | "notIn" => (TextIs::In(items(value)), operator == "notIn"),
        other => panic!("{other} is no test of a text"),
    };
    (Test::Text(field, is), not)
}

fn numbers(field: Field, operator: &str, value: &Value) -> (Test, bool) {
    let (from, to) = match operator {
        "=" => (Some(number(value)), Some(number(value))),
        ">=" => (Some(number(value)), None),
        "<=" => (None, Some(number(value))),
        "between" | "notBetween" => (Some(number(&value[0])), Some(number(&value[1]))),
        other => panic!("{other} is no test of a number"),
    };
    (Test::Number(field, from, to), operator == "notBetween")
}
