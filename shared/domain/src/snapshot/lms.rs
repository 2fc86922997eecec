//! Rows as the LMS delivers them, independent of its wire format.
//!
//! A client converts every data set to these types; the snapshot is built from them.

use std::borrow::Cow;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::base::ids::{CatalogId, CourseId, FieldId, ObjectId, UserId};

/// One course or training plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CourseRow {
    /// Its id.
    pub id: CourseId,
    /// The catalog that contains it.
    pub catalog: CatalogId,
    /// The title shown to users.
    pub title: String,
    /// True if learners can see it.
    pub published: bool,
    /// True if the platform lists it as deleted (an absent course is deleted, too).
    pub deleted: bool,
}

/// One course catalog.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CatalogRow {
    /// Its id.
    pub id: CatalogId,
    /// The title shown to users.
    pub title: String,
}

/// The type of a custom field's values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FieldKind {
    /// Free text.
    Text,
    /// `true` or `false`.
    Boolean,
    /// A decimal number.
    Number,
    /// A time.
    Date,
}

/// One user field (column); predefined ones mirror the platform's own properties.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldRow {
    /// Its id.
    pub id: FieldId,
    /// The title shown to users.
    pub title: String,
    /// The type of its values.
    pub kind: FieldKind,
    /// True if the platform defined it (city, job title…), false if the customer did.
    pub predefined: bool,
}

/// One row of the platform's user list. Groups are rows of that list too.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct UserRow {
    /// Its id; a client never returns `None`, because it rejects a row without an id.
    pub id: Option<UserId>,
    /// The claims login name, the key of the platform's write calls.
    pub login_name: String,
    /// The display name (the platform calls it title).
    pub title: String,
    /// The corresponding Entra object, if any.
    pub object_id: Option<ObjectId>,
    /// True if the row is a group rather than a user.
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
    /// Returns the row with borrowed texts; `None` if it has no id.
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

/// One row of the user list whose texts are borrowed from the page it was read from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User<'a> {
    /// Its id.
    pub id: UserId,
    /// The claims login name, the key of the platform's write calls.
    pub login_name: Cow<'a, str>,
    /// The display name (the platform calls it title).
    pub title: Option<Cow<'a, str>>,
    /// The corresponding Entra object, if any.
    pub object_id: Option<ObjectId>,
    /// True if the row is marked as a group; a role can identify a group, too.
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

/// A learner's progress in a course.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Progress {
    /// Completed.
    Completed,
    /// Enrolled, not started.
    NotStarted,
    /// Started, not completed.
    InProgress,
}

/// One enrolment of one user in one course. A retaken course has several.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EnrolmentRow {
    /// The course.
    pub course: CourseId,
    /// The learner (or group) by the platform's user id.
    pub user: UserId,
    /// The learner's progress.
    pub progress: Progress,
    /// The time of completion.
    pub completed_at: Option<DateTime<Utc>>,
    /// The due date; an enrolment without one is never late.
    pub due_at: Option<DateTime<Utc>>,
}

/// The object on which a role is held.
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

/// One role, with the name borrowed from the page it was read from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Role<'a> {
    /// The holder, by the platform's user id.
    pub user: UserId,
    /// True if the row marks the holder as a group.
    pub is_group: bool,
    /// The role's name, such as `Learner`.
    pub role: Cow<'a, str>,
    /// Where the role applies.
    pub scope: RoleScope,
}

impl Role<'_> {
    /// Returns the role with an owned name, independent of the page.
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
    /// The holder, by the platform's user id.
    pub user: UserId,
    /// True if the holder is a group.
    pub is_group: bool,
    /// The role's name, such as `Learner`.
    pub role: String,
    /// Where the role applies.
    pub scope: RoleScope,
}

/// The six data sets of one refresh (S4-098), complete and in memory, for tests and benchmarks. A
/// refresh collects them page by page instead, see [`crate::snapshot::ingest::Sets`].
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct LmsData {
    /// Courses and training plans.
    pub courses: Vec<CourseRow>,
    /// Catalogs.
    pub catalogs: Vec<CatalogRow>,
    /// Users and groups.
    pub users: Vec<UserRow>,
    /// Columns of the user list.
    pub fields: Vec<FieldRow>,
    /// Enrolments.
    pub enrolments: Vec<EnrolmentRow>,
    /// Role assignments.
    pub roles: Vec<RoleRow>,
}
