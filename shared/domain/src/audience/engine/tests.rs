//! The engine against the plain walk: the same members on random people, rules and overrides.

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

fn text_test() -> impl Strategy<Value = TextPredicate> {
    let word = || select(FOLDED.to_vec()).prop_map(str::to_owned);
    prop_oneof![
        4 => word().prop_map(TextPredicate::Equals),
        2 => word().prop_map(TextPredicate::Contains),
        1 => word().prop_map(TextPredicate::BeginsWith),
        1 => word().prop_map(TextPredicate::EndsWith),
        2 => subsequence(FOLDED.to_vec(), 0..5)
            .prop_map(|words| TextPredicate::In(words.into_iter().map(str::to_owned).collect())),
        1 => select(vec!["^d.*r$", "a", "^$", "[0-9]+"]).prop_map(|pattern| {
            TextPredicate::Matches(RegexBuilder::new(pattern).case_insensitive(true).build().expect("a pattern"))
        }),
    ]
}

fn number_test() -> impl Strategy<Value = NumberPredicate> {
    let number = || select(vec![12.0, 12.5, -3.0, 0.0, 7.0]);
    prop_oneof![
        number().prop_map(NumberPredicate::Equals),
        number().prop_map(NumberPredicate::Less),
        number().prop_map(NumberPredicate::AtMost),
        number().prop_map(NumberPredicate::Greater),
        number().prop_map(NumberPredicate::AtLeast),
        (number(), number()).prop_map(|(a, b)| NumberPredicate::Between(a, b)),
        proptest::collection::vec(number(), 0..3).prop_map(NumberPredicate::In),
    ]
}

fn date_test() -> impl Strategy<Value = DatePredicate> {
    let now = slot().timestamp_millis();
    let moment = (-4i64..4).prop_map(move |days| now + days * DAY);
    let days = 1u32..4;
    prop_oneof![
        moment.clone().prop_map(DatePredicate::Before),
        moment.clone().prop_map(DatePredicate::After),
        (moment.clone(), moment).prop_map(|(a, b)| DatePredicate::Within(a, b)),
        days.clone().prop_map(DatePredicate::InLast),
        days.clone().prop_map(DatePredicate::InNext),
        days.prop_map(DatePredicate::MoreThanAgo),
    ]
}

fn activity_test() -> impl Strategy<Value = ActivityPredicate> {
    prop_oneof![
        Just(ActivityPredicate::Completed),
        (1u32..4).prop_map(ActivityPredicate::CompletedInLast),
        Just(ActivityPredicate::Overdue),
        Just(ActivityPredicate::InProgress),
        Just(ActivityPredicate::Enrolled),
    ]
}

fn leaf() -> impl Strategy<Value = Leaf> {
    prop_oneof![
        5 => (source(), text_test()).prop_map(|(source, test)| Leaf::Text(source, test)),
        1 => source().prop_map(Leaf::Missing),
        1 => number_test().prop_map(|test| Leaf::Number(Source::Custom(field(0)), test)),
        1 => any::<bool>().prop_map(|truth| Leaf::Boolean(Source::Property(Property::City), truth)),
        2 => date_test().prop_map(|test| Leaf::Date(Source::Custom(field(1)), test)),
        1 => date_test().prop_map(|test| Leaf::Date(Source::Custom(field(9)), test)),
        3 => (0u32..4, activity_test()).prop_map(|(number, test)| Leaf::Activity(course(number), test)),
    ]
}

fn expr() -> impl Strategy<Value = Expr> {
    leaf()
        .prop_map(Expr::Leaf)
        .prop_recursive(4, 12, 3, |inner| {
            let parts = proptest::collection::vec(inner.clone(), 0..4);
            prop_oneof![
                3 => parts.clone().prop_map(Expr::All),
                3 => parts.prop_map(Expr::Any),
                2 => inner.prop_map(|part| Expr::Not(Box::new(part))),
            ]
        })
}

/// People by number of a seed, so that thousands cost no strategy each.
/// Who, which course, how far, done and due in half days from the slot.
type EnrolmentSketch = (u32, u32, u8, Option<i64>, Option<i64>);

/// One of some texts, or none, by number.
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

fn snapshot() -> impl Strategy<Value = Snapshot> {
    let people = prop_oneof![20 => 0u32..90, 1 => 2_000u32..2_200, 1 => 4_090u32..4_100];
    let half_days = || proptest::option::of(-8i64..8);
    let enrolment = (any::<u32>(), 0u32..3, 0u8..3, half_days(), half_days());
    (
        people,
        any::<u64>(),
        proptest::collection::vec(enrolment, 0..80),
    )
        .prop_map(|(people, seed, enrolments)| {
            build(
                World::new().header(),
                data(people, seed, &enrolments),
                &EntraProperties::default(),
            )
        })
}

/// A profile's rules, overrides (of users and of earlier profiles) and current members.
#[derive(Debug, Clone)]
struct Sketch {
    rules: Option<Expr>,
    include: Vec<u32>,
    exclude: Vec<u32>,
    include_profiles: Vec<usize>,
    exclude_profiles: Vec<usize>,
    current: Vec<u32>,
}

fn sketch() -> impl Strategy<Value = Sketch> {
    let some =
        || prop_oneof![2 => Just(Vec::new()), 1 => proptest::collection::vec(0u32..100, 0..6)];
    let others =
        || prop_oneof![4 => Just(Vec::new()), 1 => proptest::collection::vec(0usize..6, 0..3)];
    (
        proptest::option::weighted(0.9, expr()),
        some(),
        some(),
        others(),
        others(),
        some(),
    )
        .prop_map(
            |(rules, include, exclude, include_profiles, exclude_profiles, current)| Sketch {
                rules,
                include,
                exclude,
                include_profiles,
                exclude_profiles,
                current,
            },
        )
}

fn program(sketches: &[Sketch]) -> Program<'_> {
    let users = |numbers: &[u32]| numbers.iter().copied().map(user).collect();
    Program::compile(sketches.iter().map(|sketch| AudienceInput {
        rules: sketch.rules.as_ref(),
        include: users(&sketch.include),
        exclude: users(&sketch.exclude),
        include_profiles: sketch.include_profiles.clone(),
        exclude_profiles: sketch.exclude_profiles.clone(),
    }))
}

/// The same by walking every tree for every person.
fn walked(sketches: &[Sketch], snapshot: &Snapshot) -> Vec<AudienceChange> {
    let people = &snapshot.people;
    let facts = PersonValues::new(
        snapshot,
        slot(),
        sketches.iter().filter_map(|sketch| sketch.rules.as_ref()),
    );
    let mut all: Vec<BTreeSet<u32>> = Vec::new();
    let mut changes = Vec::new();
    for (here, sketch) in sketches.iter().enumerate() {
        let rows = |users: &[u32], profiles: &[usize]| -> BTreeSet<u32> {
            let users = users.iter().filter_map(|number| people.row(user(*number)));
            let named = profiles
                .iter()
                .filter(|place| **place < here)
                .flat_map(|place| all[*place].clone());
            users.chain(named).collect()
        };
        let rules: BTreeSet<u32> = match &sketch.rules {
            Some(rules) => people
                .living
                .iter()
                .filter(|row| facts.holds(rules, *row))
                .collect(),
            None => BTreeSet::new(),
        };
        let exclude = rows(&sketch.exclude, &sketch.exclude_profiles);
        let include = &rows(&sketch.include, &sketch.include_profiles) - &rules;
        let included = &include - &exclude;
        let members = &(&rules - &exclude) | &included;
        let current = current(sketch, snapshot);
        let current: BTreeSet<u32> = current.iter().collect();
        changes.push(AudienceChange {
            members: u32::try_from(members.len()).expect("few"),
            unreachable: u32::try_from(
                members
                    .iter()
                    .filter(|row| !people.is_reachable(**row))
                    .count(),
            )
            .expect("few"),
            joins: members.difference(&current).copied().collect(),
            leaves: current.difference(&members).copied().collect(),
            included: included.into_iter().collect(),
        });
        all.push(members);
    }
    changes
}

fn current(sketch: &Sketch, snapshot: &Snapshot) -> RowSet {
    let people = &snapshot.people;
    let mut rows = RowSet::new(people.rows());
    // Whoever has no account is in no group.
    rows.extend(
        sketch
            .current
            .iter()
            .copied()
            .filter(|row| people.is_reachable(*row)),
    );
    rows
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 10_000, max_shrink_iters: 20_000, ..ProptestConfig::default() })]

    /// Proves S4-074…089 for the engine: 10,000 random profile sets have the members the walk finds.
    #[test]
    fn the_engine_finds_the_members_that_the_walk_finds(
        snapshot in snapshot(),
        sketches in proptest::collection::vec(sketch(), 1..7),
    ) {
        let current: Vec<RowSet> = sketches.iter().map(|sketch| current(sketch, &snapshot)).collect();
        let references: Vec<Option<&RowSet>> = current.iter().map(Some).collect();
        let found = program(&sketches).evaluate(&snapshot, slot(), &references);
        prop_assert_eq!(found, walked(&sketches, &snapshot));
    }
}

#[test]
fn equal_tests_are_made_once() {
    let city = |text: &str| {
        Expr::Leaf(Leaf::Text(
            Source::Property(Property::City),
            TextPredicate::Equals(text.to_owned()),
        ))
    };
    let (a, b) = (
        Expr::All(vec![city("oslo"), city("denver")]),
        Expr::Not(Box::new(city("oslo"))),
    );
    let of = |rules| AudienceInput {
        rules: Some(rules),
        ..AudienceInput::default()
    };
    assert_eq!(
        Program::compile([of(&a), of(&b), of(&a)]).distinct_tests(),
        2
    );
}

/// Columns of more than 65,536 distinct values and lists of more than 100,000.
#[test]
fn large_dictionaries_and_long_lists_work() {
    let people = 70_000u32;
    let users = (0..people).map(|number| UserRow {
        id: Some(user(number)),
        email: Some(format!("Person.{number}@contoso.example")),
        ..UserRow::default()
    });
    let data = LmsData {
        users: users.collect(),
        ..LmsData::default()
    };
    let snapshot = build(World::new().header(), data, &EntraProperties::default());
    let email = |test| Expr::Leaf(Leaf::Text(Source::Property(Property::Email), test));
    let listed = (0..120_000u32)
        .filter(|number| number % 3 == 0)
        .map(|number| format!("person.{number}@contoso.example"));
    let strangers = (0..100_000u32).map(|number| format!("nobody.{number}@contoso.example"));
    let list = email(TextPredicate::In(listed.chain(strangers).collect()));
    let odd = email(TextPredicate::EndsWith("1@contoso.example".to_owned()));
    let exprs = [
        list.clone(),
        odd.clone(),
        Expr::All(vec![list, Expr::Not(Box::new(odd))]),
    ];
    let members = exprs.iter().map(|rules| AudienceInput {
        rules: Some(rules),
        ..AudienceInput::default()
    });
    let counts: Vec<u32> = Program::compile(members)
        .evaluate(&snapshot, slot(), &[])
        .iter()
        .map(|change| change.members)
        .collect();
    let facts = PersonValues::new(&snapshot, slot(), &exprs);
    let expected: Vec<u32> = exprs
        .iter()
        .map(|rules| {
            u32::try_from((0..people).filter(|row| facts.holds(rules, *row)).count()).expect("few")
        })
        .collect();
    assert_eq!(counts, expected);
    assert_eq!(counts[0], people.div_ceil(3));
}

/// A tree as deep and as wide as a rule may be.
#[test]
fn deep_trees_keep_their_meaning() {
    let city = |text: &str| {
        Expr::Leaf(Leaf::Text(
            Source::Property(Property::City),
            TextPredicate::Equals(text.to_owned()),
        ))
    };
    let mut tree = city("denver");
    for level in 0..40 {
        let parts = vec![
            tree,
            Expr::Not(Box::new(city(FOLDED[level % FOLDED.len()]))),
        ];
        tree = if level % 2 == 0 {
            Expr::Any(parts)
        } else {
            Expr::Not(Box::new(Expr::All(parts)))
        };
    }
    let snapshot = build(
        World::new().header(),
        data(80, 7, &[]),
        &EntraProperties::default(),
    );
    let facts = PersonValues::new(&snapshot, slot(), [&tree]);
    let expected: Vec<u32> = snapshot
        .people
        .living
        .iter()
        .filter(|row| facts.holds(&tree, *row))
        .collect();
    let found = Program::compile([AudienceInput {
        rules: Some(&tree),
        ..AudienceInput::default()
    }])
    .evaluate(&snapshot, slot(), &[]);
    assert_eq!(found[0].joins, expected);
}
