//! From complete sets of rows to a snapshot.

use std::collections::{BTreeMap, HashMap};

use chrono::{DateTime, NaiveDate, NaiveDateTime, Utc};

use super::{DateColumn, TextColumn};
use super::{Enrolment, Enrolments, Header, LmsGroup, People, Property, Snapshot, Source};
use crate::ids::{ObjectId, UserId};
use crate::lms::{EnrolmentRow, FieldKind, FieldRow, LmsData, UserRow};

/// Properties of Entra users that some rule asks for, by object id.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct EntraProperties {
    /// What was read and what its values are.
    pub kinds: BTreeMap<String, FieldKind>,
    /// The values, as Graph writes them.
    pub values: HashMap<ObjectId, BTreeMap<String, String>>,
}

/// Builds the snapshot. The sets are complete by contract of [`LmsData`]; what
/// points nowhere (an enrolment of a user who is not listed) is left out, as
/// deleted users leave such rows behind.
pub fn build(header: Header, data: LmsData, entra: &EntraProperties) -> Snapshot {
    let (groups, mut people): (Vec<UserRow>, Vec<UserRow>) =
        data.users.into_iter().partition(|user| user.is_group);
    people.retain(|user| user.id.is_some());
    people.sort_by_key(|user| user.id);
    people.dedup_by_key(|user| user.id);
    let mut courses = data.courses;
    courses.retain(|course| !course.deleted);
    courses.sort_by_key(|course| course.id);
    let table = people_table(&people, &data.fields, entra);
    Snapshot {
        enrolments: enrolments(&table, data.enrolments),
        people: table,
        fields: data.fields,
        entra_properties: entra.kinds.clone(),
        courses,
        catalogs: data.catalogs,
        groups: groups.into_iter().filter_map(group).collect(),
        group_roles: data
            .roles
            .into_iter()
            .filter(|role| role.is_group)
            .collect(),
        header,
    }
}

fn group(user: UserRow) -> Option<LmsGroup> {
    Some(LmsGroup {
        id: user.id?,
        login_name: user.login_name,
        object_id: user.object_id,
    })
}

fn people_table(people: &[UserRow], fields: &[FieldRow], entra: &EntraProperties) -> People {
    let mut table = People {
        ids: people.iter().filter_map(|user| user.id).collect(),
        object_ids: people.iter().map(|user| user.object_id).collect(),
        ..People::default()
    };
    let custom: Vec<HashMap<_, &str>> = people
        .iter()
        .map(|user| {
            user.custom
                .iter()
                .map(|(id, text)| (*id, text.as_str()))
                .collect()
        })
        .collect();
    for property in Property::ALL {
        // The platform delivers some of its own properties only as values of a predefined field.
        let field = fields
            .iter()
            .find(|field| field.predefined && field.title.eq_ignore_ascii_case(property.label()));
        let column = TextColumn::build(people.iter().zip(&custom).map(|(user, custom)| {
            value(user, property).or_else(|| custom.get(&field?.id).copied())
        }));
        table.texts.insert(Source::Property(property), column);
    }
    for field in fields.iter().filter(|field| !field.predefined) {
        let column = TextColumn::build(custom.iter().map(|values| values.get(&field.id).copied()));
        add(&mut table, Source::Custom(field.id), field.kind, column);
    }
    for (name, kind) in &entra.kinds {
        let column = TextColumn::build(people.iter().map(|user| {
            let values = entra.values.get(&user.object_id?)?;
            values.get(name).map(String::as_str)
        }));
        add(&mut table, Source::Entra(name.clone()), *kind, column);
    }
    table
}

fn add(table: &mut People, source: Source, kind: FieldKind, column: TextColumn) {
    if kind == FieldKind::Date {
        let rows = 0..table.count();
        let moments = DateColumn::build(rows.map(|row| column.get(row).and_then(moment)));
        table.dates.insert(source.clone(), moments);
    }
    table.texts.insert(source, column);
}

fn value(user: &UserRow, property: Property) -> Option<&str> {
    match property {
        Property::City => user.city.as_deref(),
        Property::Company => user.company.as_deref(),
        Property::Department => user.department.as_deref(),
        Property::Country => user.country.as_deref(),
        Property::Office => user.office.as_deref(),
        Property::JobTitle => user.job_title.as_deref(),
        Property::Email => user.email.as_deref(),
        Property::Title => Some(&user.title),
    }
}

fn enrolments(people: &People, rows: Vec<EnrolmentRow>) -> Enrolments {
    let row_of: HashMap<UserId, u32> = people.ids.iter().copied().zip(0u32..).collect();
    Enrolments::build(
        rows.into_iter()
            .filter_map(|enrolment| {
                let row = *row_of.get(&enrolment.user)?;
                Some((
                    enrolment.course,
                    Enrolment {
                        row,
                        progress: enrolment.progress,
                        completed_at: enrolment.completed_at.map(|at| at.timestamp_millis()),
                        due_at: enrolment.due_at.map(|at| at.timestamp_millis()),
                    },
                ))
            })
            .collect(),
    )
}

/// Reads a moment as platforms write it: RFC 3339, the same without zone (UTC),
/// or a bare day (its first instant in UTC). Anything else is a missing value.
pub fn moment(text: &str) -> Option<DateTime<Utc>> {
    let text = text.trim();
    if let Ok(moment) = DateTime::parse_from_rfc3339(text) {
        return Some(moment.to_utc());
    }
    if let Ok(local) = text.parse::<NaiveDateTime>() {
        return Some(local.and_utc());
    }
    let day = text.parse::<NaiveDate>().ok()?;
    Some(day.and_hms_opt(0, 0, 0)?.and_utc())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::World;

    /// Proves S4-044: group rows are not learners.
    #[test]
    fn groups_in_the_user_list_are_not_people() {
        let mut world = World::new();
        world.person("Ada").person("Grace");
        world.lms_group("c:0t.c|tenant|x");
        let snapshot = world.snapshot();
        assert_eq!(snapshot.people.count(), 2);
        assert_eq!(snapshot.groups.len(), 1);
    }

    #[test]
    fn a_property_may_come_as_a_value_of_a_predefined_field() {
        let mut world = World::new();
        world.person("Ada").custom("Company", "Contoso");
        let mut data = world.data();
        data.fields.push(FieldRow {
            id: World::field_id("Company"),
            title: "Company".to_owned(),
            kind: FieldKind::Text,
            predefined: true,
        });
        let snapshot = build(world.header(), data, &EntraProperties::default());
        assert_eq!(
            snapshot.people.property(Property::Company, 0),
            Some("Contoso")
        );
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
    fn an_enrolment_of_a_deleted_user_is_left_out() {
        let mut world = World::new();
        world.person("Ada");
        world.course("Security 101");
        world.completed("Ada", "Security 101", "2026-01-01");
        let mut data = world.data();
        let mut stray = data.enrolments[0].clone();
        stray.user = "99999999-0000-0000-0000-000000000000"
            .parse()
            .expect("a GUID");
        data.enrolments.push(stray);
        let snapshot = build(world.header(), data, &EntraProperties::default());
        assert_eq!(snapshot.enrolments.len(), 1);
    }
}
