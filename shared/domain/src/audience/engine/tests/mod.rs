//! Compares the engine with the plain tree walk on random users, rules and overrides.

mod large;
mod properties;

use std::collections::BTreeSet;

use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use regex::RegexBuilder;
use uuid::Uuid;

use super::{AudienceInput, Program};
use crate::audience::audience_change::AudienceChange;
use crate::base::ids::{CatalogId, CourseId, FieldId, ObjectId, UserId};
use crate::base::rowset::RowSet;
use crate::rules::evaluate::PersonValues;
use crate::rules::{ActivityPredicate, DatePredicate, Expr, Leaf, NumberPredicate, TextPredicate};
use crate::snapshot::ingest::{EntraProperties, build};
use crate::snapshot::lms::{EnrolmentRow, FieldKind, FieldRow, LmsData, Progress, UserRow};
use crate::snapshot::{Property, Snapshot, Source};
use crate::testing::{World, slot};

const WORDS: [&str; 10] = [
    "Denver",
    "DENVER ",
    "san diego",
    "Straße",
    "STRASSE",
    "an",
    "Oslo",
    "ça va",
    "12",
    "true",
];
const FOLDED: [&str; 8] = [
    "denver",
    "san diego",
    "strasse",
    "an",
    "oslo",
    "ça va",
    "12",
    "nowhere",
];
const NUMBERS: [&str; 7] = ["12", "12,5", "-3", "0", "1e3", "many", " 7 "];
const DAY: i64 = 86_400_000;

fn id(kind: u128, number: u32) -> Uuid {
    Uuid::from_u128(kind << 64 | u128::from(number))
}

fn user(number: u32) -> UserId {
    UserId::new(id(1, number))
}

fn course(number: u32) -> CourseId {
    CourseId::new(id(3, number))
}

fn field(number: u32) -> FieldId {
    FieldId::new(id(6, number))
}

fn source() -> impl Strategy<Value = Source> {
    prop_oneof![
        6 => Just(Source::Property(Property::City)),
        3 => Just(Source::Property(Property::Department)),
        2 => Just(Source::Custom(field(0))),
        1 => Just(Source::Custom(field(1))),
        1 => Just(Source::Custom(field(9))),
    ]
}

/// User number, course number, progress, and completion and due dates in half days from the slot.
type EnrolmentSketch = (u32, u32, u8, Option<i64>, Option<i64>);

/// Picks one of some texts, or none, by a hash, so that thousands of users need no strategy each.
fn picked(seed: u64, number: u32, of: &str, among: &[&str]) -> Option<String> {
    let mut hash = seed ^ u64::from(number).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    for byte in of.bytes() {
        hash = (hash ^ u64::from(byte))
            .wrapping_mul(0x0100_0000_01b3)
            .rotate_left(23);
    }
    let place = usize::try_from(hash >> 40).unwrap_or(0) % (among.len() + 2);
    among.get(place).map(|text| (*text).to_owned())
}

fn data(people: u32, seed: u64, enrolments: &[EnrolmentSketch]) -> LmsData {
    let pick = |number: u32, of: &str, among: &[&str]| picked(seed, number, of, among);
    let moments = [
        "2026-11-18",
        "2026-11-20T12:00:00Z",
        "2026-11-21",
        "2026-11-23",
        "soon",
    ];
    let users = (0..people).map(|number| UserRow {
        id: Some(user(number)),
        title: format!("Person {number}"),
        object_id: (number % 7 != 0).then(|| ObjectId::new(id(2, number))),
        city: pick(number, "city", &WORDS),
        department: pick(number, "department", &WORDS[..4]),
        custom: [
            pick(number, "number", &NUMBERS).map(|text| (field(0), text)),
            pick(number, "moment", &moments).map(|text| (field(1), text)),
        ]
        .into_iter()
        .flatten()
        .collect(),
        ..UserRow::default()
    });
    let at = |days: i64| slot() + chrono::TimeDelta::milliseconds(days * DAY / 2);
    let rows = enrolments
        .iter()
        .map(|(who, which, progress, done, due)| EnrolmentRow {
            course: course(*which),
            user: user(who % 100),
            progress: [
                Progress::Completed,
                Progress::NotStarted,
                Progress::InProgress,
            ][usize::from(progress % 3)],
            completed_at: done.map(at),
            due_at: due.map(at),
        });
    let kinds = [FieldKind::Number, FieldKind::Date];
    LmsData {
        users: users.collect(),
        enrolments: rows.collect(),
        fields: (0u32..)
            .zip(kinds)
            .map(|(number, kind)| FieldRow {
                id: field(number),
                title: format!("Field {number}"),
                kind,
                predefined: false,
            })
            .collect(),
        catalogs: vec![crate::snapshot::lms::CatalogRow {
            id: CatalogId::new(id(4, 0)),
            title: String::new(),
        }],
        ..LmsData::default()
    }
}
