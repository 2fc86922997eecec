//! Random tenants, in any order of arrival and over several refreshes.

use super::*;

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
        prop::option::of((1..5i64).prop_map(|days| {
            DateTime::from_timestamp(days * 86_400, 0).expect("time out of range")
        }))
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

/// Returns the content of a row, independent of its representation.
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

/// Returns the values of one learner, computed naively.
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

/// Returns the activities of one learner, computed naively.
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
            let id = user.id.expect("user without id");
            let row = snapshot.people.row(id).expect("learner without row");
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
                .map(|user| (user.id.expect("user without id"), user.object_id))
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
                prop_assert!(lives(&before) || at >= carried || !lives(now), "an empty row was used again");
                let differs = at >= carried
                    || lives(now) != lives(&before)
                    || saying(now, row) != saying(&before, row);
                let expected = if differs { now.people.lineage.step } else { before.people.changed_in[at] };
                prop_assert_eq!(now.people.changed_in[at], expected, "row {}", row);
            }
        }
    }
}
