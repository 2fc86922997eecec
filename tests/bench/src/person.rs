//! Users in a plain program's representation: texts folded, enrolments by course.
//!
//! All peers except ours start from these; their creation is outside the timed part.

use std::collections::HashMap;

use chrono::{DateTime, NaiveDate, NaiveTime};
use rollcall_domain::base::ids::{CourseId, UserId};
use rollcall_domain::snapshot::lms::{FieldKind, Progress, UserRow};
use rollcall_domain::snapshot::Property;
use unicase::UniCase;
use unicode_normalization::UnicodeNormalization as _;

use crate::tree::{CourseIs, Field};
use crate::workload::Workload;
use crate::workload::people::{CUSTOM, field_id};

/// The value of a custom field.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// A folded text.
    Text(String),
    /// A number.
    Number(f64),
    /// A boolean.
    Truth(bool),
    /// A time in milliseconds since 1970 UTC.
    Moment(i64),
    /// Present, but invalid for the type of the field.
    Unreadable,
}

/// One enrolment; times are in milliseconds since 1970 UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Attempt {
    /// The progress.
    pub progress: Progress,
    /// The completion time.
    pub completed_at: Option<i64>,
    /// The due time.
    pub due_at: Option<i64>,
}

/// One user; texts are folded, blank ones missing.
#[derive(Debug, Clone, Default)]
pub struct Person {
    /// The id, 16 bytes.
    pub id: [u8; 16],
    city: Option<String>,
    company: Option<String>,
    department: Option<String>,
    country: Option<String>,
    office: Option<String>,
    job_title: Option<String>,
    email: Option<String>,
    title: Option<String>,
    custom: HashMap<&'static str, Value>,
    /// Enrolments by the index of the course in the list of courses.
    pub courses: HashMap<u32, Vec<Attempt>>,
}

impl Person {
    /// Returns a text property or custom text.
    pub fn text(&self, field: Field) -> Option<&str> {
        let own = match field {
            Field::Own(Property::City) => &self.city,
            Field::Own(Property::Company) => &self.company,
            Field::Own(Property::Department) => &self.department,
            Field::Own(Property::Country) => &self.country,
            Field::Own(Property::Office) => &self.office,
            Field::Own(Property::JobTitle) => &self.job_title,
            Field::Own(Property::Email) => &self.email,
            Field::Own(Property::Title) => &self.title,
            Field::Custom(name) => {
                return match self.custom.get(name) {
                    Some(Value::Text(text)) => Some(text),
                    _ => None,
                };
            }
        };
        own.as_deref()
    }

    /// Returns the value of a custom field.
    pub fn custom(&self, name: &str) -> Option<&Value> {
        self.custom.get(name)
    }

    /// Returns whether the field is missing or blank.
    pub fn lacks(&self, field: Field) -> bool {
        match field {
            Field::Own(_) => self.text(field).is_none(),
            Field::Custom(name) => !self.custom.contains_key(name),
        }
    }
}

/// Returns whether several enrolments in one course satisfy the predicate.
pub fn holds(attempts: &[Attempt], is: CourseIs, now: i64) -> bool {
    let completed = |attempt: &&Attempt| attempt.progress == Progress::Completed;
    match is {
        CourseIs::Completed => attempts.iter().any(|attempt| completed(&attempt)),
        CourseIs::CompletedWithin(from, until) => attempts
            .iter()
            .filter(completed)
            .filter_map(|attempt| attempt.completed_at)
            .max()
            .is_some_and(|last| (from..until).contains(&last)),
        CourseIs::Overdue => attempts.iter().any(|attempt| late(attempt, now)),
        CourseIs::InProgress => attempts
            .iter()
            .any(|attempt| attempt.progress == Progress::InProgress),
        CourseIs::Enrolled => !attempts.is_empty(),
    }
}

fn late(attempt: &Attempt, now: i64) -> bool {
    let Some(due) = attempt.due_at else {
        return false;
    };
    if attempt.progress == Progress::Completed {
        attempt.completed_at.is_some_and(|done| done > due)
    } else {
        due < now
    }
}

/// Returns all users of the workload in ascending order of their ids, without groups.
pub fn people(workload: &Workload) -> Vec<Person> {
    let mut people: Vec<Person> = workload
        .data
        .users
        .iter()
        .filter(|user| !user.is_group)
        .map(person)
        .collect();
    people.sort_unstable_by_key(|person| person.id);
    let place: HashMap<[u8; 16], usize> = people
        .iter()
        .enumerate()
        .map(|(place, person)| (person.id, place))
        .collect();
    let courses: HashMap<CourseId, u32> = workload
        .data
        .courses
        .iter()
        .zip(0u32..)
        .map(|(course, at)| (course.id, at))
        .collect();
    for row in &workload.data.enrolments {
        if let Some(place) = place.get(&bytes(row.user)) {
            people[*place]
                .courses
                .entry(courses[&row.course])
                .or_default()
                .push(Attempt {
                    progress: row.progress,
                    completed_at: row.completed_at.map(|at| at.timestamp_millis()),
                    due_at: row.due_at.map(|at| at.timestamp_millis()),
                });
        }
    }
    people
}

/// Returns an id as bytes, which have the same order as ids.
pub fn bytes(id: UserId) -> [u8; 16] {
    id.uuid().into_bytes()
}

fn person(user: &UserRow) -> Person {
    let fold = |text: &Option<String>| text.as_deref().and_then(fold);
    Person {
        id: user.id.map(bytes).unwrap_or_default(),
        city: fold(&user.city),
        company: fold(&user.company),
        department: fold(&user.department),
        country: fold(&user.country),
        office: fold(&user.office),
        job_title: fold(&user.job_title),
        email: fold(&user.email),
        title: self::fold(&user.title),
        custom: custom(user),
        courses: HashMap::new(),
    }
}

fn custom(user: &UserRow) -> HashMap<&'static str, Value> {
    let fields = CUSTOM.iter().enumerate();
    fields
        .filter_map(|(place, (name, _, kind))| {
            let (_, text) = user.custom.iter().find(|(id, _)| *id == field_id(place))?;
            Some((*name, value(*kind, &fold(text)?)))
        })
        .collect()
}

fn value(kind: FieldKind, text: &str) -> Value {
    let read = match kind {
        FieldKind::Text => Some(Value::Text(text.to_owned())),
        FieldKind::Number => text.replace(',', ".").parse().ok().map(Value::Number),
        FieldKind::Boolean => match text {
            "true" | "yes" | "1" => Some(Value::Truth(true)),
            "false" | "no" | "0" => Some(Value::Truth(false)),
            _ => None,
        },
        FieldKind::Date => moment(text).map(Value::Moment),
    };
    read.unwrap_or(Value::Unreadable)
}

/// Parses a day (as its start) or a time; the case was folded before.
fn moment(text: &str) -> Option<i64> {
    let upper = text.to_uppercase();
    if let Ok(moment) = DateTime::parse_from_rfc3339(&upper) {
        return Some(moment.timestamp_millis());
    }
    let day: NaiveDate = upper.parse().ok()?;
    Some(day.and_time(NaiveTime::MIN).and_utc().timestamp_millis())
}

/// Returns the text trimmed, composed and case folded; `None` if it is blank. Independent of the
/// product's implementation.
pub fn fold(text: &str) -> Option<String> {
    let composed: String = text.trim().nfc().collect();
    let folded: String = UniCase::unicode(composed).to_folded_case().nfc().collect();
    (!folded.is_empty()).then_some(folded)
}
