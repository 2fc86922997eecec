//! Tests the conversion of single rows.

use super::*;

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

/// Proves S4-044: a role can mark its holder as a group, and the roles of a group are stored
/// whether the row or a role marks it.
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
    let by_login = data.users[2].id.expect("user without id");
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
        let row = snapshot
            .people
            .row(World::user(name))
            .expect("learner without row");
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
    let ada = data.users[0].borrowed().expect("user without id");
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
    let row = |name: &str| people.row(World::user(name)).expect("learner without row");
    assert_eq!(people.text(&source, row("Ada")), Some("2026-01-01"));
    assert_eq!(people.text(&source, row("Grace")), None);
    assert_eq!(people.texts[&source].dictionary().len(), 1);
    let moment = people.dates[&source].get(row("Ada"));
    assert_eq!(moment, Some(day("2026-01-01").timestamp_millis()));
}
