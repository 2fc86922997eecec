//! Worlds by hand, and random ones against a naive reading and over chains of refreshes.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use proptest::prelude::*;
use uuid::Uuid;

use super::*;
use crate::base::ids::{CatalogId, CourseId, FieldId, ObjectId, SnapshotId, UserId};
use crate::base::text::clean;
use crate::snapshot::format;
use crate::snapshot::format::Identity;
use crate::snapshot::lms::{
    CourseRow, EnrolmentRow, FieldKind, FieldRow, LmsData, Progress, RoleRow, RoleScope, UserRow,
};
use crate::snapshot::{
    Activity, CourseActivities, Enrolments, Header, Lineage, Property, Snapshot, Source, TextColumn,
};
use crate::testing::{World, day};

/// Proves S4-044: group rows are not learners.
#[test]
fn groups_in_the_user_list_are_not_people() {
    let mut world = World::new();
    world.person("Ada").person("Grace");
    world.lms_group("c:0t.c|tenant|x");
    let snapshot = world.snapshot();
    assert_eq!(snapshot.people.count(), 2);
    assert_eq!(snapshot.groups.len(), 1);
    assert_eq!(snapshot.groups[0].login_name, "c:0t.c|tenant|x");
}

/// Proves S4-044: a role can say that its holder is a group, and the roles of a
/// group are kept whoever says that it is one.
#[test]
fn a_role_can_tell_that_a_row_is_a_group() {
    let mut world = World::new();
    world.person("Ada").person("Everyone");
    world.lms_group("c:0t.c|tenant|x");
    let mut data = world.data();
    let role = |user, is_group| RoleRow {
        user,
        is_group,
        role: "Learner".to_owned(),
        scope: RoleScope::Catalog(World::catalog()),
    };
    let by_login = data.users[2].id.expect("an id");
    data.roles = vec![
        role(World::user("Everyone"), true),
        role(World::user("Ada"), false),
        role(by_login, false),
    ];
    let snapshot = build(world.header(), data, &EntraProperties::default());
    assert_eq!(snapshot.people.count(), 1);
    assert_eq!(snapshot.groups.len(), 2);
    let holders: Vec<_> = snapshot.group_roles.iter().map(|role| role.user).collect();
    let mut expected = [World::user("Everyone"), by_login];
    expected.sort();
    assert_eq!(holders, expected);
    assert!(snapshot.group_roles.iter().all(|role| role.is_group));
}

#[test]
fn a_property_may_come_as_a_value_of_a_predefined_field() {
    let mut world = World::new();
    world.person("Ada").custom("Company", "Contoso");
    world
        .person("Grace")
        .custom("Company", "Contoso")
        .with("company", "Fabrikam");
    let mut data = world.data();
    data.fields.push(FieldRow {
        id: World::field_id("Company"),
        title: "Company".to_owned(),
        kind: FieldKind::Text,
        predefined: true,
    });
    let snapshot = build(world.header(), data, &EntraProperties::default());
    let company = |name: &str| {
        let row = snapshot.people.row(World::user(name)).expect("a row");
        snapshot.people.property(Property::Company, row)
    };
    assert_eq!(company("Ada"), Some("Contoso"));
    assert_eq!(company("Grace"), Some("Fabrikam"));
    assert_eq!(snapshot.people.texts.len(), Property::ALL.len());
}

#[test]
fn moments_are_read_in_every_form_the_platform_writes() {
    let expected = moment("2023-01-01T00:00:00Z");
    assert!(expected.is_some());
    for text in [
        "2023-01-01",
        "2023-01-01T00:00:00",
        " 2023-01-01T01:00:00+01:00",
        "2023-01-01T00:00:00.000Z",
    ] {
        assert_eq!(moment(text), expected, "{text}");
    }
    assert_eq!(moment("01/02/2023"), None);
    assert_eq!(moment(""), None);
}

#[test]
fn text_beyond_what_a_column_holds_is_an_error_and_never_a_missing_value() {
    let mut world = World::new();
    world.field("Role", FieldKind::Text);
    world
        .person("Ada")
        .with("city", "Oslo")
        .custom("Role", "Nurse");
    let data = world.data();
    let ada = data.users[0].borrowed().expect("an id");
    let (mut city, mut custom) = (UserSet::default(), UserSet::default());
    city.properties[0] = cells::Cells::of_at_most(3);
    assert_eq!(city.push(&ada), Err(TooLarge::Users));
    custom.fields.number(World::field_id("Role"), 1);
    custom.custom.push(cells::Cells::of_at_most(4));
    assert_eq!(custom.push(&ada), Err(TooLarge::Users));
    assert_eq!(UserSet::default().push(&ada), Ok(()));

    let mut entra = EntraSet::new([("city".to_owned(), FieldKind::Text)].into());
    entra.columns[0] = cells::Cells::of_at_most(4);
    let object = |n| ObjectId::new(Uuid::from_u128(n));
    for n in 1..3 {
        assert_eq!(entra.push(object(n), [("city", "Oslo")]), Ok(()));
    }
    let more = entra.push(object(3), [("city", "Bonn")]);
    assert_eq!(more, Err(TooLarge::EntraUsers));
}

#[test]
fn an_enrolment_of_a_deleted_user_is_left_out() {
    let mut world = World::new();
    world.person("Ada");
    world.course("Security 101");
    world.completed("Ada", "Security 101", "2026-01-01");
    let mut data = world.data();
    let mut stray = data.enrolments[0].clone();
    stray.user = UserId::new(Uuid::from_u128(99));
    data.enrolments.push(stray);
    let snapshot = build(world.header(), data, &EntraProperties::default());
    assert_eq!(snapshot.enrolments.len(), 1);
}

#[test]
fn entra_values_belong_to_whoever_has_the_object() {
    let mut world = World::new();
    world.person("Ada").person("Grace").without_entra();
    let values = |value: &str| BTreeMap::from([("hireDate".to_owned(), value.to_owned())]);
    let entra = EntraProperties {
        kinds: [("hireDate".to_owned(), FieldKind::Date)].into(),
        values: [
            (World::object("Ada"), values("2026-01-01")),
            (World::object("Nobody"), values("2025-01-01")),
        ]
        .into(),
    };
    let snapshot = build(world.header(), world.data(), &entra);
    let source = Source::Entra("hireDate".to_owned());
    let people = &snapshot.people;
    let row = |name: &str| people.row(World::user(name)).expect("a row");
    assert_eq!(people.text(&source, row("Ada")), Some("2026-01-01"));
    assert_eq!(people.text(&source, row("Grace")), None);
    assert_eq!(people.texts[&source].dictionary().len(), 1);
    let moment = people.dates[&source].get(row("Ada"));
    assert_eq!(moment, Some(day("2026-01-01").timestamp_millis()));
}

/// A tenant that is refreshed again and again, through files as in earnest.
struct Chain {
    last: Option<Snapshot>,
    refreshes: u128,
}

impl Chain {
    fn new() -> Self {
        Self {
            last: None,
            refreshes: 0,
        }
    }

    fn refresh(&mut self, data: LmsData) -> (Option<Snapshot>, &Snapshot) {
        self.refreshes += 1;
        let header = Header {
            id: SnapshotId::new(day("2026-01-01"), Uuid::from_u128(self.refreshes << 100)),
            tenant: World::tenant(),
            taken_at: day("2026-01-01"),
        };
        let sets = Sets::of(data).expect("few rows");
        let file = self
            .last
            .as_ref()
            .map(|last| format::encode(last).expect("encoded"));
        let file = file
            .as_ref()
            .map(|file| format::SnapshotReader::open(file).expect("a snapshot"));
        let built = sets.into_snapshot(header, EntraSet::default(), file.as_ref());
        assert!(built.unread.is_none());
        let before = self.last.replace(built.snapshot);
        (before, self.last.as_ref().expect("just put"))
    }
}

fn crowd(numbers: impl Iterator<Item = u128>) -> LmsData {
    let user = |number| UserRow {
        id: Some(user_id(number)),
        login_name: "i:0#.f|membership|x".to_owned(),
        ..UserRow::default()
    };
    LmsData {
        users: numbers.map(user).collect(),
        ..LmsData::default()
    }
}

#[test]
fn too_many_empty_rows_begin_a_new_lineage_and_few_do_not() {
    let mut chain = Chain::new();
    chain.refresh(crowd(0..5_000));
    let (_, snapshot) = chain.refresh(crowd(1_000..5_000));
    assert_eq!(snapshot.people.lineage.step, 1, "1,000 are not too many");
    assert_eq!(
        (snapshot.people.rows(), snapshot.people.count()),
        (5_000, 4_000)
    );
    let (_, snapshot) = chain.refresh(crowd(1_250..5_000));
    assert_eq!(snapshot.people.lineage.step, 2, "a quarter is not too many");
    let (_, snapshot) = chain.refresh(crowd(1_251..5_000));
    assert_eq!(
        snapshot.people.lineage,
        Lineage::begin(snapshot.header.id.clone())
    );
    assert_eq!(
        (snapshot.people.rows(), snapshot.people.count()),
        (3_749, 3_749)
    );
    assert!(snapshot.people.changed_in.iter().all(|step| *step == 0));
}

/// The snapshot before, damaged.
struct Damaged<'a> {
    snapshot: &'a Snapshot,
    identity: bool,
}

impl Previous for Damaged<'_> {
    type Error = &'static str;

    fn identity(&self) -> Result<Identity, Self::Error> {
        if self.identity {
            return Err("no identity");
        }
        self.snapshot.identity().map_err(|_| "never")
    }

    fn sources(&self) -> Vec<Source> {
        self.snapshot.sources()
    }

    fn text(&self, source: &Source) -> Result<Option<TextColumn>, Self::Error> {
        match source {
            Source::Property(Property::City) => Err("no city"),
            other => self.snapshot.text(other).map_err(|_| "never"),
        }
    }

    fn enrolments(&self) -> Result<Enrolments, Self::Error> {
        Ok(self.snapshot.enrolments.clone())
    }
}

#[test]
fn a_damaged_snapshot_before_costs_precision_and_nothing_else() {
    let mut world = World::new();
    world.person("Ada").person("Grace");
    let before = world.snapshot();
    let refreshed = |identity| {
        let sets = Sets::of(world.data()).expect("few rows");
        let damaged = Damaged {
            snapshot: &before,
            identity,
        };
        sets.into_snapshot(world.header(), EntraSet::default(), Some(&damaged))
    };
    let column = refreshed(false);
    assert_eq!(column.unread, Some("no city"));
    assert_eq!(column.snapshot.people.lineage.step, 1);
    assert_eq!(column.snapshot.people.changed_in, [1, 1]);
    let identity = refreshed(true);
    assert_eq!(identity.unread, Some("no identity"));
    assert_eq!(identity.snapshot, before);
}

fn user_id(number: u128) -> UserId {
    UserId::new(Uuid::from_u128(number))
}

fn course_id(number: u128) -> CourseId {
    CourseId::new(Uuid::from_u128(number))
}

fn field_id(number: u128) -> FieldId {
    FieldId::new(Uuid::from_u128(number))
}

fn a_user() -> impl Strategy<Value = UserRow> {
    let text = prop::option::of(prop::sample::select(vec![
        "Denver",
        " Oslo ",
        "  ",
        "Cafe\u{301}",
    ]));
    let custom = prop::collection::vec((0..4u128, "[ab ]{0,2}"), 0..3);
    let object = prop::option::of(0..3u128);
    (0..12u128, object, text.clone(), text, custom, 0..8u8).prop_map(
        |(id, object, city, company, custom, kind)| UserRow {
            id: Some(user_id(id)),
            login_name: format!("login {id}"),
            title: format!("User {id}"),
            object_id: object.map(|object| ObjectId::new(Uuid::from_u128(object))),
            is_group: kind == 0,
            city: city.map(str::to_owned),
            company: company.map(str::to_owned),
            custom: custom
                .into_iter()
                .map(|(field, text)| (field_id(field), text))
                .collect(),
            ..UserRow::default()
        },
    )
}

fn an_enrolment() -> impl Strategy<Value = EnrolmentRow> {
    let progress = prop::sample::select(vec![
        Progress::Completed,
        Progress::NotStarted,
        Progress::InProgress,
    ]);
    let at = || {
        prop::option::of(
            (1..5i64).prop_map(|days| DateTime::from_timestamp(days * 86_400, 0).expect("a day")),
        )
    };
    (0..14u128, 0..4u128, progress, at(), at()).prop_map(
        |(user, course, progress, completed_at, due_at)| EnrolmentRow {
            course: course_id(course),
            user: user_id(user),
            progress,
            completed_at,
            due_at,
        },
    )
}

fn a_tenant() -> impl Strategy<Value = LmsData> {
    let users = prop::collection::vec(a_user(), 0..14).prop_map(|mut users| {
        users.sort_by_key(|user| user.id);
        users.dedup_by_key(|user| user.id);
        users
    });
    let fields = prop::sample::subsequence(vec![0u128, 1, 2, 3], 0..=4);
    let enrolments = prop::collection::vec(an_enrolment(), 0..30);
    (users.prop_shuffle(), fields, enrolments).prop_map(|(users, fields, enrolments)| LmsData {
        users,
        enrolments,
        fields: fields
            .into_iter()
            .map(|field| FieldRow {
                id: field_id(field),
                title: if field == 3 { "Company" } else { "Team" }.to_owned(),
                kind: FieldKind::Text,
                predefined: field == 3,
            })
            .collect(),
        courses: vec![CourseRow {
            id: course_id(1),
            catalog: CatalogId::new(Uuid::nil()),
            title: "Security 101".to_owned(),
            published: true,
            deleted: false,
        }],
        ..LmsData::default()
    })
}

/// Everything a row says, in words that do not depend on how it is kept.
fn saying(
    snapshot: &Snapshot,
    row: u32,
) -> (BTreeMap<Source, String>, BTreeMap<CourseId, Activity>) {
    let texts = snapshot.people.texts.iter();
    let texts = texts
        .filter_map(|(source, column)| Some((source.clone(), column.get(row)?.to_owned())))
        .collect();
    let courses = snapshot.enrolments.iter();
    let activities = courses
        .filter_map(|(course, each)| Some((course, each.activity(row)?)))
        .collect();
    (texts, activities)
}

/// The values of one person, read the slow way.
fn texts_of(data: &LmsData, user: &UserRow) -> BTreeMap<Source, String> {
    let custom = |field: FieldId| {
        let found = user.custom.iter().filter(|(id, _)| *id == field);
        found.filter_map(|(_, text)| clean(text)).next_back()
    };
    let listed = |id: u128| data.fields.iter().any(|field| field.id == field_id(id));
    let company = user.company.as_deref().and_then(clean);
    let company = company.or_else(|| custom(field_id(3)).filter(|_| listed(3)));
    let properties = [
        (Property::City, user.city.as_deref().and_then(clean)),
        (Property::Company, company),
        (Property::Title, clean(&user.title)),
    ];
    let customs = (0..3)
        .filter(|field| listed(*field))
        .map(|field| (Source::Custom(field_id(field)), custom(field_id(field))));
    properties
        .into_iter()
        .map(|(property, text)| (Source::Property(property), text))
        .chain(customs)
        .filter_map(|(source, text)| Some((source, text?)))
        .collect()
}

/// What one person did in the courses, read the slow way.
fn activities_of(data: &LmsData, user: UserId) -> BTreeMap<CourseId, Activity> {
    let mut found: BTreeMap<CourseId, Activity> = BTreeMap::new();
    for row in data.enrolments.iter().filter(|row| row.user == user) {
        let activity = found.entry(row.course).or_default();
        let completed = row.progress == Progress::Completed;
        let (done, due) = (row.completed_at, row.due_at);
        activity.completed |= completed;
        activity.in_progress |= row.progress == Progress::InProgress;
        activity.late |= completed && matches!((done, due), (Some(done), Some(due)) if done > due);
        let millis = |at: Option<DateTime<Utc>>, wanted: bool| {
            at.filter(|_| wanted).map(|at| at.timestamp_millis())
        };
        activity.last_completed = activity.last_completed.max(millis(done, completed));
        let due = millis(due, !completed);
        activity.open_due = match (activity.open_due, due) {
            (Some(one), Some(two)) => Some(one.min(two)),
            (one, two) => one.or(two),
        };
    }
    found
}

proptest! {
    #[test]
    fn in_any_order_of_arrival_the_snapshot_says_what_the_rows_say(
        (data, shuffled) in a_tenant().prop_flat_map(|data| {
            let users = Just(data.users.clone()).prop_shuffle();
            let enrolments = Just(data.enrolments.clone()).prop_shuffle();
            let shuffled = (users, enrolments);
            (Just(data), shuffled)
        }),
    ) {
        let world = World::new();
        let entra = EntraProperties::default();
        let snapshot = build(world.header(), data.clone(), &entra);
        let (users, enrolments) = shuffled;
        let other = LmsData { users, enrolments, ..data.clone() };
        prop_assert_eq!(&snapshot, &build(world.header(), other, &entra));
        let people: Vec<&UserRow> = data.users.iter().filter(|user| !user.is_group).collect();
        prop_assert_eq!(snapshot.people.count() as usize, people.len());
        prop_assert!(snapshot.people.ids.is_sorted());
        let mut enrolled = 0;
        for user in people {
            let id = user.id.expect("an id");
            let row = snapshot.people.row(id).expect("a row");
            prop_assert_eq!(snapshot.people.object_ids[row as usize], user.object_id);
            prop_assert_eq!(saying(&snapshot, row), (texts_of(&data, user), activities_of(&data, id)));
            enrolled += data.enrolments.iter().filter(|row| row.user == id).count() as u64;
        }
        prop_assert_eq!(snapshot.enrolments.len(), enrolled);
        for (_, each) in snapshot.enrolments.iter() {
            prop_assert_eq!(&CourseActivities::of(&each.entries(), snapshot.people.rows()), each);
        }
    }

    #[test]
    fn rows_keep_their_meaning_and_exactly_those_that_differ_are_marked(
        refreshes in prop::collection::vec(a_tenant(), 1..6),
    ) {
        let mut chain = Chain::new();
        for data in refreshes {
            let people: BTreeMap<UserId, Option<ObjectId>> = data
                .users
                .iter()
                .filter(|user| !user.is_group)
                .map(|user| (user.id.expect("an id"), user.object_id))
                .collect();
            let (before, now) = chain.refresh(data);
            let living = now.people.living.iter().map(|row| row as usize);
            let listed: BTreeMap<_, _> = living
                .map(|row| (now.people.ids[row], now.people.object_ids[row]))
                .collect();
            prop_assert_eq!(listed, people);
            let by_id: Vec<_> = now.people.by_id.iter().map(|row| now.people.ids[*row as usize]).collect();
            prop_assert!(by_id.is_sorted() && by_id.len() == now.people.ids.len());
            let Some(before) = before else { continue };
            prop_assert_eq!(&now.people.lineage.first, &before.people.lineage.first);
            prop_assert_eq!(now.people.lineage.step, before.people.lineage.step + 1);
            let carried = before.people.ids.len();
            prop_assert_eq!(&now.people.ids[..carried], &before.people.ids[..]);
            prop_assert_eq!(&now.people.object_ids[..carried], &before.people.object_ids[..]);
            prop_assert!(now.people.ids[carried..].is_sorted());
            for row in 0..now.people.rows() {
                let at = row as usize;
                let lives = |snapshot: &Snapshot| snapshot.people.living.contains(row);
                if !lives(now) {
                    prop_assert_eq!(saying(now, row), Default::default());
                }
                prop_assert!(at < carried || lives(now));
                prop_assert!(lives(&before) || at >= carried || !lives(now), "nobody comes back to a row");
                let differs = at >= carried
                    || lives(now) != lives(&before)
                    || saying(now, row) != saying(&before, row);
                let expected = if differs { now.people.lineage.step } else { before.people.changed_in[at] };
                prop_assert_eq!(now.people.changed_in[at], expected, "row {}", row);
            }
        }
    }
}
