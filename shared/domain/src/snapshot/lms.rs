//! Rows as the learning platform delivers them, already free of its wire format.
//!
//! A client translates every set into these; the snapshot is built from them.

use std::borrow::Cow;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::base::ids::{CatalogId, CourseId, FieldId, ObjectId, UserId};

/// One course or training plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CourseRow {
    /// Its id.
    pub id: CourseId,
    /// The catalog it lives in.
    pub catalog: CatalogId,
    /// The title people see.
    pub title: String,
    /// Whether learners can see it.
    pub published: bool,
    /// Whether the platform lists it as deleted (absent means deleted as well).
    pub deleted: bool,
}

/// One course catalog.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CatalogRow {
    /// Its id.
    pub id: CatalogId,
    /// The title people see.
    pub title: String,
}

/// What a custom field holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FieldKind {
    /// Free text.
    Text,
    /// `true` or `false`.
    Boolean,
    /// A decimal number.
    Number,
    /// A moment.
    Date,
}

/// One user field (column); predefined ones mirror the platform's own properties.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldRow {
    /// Its id.
    pub id: FieldId,
    /// The title people see.
    pub title: String,
    /// What its values are.
    pub kind: FieldKind,
    /// Whether the platform made it (city, job title…) rather than the customer.
    pub predefined: bool,
}

/// One row of the platform's user list. Groups are rows of that list too.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct UserRow {
    /// Its id; `None` never leaves a client (a row without one is an error there).
    pub id: Option<UserId>,
    /// The claims login name, the key of the platform's write calls.
    pub login_name: String,
    /// The display name (the platform calls it title).
    pub title: String,
    /// The Entra object behind it, when there is one.
    pub object_id: Option<ObjectId>,
    /// Whether the row is a group rather than a person.
    pub is_group: bool,
    /// Mail address.
    pub email: Option<String>,
    /// City.
    pub city: Option<String>,
    /// Company.
    pub company: Option<String>,
    /// Department.
    pub department: Option<String>,
    /// Country.
    pub country: Option<String>,
    /// Office.
    pub office: Option<String>,
    /// Job title.
    pub job_title: Option<String>,
    /// Values of custom fields, as the platform writes them.
    pub custom: Vec<(FieldId, String)>,
}

impl UserRow {
    /// The same without a copy; `None` if it has no id.
    pub fn borrowed(&self) -> Option<User<'_>> {
        fn text(text: Option<&String>) -> Option<Cow<'_, str>> {
            text.map(|text| Cow::Borrowed(text.as_str()))
        }
        Some(User {
            id: self.id?,
            login_name: Cow::Borrowed(&self.login_name),
            title: text(Some(&self.title)),
            object_id: self.object_id,
            is_group: self.is_group,
            email: text(self.email.as_ref()),
            city: text(self.city.as_ref()),
            company: text(self.company.as_ref()),
            department: text(self.department.as_ref()),
            country: text(self.country.as_ref()),
            office: text(self.office.as_ref()),
            job_title: text(self.job_title.as_ref()),
            custom: self
                .custom
                .iter()
                .map(|(field, value)| (*field, Cow::Borrowed(value.as_str())))
                .collect(),
        })
    }
}

/// One row of the user list as it lies in the page it came with: texts are
/// borrowed from the page, and nobody keeps it longer than that.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User<'a> {
    /// Its id.
    pub id: UserId,
    /// The claims login name, the key of the platform's write calls.
    pub login_name: Cow<'a, str>,
    /// The display name (the platform calls it title).
    pub title: Option<Cow<'a, str>>,
    /// The Entra object behind it, when there is one.
    pub object_id: Option<ObjectId>,
    /// Whether the row says that it is a group; a role can say so as well.
    pub is_group: bool,
    /// Mail address.
    pub email: Option<Cow<'a, str>>,
    /// City.
    pub city: Option<Cow<'a, str>>,
    /// Company.
    pub company: Option<Cow<'a, str>>,
    /// Department.
    pub department: Option<Cow<'a, str>>,
    /// Country.
    pub country: Option<Cow<'a, str>>,
    /// Office.
    pub office: Option<Cow<'a, str>>,
    /// Job title.
    pub job_title: Option<Cow<'a, str>>,
    /// Values of custom fields, as the platform writes them.
    pub custom: Vec<(FieldId, Cow<'a, str>)>,
}

/// How far a learner is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Progress {
    /// Completed.
    Completed,
    /// Enrolled, nothing done yet.
    NotStarted,
    /// Begun, not completed.
    InProgress,
}

/// One enrolment of one user in one course. A retaken course has several.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EnrolmentRow {
    /// The course.
    pub course: CourseId,
    /// The learner (or group) by the platform's user id.
    pub user: UserId,
    /// How far the learner is.
    pub progress: Progress,
    /// When it was completed.
    pub completed_at: Option<DateTime<Utc>>,
    /// By when it should be completed; none means it is never late.
    pub due_at: Option<DateTime<Utc>>,
}

/// What a role is held on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RoleScope {
    /// A course.
    Course(CourseId),
    /// A catalog.
    Catalog(CatalogId),
    /// Something this service does not manage (the whole tenant, for example).
    Other,
}

/// One role as it lies in the page it came with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Role<'a> {
    /// Who holds it, by the platform's user id.
    pub user: UserId,
    /// Whether the row says that the holder is a group.
    pub is_group: bool,
    /// The role's name, such as `Learner`.
    pub role: Cow<'a, str>,
    /// Where it holds.
    pub scope: RoleScope,
}

impl Role<'_> {
    /// The same, independent of the page.
    pub fn into_row(self) -> RoleRow {
        RoleRow {
            user: self.user,
            is_group: self.is_group,
            role: self.role.into_owned(),
            scope: self.scope,
        }
    }
}

/// One role held by a user or a group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoleRow {
    /// Who holds it, by the platform's user id.
    pub user: UserId,
    /// Whether the holder is a group.
    pub is_group: bool,
    /// The role's name, such as `Learner`.
    pub role: String,
    /// Where it holds.
    pub scope: RoleScope,
}

/// The six sets of one refresh (S4-098), whole and in memory: how tests and
/// benchmarks make them. A refresh gathers them page by page instead, see
/// [`crate::snapshot::ingest::Sets`].
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct LmsData {
    /// Courses and training plans.
    pub courses: Vec<CourseRow>,
    /// Catalogs.
    pub catalogs: Vec<CatalogRow>,
    /// People and groups.
    pub users: Vec<UserRow>,
    /// Columns of the user list.
    pub fields: Vec<FieldRow>,
    /// Enrolments.
    pub enrolments: Vec<EnrolmentRow>,
    /// Role assignments.
    pub roles: Vec<RoleRow>,
}
