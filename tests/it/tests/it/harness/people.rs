//! A small test world: users by first name, courses and fields by title.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use rollcall_simulators::Behaviour;
use rollcall_simulators::generate;
use rollcall_simulators::world::{
    AppCredential, Catalog, Course, CourseType, CustomField, Enrolment, FieldKind, KeyLevel,
    LmsKey, Mailbox, Person, Progress, Room, TenantSeed, UserConsent, UserType, World,
};
use uuid::Uuid;

const NAMESPACE: Uuid = Uuid::from_u128(0x51d1_5d53_8b37_4a6c_9b54_2f4b_7d6e_8f90);

/// Returns the id of an object in a tenant, derived from its kind and name.
pub(crate) fn id(tenant: Uuid, kind: &str, name: &str) -> Uuid {
    Uuid::new_v5(&NAMESPACE, format!("{tenant} {kind} {name}").as_bytes())
}

#[derive(Debug, Clone, Default)]
struct TestUser {
    name: String,
    city: Option<String>,
    custom: Vec<(String, String)>,
    outside_entra: bool,
    outside_lms: bool,
}

/// Users, courses and fields of a test, not bound to a tenant yet.
#[derive(Debug, Clone, Default)]
pub(crate) struct TestTenant {
    people: Vec<TestUser>,
    courses: Vec<(String, String)>,
    fields: Vec<(String, FieldKind)>,
    completed: Vec<(String, String, DateTime<Utc>)>,
    behaviour: Behaviour,
    mailboxes: Vec<(String, Mailbox)>,
    rooms: Vec<Room>,
    global_admins: Vec<String>,
    user_consent: UserConsent,
}

impl TestTenant {
    /// Creates a test tenant without users.
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// Creates a test tenant with Ada and Alan in Denver, Grace in Oslo, and two courses of the Academy.
    pub(crate) fn small() -> Self {
        Self::new()
            .person("Ada", "Denver")
            .person("Alan", "Denver")
            .person("Grace", "Oslo")
            .course("Security 101")
            .course("Fire Safety")
    }

    /// Creates a test tenant with this number of numbered users in Denver and one course.
    pub(crate) fn crowd(people: usize) -> Self {
        (0..people).fold(Self::new().course("Security 101"), |tenant, number| {
            tenant.person(&format!("P{number:04}"), "Denver")
        })
    }

    /// Adds a user of a city, who exists in Entra and on the platform.
    pub(crate) fn person(mut self, name: &str, city: &str) -> Self {
        self.people.push(TestUser {
            name: name.to_owned(),
            city: Some(city.to_owned()),
            ..TestUser::default()
        });
        self
    }

    /// Sets a custom field of the last user.
    pub(crate) fn custom(mut self, field: &str, value: &str) -> Self {
        self.last()
            .custom
            .push((field.to_owned(), value.to_owned()));
        self
    }

    /// Removes the last user from the platform.
    pub(crate) fn outside_lms(mut self) -> Self {
        self.last().outside_lms = true;
        self
    }

    /// Removes the last user from Entra.
    pub(crate) fn outside_entra(mut self) -> Self {
        self.last().outside_entra = true;
        self
    }

    fn last(&mut self) -> &mut TestUser {
        self.people.last_mut().expect("no user was added")
    }

    /// Adds a course of the Academy.
    pub(crate) fn course(self, title: &str) -> Self {
        self.course_of("Academy", title)
    }

    /// Adds a course of a catalog.
    pub(crate) fn course_of(mut self, catalog: &str, title: &str) -> Self {
        self.courses.push((catalog.to_owned(), title.to_owned()));
        self
    }

    /// Adds a custom field.
    pub(crate) fn field(mut self, title: &str, kind: FieldKind) -> Self {
        self.fields.push((title.to_owned(), kind));
        self
    }

    /// Records that a user completed a course.
    pub(crate) fn completed(mut self, name: &str, course: &str, at: DateTime<Utc>) -> Self {
        self.completed
            .push((name.to_owned(), course.to_owned(), at));
        self
    }

    /// Gives a user a mailbox.
    pub(crate) fn mailbox(mut self, name: &str, mailbox: Mailbox) -> Self {
        self.mailboxes.push((name.to_owned(), mailbox));
        self
    }

    /// Adds a room that accepts immediately.
    pub(crate) fn room(self, name: &str) -> Self {
        self.room_that(name, |_| ())
    }

    /// Adds a room.
    pub(crate) fn room_that(mut self, name: &str, change: impl FnOnce(&mut Room)) -> Self {
        let mut room = Room {
            name: name.to_owned(),
            email: format!("{}@contoso.example", name.to_lowercase().replace(' ', "-")),
            capacity: 12,
            building: Some("North".to_owned()),
            accepts: true,
            answer_after_ms: 0,
        };
        change(&mut room);
        self.rooms.push(room);
        self
    }

    /// Makes a user a Global Administrator of the directory.
    pub(crate) fn global_admin(mut self, name: &str) -> Self {
        self.global_admins.push(name.to_owned());
        self
    }

    /// Restricts consent to administrators.
    pub(crate) fn only_admins_consent(mut self) -> Self {
        self.user_consent = UserConsent::AdminOnly;
        self
    }

    /// Changes how the services behave.
    pub(crate) fn behaving(mut self, change: impl FnOnce(&mut Behaviour)) -> Self {
        change(&mut self.behaviour);
        self
    }

    /// Returns the world of the simulators with this tenant id.
    pub(crate) fn world(&self, tenant: Uuid) -> World {
        World {
            tenant: TenantSeed {
                id: tenant,
                name: "Contoso".to_owned(),
                domain: "contoso.example".to_owned(),
                region: "us".to_owned(),
            },
            apps: vec![AppCredential {
                client_id: id(tenant, "app", "rollcall"),
                client_secret: "simulated-secret".to_owned(),
                roles: generate::ROLES
                    .iter()
                    .map(|role| (*role).to_owned())
                    .collect(),
                secret_expired: false,
                disabled: false,
            }],
            lms_keys: vec![LmsKey {
                key: generate::lms_key(tenant),
                level: KeyLevel::FullControl,
            }],
            people: self
                .people
                .iter()
                .map(|person| inhabitant(tenant, person))
                .collect(),
            mailboxes: self
                .mailboxes
                .iter()
                .map(|(name, mailbox)| (id(tenant, "person", name), mailbox.clone()))
                .collect(),
            rooms: self.rooms.clone(),
            admins: self
                .global_admins
                .iter()
                .map(|name| id(tenant, "person", name))
                .collect(),
            user_consent: self.user_consent,
            behaviour: self.behaviour.clone(),
            ..self.learning(tenant)
        }
    }

    /// Returns a world with catalogs, courses, fields and enrolments only.
    fn learning(&self, tenant: Uuid) -> World {
        let catalogs: BTreeMap<&String, Uuid> = self
            .courses
            .iter()
            .map(|(catalog, _)| (catalog, id(tenant, "catalog", catalog)))
            .collect();
        World {
            fields: self
                .fields
                .iter()
                .map(|(title, kind)| CustomField {
                    id: id(tenant, "field", title),
                    title: title.clone(),
                    kind: *kind,
                })
                .collect(),
            courses: self
                .courses
                .iter()
                .map(|(catalog, title)| course(tenant, catalogs[catalog], title))
                .collect(),
            catalogs: catalogs
                .iter()
                .map(|(title, id)| Catalog {
                    id: *id,
                    title: (*title).clone(),
                })
                .collect(),
            enrolments: self
                .completed
                .iter()
                .map(|(name, course, at)| enrolment(tenant, name, course, *at))
                .collect(),
            ..World::default()
        }
    }

    /// Returns a user's name by Entra object id; the id itself if it is unknown.
    pub(crate) fn name_of(&self, tenant: Uuid, object: Uuid) -> String {
        let found = self
            .people
            .iter()
            .find(|person| id(tenant, "person", &person.name) == object);
        found.map_or_else(|| object.to_string(), |person| person.name.clone())
    }
}

fn course(tenant: Uuid, catalog_id: Uuid, title: &str) -> Course {
    Course {
        id: id(tenant, "course", title),
        catalog_id,
        title: title.to_owned(),
        course_type: CourseType::ELearning,
        published: true,
        deleted: false,
    }
}

fn enrolment(tenant: Uuid, name: &str, course: &str, at: DateTime<Utc>) -> Enrolment {
    Enrolment {
        id: id(tenant, "enrolment", &format!("{name} {course} {at}")),
        course_id: id(tenant, "course", course),
        lms_user_id: id(tenant, "learner", name),
        status: Progress::Completed,
        registered_at: at,
        completed_at: Some(at),
        due_at: None,
    }
}

fn inhabitant(tenant: Uuid, person: &TestUser) -> Person {
    let mail = format!("{}@contoso.example", person.name.to_lowercase());
    Person {
        object_id: (!person.outside_entra).then(|| id(tenant, "person", &person.name)),
        lms_id: (!person.outside_lms).then(|| id(tenant, "learner", &person.name)),
        upn: mail.clone(),
        display_name: person.name.clone(),
        given_name: Some(person.name.clone()),
        surname: None,
        mail: Some(mail),
        city: person.city.clone(),
        company: None,
        department: None,
        country: None,
        office: None,
        job_title: None,
        user_type: UserType::Member,
        account_enabled: true,
        employee_id: None,
        hire_date: None,
        manager: None,
        custom: person
            .custom
            .iter()
            .map(|(field, value)| (id(tenant, "field", field), value.clone()))
            .collect(),
    }
}
