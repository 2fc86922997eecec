//! The sets `Courses`, `CourseCatalogs`, `UserFields` and `Enrollments`.

use serde_json::{Value, json};
use uuid::Uuid;

use super::RequestContext;
use super::page::{Field, Set};
use super::system_fields::{self, enumeration};
use crate::tenant::Tenant;
use crate::world::{Catalog, Course, CourseType, CustomField, Enrolment, FieldKind, Progress};

/// `Courses`.
pub(super) struct Courses<'a> {
    tenant: &'a Tenant,
    rows: Vec<&'a Course>,
}

impl<'a> Courses<'a> {
    pub(super) fn of(context: &'a RequestContext<'_>) -> Self {
        let world = &context.tenant.state.world;
        let all = world.behaviour.list_deleted_courses;
        let rows = world
            .courses
            .iter()
            .filter(|course| all || !course.deleted)
            .collect();
        Self {
            tenant: context.tenant,
            rows,
        }
    }
}

impl Set for Courses<'_> {
    fn name(&self) -> &'static str {
        "Courses"
    }

    fn len(&self) -> usize {
        self.rows.len()
    }

    fn field(&self, at: usize, path: &str) -> Option<Field<'_>> {
        let course = self.rows[at];
        Some(match path {
            "Id" => Field::Id(Some(course.id)),
            "CourseCatalogId" => Field::Id(Some(course.catalog_id)),
            "Title" => Field::Text(Some(&course.title)),
            "IsPublished" | "ShowInCatalog" => Field::Flag(course.published),
            "IsDeleted" => Field::Flag(course.deleted),
            _ => return None,
        })
    }

    fn json(&self, at: usize) -> Value {
        let course = self.rows[at];
        let (name, number) = match course.course_type {
            CourseType::ELearning => ("ELearning", 1),
            CourseType::ClassRoom => ("ClassRoom", 3),
            CourseType::TrainingPlan => ("TrainingPlan", 4),
            CourseType::Webinar => ("Webinar", 5),
        };
        json!({
            "Id": course.id,
            "CourseCatalogId": course.catalog_id,
            "Title": course.title,
            "Description": null,
            "CourseType": enumeration(self.tenant, name, number),
            "CourseID": null,
            "ShowInCatalog": course.published,
            "IsPublished": course.published,
            "IsEnded": false,
            "IsDeleted": course.deleted,
        })
    }
}

/// `CourseCatalogs`.
pub(super) struct Catalogs<'a>(&'a [Catalog]);

impl<'a> Catalogs<'a> {
    pub(super) fn of(context: &'a RequestContext<'_>) -> Self {
        Self(&context.tenant.state.world.catalogs)
    }
}

impl Set for Catalogs<'_> {
    fn name(&self) -> &'static str {
        "CourseCatalogs"
    }

    fn len(&self) -> usize {
        self.0.len()
    }

    fn field(&self, at: usize, path: &str) -> Option<Field<'_>> {
        match path {
            "Id" => Some(Field::Id(Some(self.0[at].id))),
            "Title" => Some(Field::Text(Some(&self.0[at].title))),
            _ => None,
        }
    }

    fn json(&self, at: usize) -> Value {
        json!({"Id": self.0[at].id, "Title": self.0[at].title})
    }
}

/// `UserFields`: the predefined columns, then the custom ones.
pub(super) struct Fields<'a> {
    tenant: &'a Tenant,
    custom: &'a [CustomField],
}

impl<'a> Fields<'a> {
    pub(super) fn of(context: &'a RequestContext<'_>) -> Self {
        Self {
            tenant: context.tenant,
            custom: &context.tenant.state.world.fields,
        }
    }

    fn row(&self, at: usize) -> (Uuid, &str, FieldKind, bool) {
        if let Some(title) = system_fields::TITLES.get(at) {
            let id = system_fields::id(self.tenant.state.world.tenant.id, title);
            return (id, title, FieldKind::String, true);
        }
        let field = &self.custom[at - system_fields::TITLES.len()];
        (field.id, &field.title, field.kind, false)
    }
}

impl Set for Fields<'_> {
    fn name(&self) -> &'static str {
        "UserFields"
    }

    fn len(&self) -> usize {
        system_fields::TITLES.len() + self.custom.len()
    }

    fn field(&self, at: usize, path: &str) -> Option<Field<'_>> {
        let (id, title, _, predefined) = self.row(at);
        match path {
            "Id" => Some(Field::Id(Some(id))),
            "Title" => Some(Field::Text(Some(title))),
            "IsPredefined" => Some(Field::Flag(predefined)),
            _ => None,
        }
    }

    fn json(&self, at: usize) -> Value {
        let (id, title, kind, predefined) = self.row(at);
        json!({
            "Id": id,
            "Title": title,
            "Description": null,
            "Type": system_fields::kind(self.tenant, kind),
            "IsPredefined": predefined,
        })
    }
}

/// `Enrollments` of users; a group's enrolment is only in `RoleAssignments`.
pub(super) struct Enrolments<'a> {
    tenant: &'a Tenant,
    rows: &'a [Enrolment],
}

impl<'a> Enrolments<'a> {
    pub(super) fn of(context: &'a RequestContext<'_>) -> Self {
        Self {
            tenant: context.tenant,
            rows: &context.tenant.state.world.enrolments,
        }
    }
}

impl Set for Enrolments<'_> {
    fn name(&self) -> &'static str {
        "Enrollments"
    }

    fn len(&self) -> usize {
        self.rows.len()
    }

    fn field(&self, at: usize, path: &str) -> Option<Field<'_>> {
        let row = &self.rows[at];
        match path {
            "Id" => Some(Field::Id(Some(row.id))),
            "CourseId" => Some(Field::Id(Some(row.course_id))),
            "UserId" => Some(Field::Id(Some(row.lms_user_id))),
            _ => None,
        }
    }

    fn json(&self, at: usize) -> Value {
        let row = &self.rows[at];
        enrolment(self.tenant, row)
    }
}

/// Returns an enrolment row; also the response to enrolling a user.
pub(super) fn enrolment(tenant: &Tenant, row: &Enrolment) -> Value {
    let (name, number) = match row.status {
        Progress::Completed => ("Completed", 0),
        Progress::NotStarted => ("NotStarted", 1),
        Progress::InProgress => ("InProgress", 2),
    };
    json!({
        "Id": row.id,
        "CourseId": row.course_id,
        "UserId": row.lms_user_id,
        "UserLoginName": tenant.learner(row.lms_user_id).map(crate::world::Person::login_name),
        "Roles": ["Learner"],
        "RegistrationDate": row.registered_at,
        "StartDate": (row.status != Progress::NotStarted).then_some(row.registered_at),
        "CompletionDate": row.completed_at,
        "RegistrationStatus": enumeration(tenant, "Approved", 1),
        "CoursePassingStatus": enumeration(tenant, name, number),
        "DueDate": row.due_at,
        "EndDate": null,
        "IsPartOfTrainingPlan": false,
        "CanUnenroll": true,
        "CreatedAt": row.registered_at,
    })
}
