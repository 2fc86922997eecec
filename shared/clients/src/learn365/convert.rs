//! From the platform's rows to the domain's, or to a sentence about what is wrong with one.

use std::fmt;

use chrono::{DateTime, Utc};
use rollcall_domain::ids::{CatalogId, CourseId, FieldId, ObjectId, UserId};
use rollcall_domain::lms::{
    CatalogRow, CourseRow, EnrolmentRow, FieldKind, FieldRow, Progress, RoleRow, RoleScope, UserRow,
};
use serde::de::DeserializeOwned;
use serde_json::Value;
use uuid::Uuid;

use super::wire::{
    Choice, FromWire, Id, Parsed, WireCatalog, WireCourse, WireEnrollment, WireField,
    WireFieldValue, WireRole, WireUser,
};

/// One of the six sets.
pub(super) trait WireRow: DeserializeOwned + Send {
    /// The entity set's name in the URL.
    const SET: &'static str;
    /// Further query options, percent-encoded, with a leading `&`.
    const OPTIONS: &'static str = "";
    /// The domain's row.
    type Row: Send;

    /// The row's own id, where the set has one; duplicates are told by it.
    fn own_id(&self) -> Option<Uuid>;

    /// The domain's row, or what is wrong.
    fn into_row(self) -> Result<Self::Row, String>;
}

impl WireRow for WireCourse {
    const SET: &'static str = "Courses";
    type Row = CourseRow;

    fn own_id(&self) -> Option<Uuid> {
        known(self.id.as_ref())
    }

    fn into_row(self) -> Result<CourseRow, String> {
        let id = required("Id", self.id)?;
        Ok(CourseRow {
            id: CourseId::new(id),
            catalog: CatalogId::new(required("CourseCatalogId", self.course_catalog_id)?),
            title: filled(self.title).unwrap_or_else(|| id.to_string()),
            published: self.is_published.unwrap_or(false),
            deleted: self.is_deleted.unwrap_or(false),
        })
    }
}

impl WireRow for WireCatalog {
    const SET: &'static str = "CourseCatalogs";
    type Row = CatalogRow;

    fn own_id(&self) -> Option<Uuid> {
        known(self.id.as_ref())
    }

    fn into_row(self) -> Result<CatalogRow, String> {
        let id = required("Id", self.id)?;
        let title = filled(self.title).unwrap_or_else(|| id.to_string());
        Ok(CatalogRow {
            id: CatalogId::new(id),
            title,
        })
    }
}

impl WireRow for WireField {
    const SET: &'static str = "UserFields";
    type Row = FieldRow;

    fn own_id(&self) -> Option<Uuid> {
        known(self.id.as_ref())
    }

    fn into_row(self) -> Result<FieldRow, String> {
        let id = required("Id", self.id)?;
        Ok(FieldRow {
            id: FieldId::new(id),
            title: filled(self.title).unwrap_or_else(|| id.to_string()),
            kind: choose("Type", self.kind.as_ref(), &FIELD_KINDS)?,
            predefined: self.is_predefined.unwrap_or(false),
        })
    }
}

impl WireRow for WireUser {
    const SET: &'static str = "Users";
    const OPTIONS: &'static str = "&$expand=UserFieldValues";
    type Row = UserRow;

    fn own_id(&self) -> Option<Uuid> {
        known(self.id.as_ref())
    }

    fn into_row(self) -> Result<UserRow, String> {
        let login_name = filled(self.login_name).ok_or("LoginName is missing")?;
        let custom = self.user_field_values.unwrap_or_default();
        Ok(UserRow {
            id: Some(UserId::new(required("Id", self.id)?)),
            is_group: is_group_login(&login_name),
            login_name,
            title: filled(self.title).unwrap_or_default(),
            object_id: optional("DirectoryObjectId", self.directory_object_id)?.map(ObjectId::new),
            email: filled(self.email),
            city: filled(self.city),
            company: filled(self.company),
            department: filled(self.department),
            country: filled(self.country),
            office: filled(self.office),
            job_title: filled(self.job_title),
            custom: custom
                .into_iter()
                .filter_map(custom_value)
                .collect::<Result<_, _>>()?,
        })
    }
}

impl WireRow for WireEnrollment {
    const SET: &'static str = "Enrollments";
    type Row = EnrolmentRow;

    fn own_id(&self) -> Option<Uuid> {
        known(self.id.as_ref())
    }

    fn into_row(self) -> Result<EnrolmentRow, String> {
        required("Id", self.id)?;
        Ok(EnrolmentRow {
            course: CourseId::new(required("CourseId", self.course_id)?),
            user: UserId::new(required("UserId", self.user_id)?),
            progress: choose(
                "CoursePassingStatus",
                self.course_passing_status.as_ref(),
                &PROGRESS,
            )?,
            completed_at: moment("CompletionDate", self.completion_date)?,
            due_at: moment("DueDate", self.due_date)?,
        })
    }
}

impl WireRow for WireRole {
    const SET: &'static str = "RoleAssignments";
    const OPTIONS: &'static str = "&$expand=User($select=PrincipalType)";
    type Row = RoleRow;

    fn own_id(&self) -> Option<Uuid> {
        known(self.id.as_ref())
    }

    fn into_row(self) -> Result<RoleRow, String> {
        let holder = self.user.and_then(|user| user.principal_type);
        let is_group = match holder {
            Some(kind) => choose("User.PrincipalType", Some(&kind), &PRINCIPALS)?,
            None => false,
        };
        let role = match self.role {
            Some(Choice::Name(name)) if !name.is_empty() => name,
            Some(Choice::Number(number)) => number.to_string(),
            _ => return Err("Role is missing".into()),
        };
        let (course, catalog) = self
            .role_scope
            .map_or((None, None), |scope| (scope.course_id, scope.catalog_id));
        let course = optional("RoleScope.CourseId", course)?.map(CourseId::new);
        let catalog = optional("RoleScope.CatalogId", catalog)?.map(CatalogId::new);
        let scope = match (course, catalog) {
            (Some(course), _) => RoleScope::Course(course),
            (None, Some(catalog)) => RoleScope::Catalog(catalog),
            (None, None) => RoleScope::Other,
        };
        let user = UserId::new(required("UserId", self.user_id)?);
        Ok(RoleRow {
            user,
            is_group,
            role,
            scope,
        })
    }
}

/// Names and numbers of an enumeration, and what they mean to us.
type Choices<T> = [(i64, &'static str, T)];

const PROGRESS: [(i64, &str, Progress); 3] = [
    (0, "Completed", Progress::Completed),
    (1, "NotStarted", Progress::NotStarted),
    (2, "InProgress", Progress::InProgress),
];

const FIELD_KINDS: [(i64, &str, FieldKind); 4] = [
    (0, "String", FieldKind::Text),
    (1, "Boolean", FieldKind::Boolean),
    (2, "Number", FieldKind::Number),
    (3, "DateTime", FieldKind::Date),
];

/// The principal types of `SharePoint`, which holds the platform's users; `true` is a group.
const PRINCIPALS: [(i64, &str, bool); 4] = [
    (1, "User", false),
    (2, "DistributionList", true),
    (4, "SecurityGroup", true),
    (8, "SharePointGroup", true),
];

fn choose<T: Copy>(field: &str, found: Option<&Choice>, choices: &Choices<T>) -> Result<T, String> {
    let known = |(number, name, _): &&(i64, &str, T)| match found {
        Some(Choice::Number(n)) => n == number,
        Some(Choice::Name(n)) => same_name(n, name),
        None => false,
    };
    if let Some((_, _, meaning)) = choices.iter().find(known) {
        return Ok(*meaning);
    }
    let names: Vec<_> = choices
        .iter()
        .map(|(number, name, _)| format!("{name} ({number})"))
        .collect();
    let found: &dyn fmt::Display = match found {
        Some(Choice::Number(n)) => n,
        Some(Choice::Name(n)) => n,
        None => &"missing",
    };
    Err(format!(
        "{field} is {found:.40}, which is none of {}",
        names.join(", ")
    ))
}

/// `NotStarted`, `notStarted` and `Not Started` are one name.
fn same_name(found: &str, name: &str) -> bool {
    let letters = found.chars().filter(|c| !matches!(c, ' ' | '_' | '-'));
    letters
        .map(|c| c.to_ascii_lowercase())
        .eq(name.chars().map(|c| c.to_ascii_lowercase()))
}

/// Whether a login name is a group's claim: `c:0t.c|tenant|…` is a security
/// group, `c:0o.c|federateddirectoryclaimprovider|…` a Microsoft 365 group,
/// others starting alike are made by `SharePoint` itself. People's start with `i:0`.
fn is_group_login(login_name: &str) -> bool {
    login_name
        .get(..3)
        .is_some_and(|start| start.eq_ignore_ascii_case("c:0"))
}

fn known(id: Option<&Id>) -> Option<Uuid> {
    match id {
        Some(Parsed::Good(id)) => Some(*id),
        _ => None,
    }
}

fn optional<T: FromWire>(field: &str, found: Option<Parsed<T>>) -> Result<Option<T>, String> {
    match found {
        None => Ok(None),
        Some(Parsed::Good(value)) => Ok(Some(value)),
        Some(Parsed::Bad(text)) if text.trim().is_empty() => Ok(None),
        Some(Parsed::Bad(text)) => Err(format!("{field} is {text:?}, not {}", T::EXPECTED)),
    }
}

fn required(field: &str, found: Option<Id>) -> Result<Uuid, String> {
    optional(field, found)?.ok_or_else(|| format!("{field} is missing"))
}

fn moment(
    field: &str,
    found: Option<Parsed<DateTime<Utc>>>,
) -> Result<Option<DateTime<Utc>>, String> {
    optional(field, found)
}

/// A text that says something; blanks around it are data and stay.
fn filled(text: Option<String>) -> Option<String> {
    text.filter(|text| !text.trim().is_empty())
}

/// A custom field's value as text; null and blank are absent.
fn custom_value(found: WireFieldValue) -> Option<Result<(FieldId, String), String>> {
    let text = match found.value? {
        Value::Null => return None,
        Value::String(text) => filled(Some(text))?,
        Value::Array(_) | Value::Object(_) => {
            return Some(Err(
                "UserFieldValues holds a value that is neither text, number nor truth value".into(),
            ));
        }
        plain => plain.to_string(),
    };
    Some(required("UserFieldValues.FieldId", found.field_id).map(|id| (FieldId::new(id), text)))
}
