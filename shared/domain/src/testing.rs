//! Test data: users are created by first name, courses and fields by title.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::base::ids::{CatalogId, CourseId, FieldId, ObjectId, SnapshotId, TenantId, UserId};
use crate::rules::evaluate::PersonValues;
use crate::rules::{Fields, FilterDocument};
use crate::snapshot::ingest::{EntraProperties, build, moment};
use crate::snapshot::lms::{
    CatalogRow, CourseRow, EnrolmentRow, FieldKind, FieldRow, LmsData, Progress, UserRow,
};
use crate::snapshot::{Header, Property, Snapshot};

/// Returns the slot at which tests evaluate.
pub fn slot() -> DateTime<Utc> {
    day("2026-11-21")
}

/// Returns the first instant of a day in UTC.
///
/// # Panics
/// If the text is not a date.
pub fn day(text: &str) -> DateTime<Utc> {
    moment(text).unwrap_or_else(|| panic!("{text} is not a date"))
}

fn guid(kind: u128, name: &str) -> Uuid {
    let mut hash = kind;
    for byte in name.bytes() {
        hash = hash
            .wrapping_mul(0x0100_0000_01b3)
            .wrapping_add(u128::from(byte));
    }
    Uuid::from_u128(hash)
}

/// The LMS data of a test, built step by step.
#[derive(Debug, Clone, Default)]
pub struct World {
    data: LmsData,
}

/// Sets the properties of the user that was added last.
pub struct PersonBuilder<'a> {
    world: &'a mut World,
    index: usize,
}

impl World {
    /// Returns a world with one catalog and no users.
    pub fn new() -> Self {
        let mut world = Self::default();
        world.data.catalogs.push(CatalogRow {
            id: Self::catalog(),
            title: "Academy".to_owned(),
        });
        world
    }

    /// Returns the id of the only catalog.
    pub fn catalog() -> CatalogId {
        CatalogId::new(guid(4, "catalog"))
    }

    /// Returns the tenant of all test worlds.
    pub fn tenant() -> TenantId {
        TenantId::new(guid(5, "tenant"))
    }

    /// Returns a user id by first name.
    pub fn user(name: &str) -> UserId {
        UserId::new(guid(1, name))
    }

    /// Returns an Entra object id by first name.
    pub fn object(name: &str) -> ObjectId {
        ObjectId::new(guid(2, name))
    }

    /// Returns a course id by title.
    pub fn course_id(title: &str) -> CourseId {
        CourseId::new(guid(3, title))
    }

    /// Returns a field id by title.
    pub fn field_id(title: &str) -> FieldId {
        FieldId::new(guid(6, title))
    }

    /// Adds a user that exists in the LMS and in Entra.
    pub fn person(&mut self, name: &str) -> PersonBuilder<'_> {
        let user = UserRow {
            id: Some(Self::user(name)),
            login_name: format!("i:0#.f|membership|{}@contoso.example", name.to_lowercase()),
            title: name.to_owned(),
            object_id: Some(Self::object(name)),
            ..UserRow::default()
        };
        self.data.users.push(user);
        let index = self.data.users.len() - 1;
        PersonBuilder { world: self, index }
    }

    /// Adds a group row to the user list.
    pub fn lms_group(&mut self, login_name: &str) {
        self.data.users.push(UserRow {
            id: Some(UserId::new(guid(7, login_name))),
            login_name: login_name.to_owned(),
            object_id: Some(ObjectId::new(guid(8, login_name))),
            is_group: true,
            ..UserRow::default()
        });
    }

    /// Removes a user.
    pub fn remove(&mut self, name: &str) {
        self.data
            .users
            .retain(|user| user.id != Some(Self::user(name)));
    }

    /// Adds a course.
    pub fn course(&mut self, title: &str) -> CourseId {
        let id = Self::course_id(title);
        self.data.courses.push(CourseRow {
            id,
            catalog: Self::catalog(),
            title: title.to_owned(),
            published: true,
            deleted: false,
        });
        id
    }

    /// Removes a course.
    pub fn remove_course(&mut self, title: &str) {
        self.data.courses.retain(|course| course.title != title);
    }

    /// Returns the name that rules use for a course.
    pub fn course_name(&self, title: &str) -> String {
        format!("course:{}", Self::course_id(title))
    }

    /// Adds a custom field.
    pub fn field(&mut self, title: &str, kind: FieldKind) {
        let id = Self::field_id(title);
        self.data.fields.push(FieldRow {
            id,
            title: title.to_owned(),
            kind,
            predefined: false,
        });
    }

    /// Removes a custom field.
    pub fn remove_field(&mut self, title: &str) {
        self.data.fields.retain(|field| field.title != title);
    }

    /// Returns the name that rules use for a custom field.
    pub fn field_name(&self, title: &str) -> String {
        format!("custom:{}", Self::field_id(title))
    }

    /// Adds a completed enrolment.
    pub fn completed(&mut self, name: &str, course: &str, on: &str) {
        self.enrol(name, course, Progress::Completed, Some(on), None);
    }

    /// Adds an enrolment.
    pub fn enrol(
        &mut self,
        name: &str,
        course: &str,
        progress: Progress,
        done: Option<&str>,
        due: Option<&str>,
    ) {
        self.data.enrolments.push(EnrolmentRow {
            course: Self::course_id(course),
            user: Self::user(name),
            progress,
            completed_at: done.map(day),
            due_at: due.map(day),
        });
    }

    /// Returns a copy of all rows.
    pub fn data(&self) -> LmsData {
        self.data.clone()
    }

    /// Returns the header of the world's snapshot.
    pub fn header(&self) -> Header {
        Header {
            id: SnapshotId::new(slot(), Uuid::nil()),
            tenant: Self::tenant(),
            taken_at: slot(),
        }
    }

    /// Builds a snapshot from the rows.
    pub fn snapshot(&self) -> Snapshot {
        build(self.header(), self.data(), &EntraProperties::default())
    }
}

#[expect(
    clippy::return_self_not_must_use,
    reason = "the user has been added already; chaining is optional"
)]
impl PersonBuilder<'_> {
    /// Sets an LMS property by its rule name.
    ///
    /// # Panics
    /// If the property cannot be set here.
    pub fn with(self, property: &str, value: &str) -> Self {
        let value = Some(value.to_owned());
        let user = &mut self.world.data.users[self.index];
        match property {
            "city" => user.city = value,
            "company" => user.company = value,
            "department" => user.department = value,
            "country" => user.country = value,
            "office" => user.office = value,
            "jobTitle" => user.job_title = value,
            "email" => user.email = value,
            other => panic!("tests cannot set the property {other}"),
        }
        self
    }

    /// Sets a custom field by title.
    pub fn custom(self, field: &str, value: &str) -> Self {
        let id = World::field_id(field);
        self.world.data.users[self.index]
            .custom
            .push((id, value.to_owned()));
        self
    }

    /// Removes the Entra object id of the user.
    pub fn without_entra(self) -> Self {
        self.world.data.users[self.index].object_id = None;
        self
    }

    /// Adds another user.
    pub fn person(self, name: &str) -> Self {
        self.world.person(name)
    }
}

/// Returns the names of the users that a filter matches, sorted.
///
/// # Panics
/// If the filter has problems.
pub fn matching(world: &World, filter: &FilterDocument) -> Vec<String> {
    let snapshot = world.snapshot();
    let checked = filter
        .check(&Fields::of(&snapshot), chrono_tz::UTC)
        .unwrap_or_else(|problems| panic!("{problems:?}"));
    let Some(filter) = checked else {
        return Vec::new();
    };
    let facts = PersonValues::new(&snapshot, slot(), [&filter.0]);
    names(
        &snapshot,
        snapshot
            .people
            .living
            .iter()
            .filter(|row| facts.holds(&filter.0, *row)),
    )
}

/// Returns the names of the users in these rows, sorted.
pub fn names(snapshot: &Snapshot, rows: impl IntoIterator<Item = u32>) -> Vec<String> {
    let mut names: Vec<String> = rows
        .into_iter()
        .filter_map(|row| snapshot.people.property(Property::Title, row))
        .map(str::to_owned)
        .collect();
    names.sort();
    names
}

/// Returns a profile id by title.
pub fn profile_id(title: &str) -> crate::base::ids::ProfileId {
    crate::base::ids::ProfileId::new(guid(9, title))
}

/// Returns a profile without rules, courses or limits.
pub fn profile(title: &str) -> crate::audience::profile::Profile {
    crate::audience::profile::Profile {
        id: profile_id(title),
        title: title.to_owned(),
        description: format!("About {title}"),
        enroll: true,
        auto_populate: true,
        throttle: crate::base::throttle::Throttle::default(),
        filter: FilterDocument::default(),
        overrides: crate::audience::profile::Overrides::default(),
        courses: std::collections::BTreeSet::new(),
        time_zone: chrono_tz::UTC,
        retraction: crate::audience::profile::Retraction::default(),
        retraction_handled: false,
        lifecycle: crate::audience::profile::Lifecycle::Active,
        modified_at: slot(),
        modified_by: "ada@contoso.example".to_owned(),
    }
}
