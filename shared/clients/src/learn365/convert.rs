//! Converts the platform's rows to domain rows, or returns a message about an invalid row.

use std::borrow::Cow;

use rollcall_domain::base::ids::{CatalogId, CourseId, FieldId, ObjectId, UserId};
use rollcall_domain::snapshot::lms::{
    CatalogRow, CourseRow, EnrolmentRow, FieldRow, Role, RoleScope, User,
};
use serde::Deserialize;
use uuid::Uuid;

use super::enums::{FIELD_KINDS, PRINCIPALS, PROGRESS, choose};
use super::wire::{
    Choice, FromWire, Id, Parsed, WireCatalog, WireCourse, WireEnrollment, WireField,
    WireFieldValue, WireRole, WireUser,
};
use crate::lenient::{Plain, Text};

/// One of the six sets.
pub(super) trait Set: 'static {
    /// The entity set's name in the URL.
    const NAME: &'static str;
    /// Further query options, percent-encoded, with a leading `&`.
    const OPTIONS: &'static str = "";
    /// A row as deserialized from a page.
    type Wire<'a>: Deserialize<'a>;
    /// The domain row, still borrowing from the page.
    type Row<'a>;

    /// Returns the row's own id if the set has one; used to detect duplicates.
    fn own_id(wire: &Self::Wire<'_>) -> Option<Uuid>;

    /// Returns the domain row, or a message about the invalid field.
    fn row(wire: Self::Wire<'_>) -> Result<Self::Row<'_>, String>;
}

/// `Courses`.
pub(super) struct Courses;

impl Set for Courses {
    const NAME: &'static str = "Courses";
    type Wire<'a> = WireCourse<'a>;
    type Row<'a> = CourseRow;

    fn own_id(wire: &Self::Wire<'_>) -> Option<Uuid> {
        known(wire.id.as_ref())
    }

    fn row(wire: Self::Wire<'_>) -> Result<Self::Row<'_>, String> {
        let id = required("Id", wire.id)?;
        Ok(CourseRow {
            id: CourseId::new(id),
            catalog: CatalogId::new(required("CourseCatalogId", wire.course_catalog_id)?),
            title: titled(wire.title, id),
            published: wire.is_published.unwrap_or(false),
            deleted: wire.is_deleted.unwrap_or(false),
        })
    }
}

/// `CourseCatalogs`.
pub(super) struct Catalogs;

impl Set for Catalogs {
    const NAME: &'static str = "CourseCatalogs";
    type Wire<'a> = WireCatalog<'a>;
    type Row<'a> = CatalogRow;

    fn own_id(wire: &Self::Wire<'_>) -> Option<Uuid> {
        known(wire.id.as_ref())
    }

    fn row(wire: Self::Wire<'_>) -> Result<Self::Row<'_>, String> {
        let id = required("Id", wire.id)?;
        Ok(CatalogRow {
            id: CatalogId::new(id),
            title: titled(wire.title, id),
        })
    }
}

/// `UserFields`.
pub(super) struct Fields;

impl Set for Fields {
    const NAME: &'static str = "UserFields";
    type Wire<'a> = WireField<'a>;
    type Row<'a> = FieldRow;

    fn own_id(wire: &Self::Wire<'_>) -> Option<Uuid> {
        known(wire.id.as_ref())
    }

    fn row(wire: Self::Wire<'_>) -> Result<Self::Row<'_>, String> {
        let id = required("Id", wire.id)?;
        Ok(FieldRow {
            id: FieldId::new(id),
            title: titled(wire.title, id),
            kind: choose("Type", wire.kind.as_ref(), &FIELD_KINDS)?,
            predefined: wire.is_predefined.unwrap_or(false),
        })
    }
}

/// `Users`.
pub(super) struct Users;

impl Set for Users {
    const NAME: &'static str = "Users";
    const OPTIONS: &'static str = "&$expand=UserFieldValues";
    type Wire<'a> = WireUser<'a>;
    type Row<'a> = User<'a>;

    fn own_id(wire: &Self::Wire<'_>) -> Option<Uuid> {
        known(wire.id.as_ref())
    }

    fn row(wire: Self::Wire<'_>) -> Result<Self::Row<'_>, String> {
        let login_name = filled(wire.login_name).ok_or("LoginName is missing")?;
        let custom = wire.user_field_values.unwrap_or_default();
        Ok(User {
            id: UserId::new(required("Id", wire.id)?),
            is_group: is_group_login(&login_name),
            login_name,
            title: filled(wire.title),
            object_id: optional("DirectoryObjectId", wire.directory_object_id)?.map(ObjectId::new),
            email: filled(wire.email),
            city: filled(wire.city),
            company: filled(wire.company),
            department: filled(wire.department),
            country: filled(wire.country),
            office: filled(wire.office),
            job_title: filled(wire.job_title),
            custom: custom
                .into_iter()
                .filter_map(custom_value)
                .collect::<Result<_, _>>()?,
        })
    }
}

/// The ids of `Users`.
pub(super) struct UserIds;

impl Set for UserIds {
    const NAME: &'static str = "Users";
    const OPTIONS: &'static str = "&$select=Id";
    type Wire<'a> = WireUser<'a>;
    type Row<'a> = UserId;

    fn own_id(wire: &Self::Wire<'_>) -> Option<Uuid> {
        Users::own_id(wire)
    }

    fn row(wire: Self::Wire<'_>) -> Result<Self::Row<'_>, String> {
        Ok(UserId::new(required("Id", wire.id)?))
    }
}

/// `Enrollments`.
pub(super) struct Enrolments;

impl Set for Enrolments {
    const NAME: &'static str = "Enrollments";
    type Wire<'a> = WireEnrollment<'a>;
    type Row<'a> = EnrolmentRow;

    fn own_id(wire: &Self::Wire<'_>) -> Option<Uuid> {
        known(wire.id.as_ref())
    }

    fn row(wire: Self::Wire<'_>) -> Result<Self::Row<'_>, String> {
        required("Id", wire.id)?;
        let progress = wire.course_passing_status.as_ref();
        Ok(EnrolmentRow {
            course: CourseId::new(required("CourseId", wire.course_id)?),
            user: UserId::new(required("UserId", wire.user_id)?),
            progress: choose("CoursePassingStatus", progress, &PROGRESS)?,
            completed_at: optional("CompletionDate", wire.completion_date)?,
            due_at: optional("DueDate", wire.due_date)?,
        })
    }
}

/// `RoleAssignments`.
pub(super) struct Roles;

impl Set for Roles {
    const NAME: &'static str = "RoleAssignments";
    const OPTIONS: &'static str = "&$expand=User($select=PrincipalType)";
    type Wire<'a> = WireRole<'a>;
    type Row<'a> = Role<'a>;

    fn own_id(wire: &Self::Wire<'_>) -> Option<Uuid> {
        known(wire.id.as_ref())
    }

    fn row(wire: Self::Wire<'_>) -> Result<Self::Row<'_>, String> {
        let is_group = match wire.user.and_then(|user| user.principal_type) {
            Some(kind) => choose("User.PrincipalType", Some(&kind), &PRINCIPALS)?,
            None => false,
        };
        let role = match wire.role {
            Some(Choice::Name(name)) if !name.is_empty() => name,
            Some(Choice::Number(number)) => Cow::Owned(number.to_string()),
            _ => return Err("Role is missing".into()),
        };
        let (course, catalog) = wire
            .role_scope
            .map_or((None, None), |scope| (scope.course_id, scope.catalog_id));
        let course = optional("RoleScope.CourseId", course)?.map(CourseId::new);
        let catalog = optional("RoleScope.CatalogId", catalog)?.map(CatalogId::new);
        let scope = match (course, catalog) {
            (Some(course), _) => RoleScope::Course(course),
            (None, Some(catalog)) => RoleScope::Catalog(catalog),
            (None, None) => RoleScope::Other,
        };
        Ok(Role {
            user: UserId::new(required("UserId", wire.user_id)?),
            is_group,
            role,
            scope,
        })
    }
}

/// Returns the Entra account of a row of the user list, if it is a user with an account.
pub(super) fn entra_account(row: WireUser<'_>) -> Option<ObjectId> {
    let login_name = filled(row.login_name)?;
    let id = known(row.directory_object_id.as_ref())?;
    (!is_group_login(&login_name)).then(|| ObjectId::new(id))
}

/// Returns whether a login name is a group's claim: `c:0t.c|tenant|…` is a security group,
/// `c:0o.c|federateddirectoryclaimprovider|…` a Microsoft 365 group, and other names starting with
/// `c:0` are created by `SharePoint` itself. Login names of users start with `i:0`.
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

/// Returns a text unless it is blank; leading and trailing spaces are data and remain.
fn filled(text: Option<Text<'_>>) -> Option<Cow<'_, str>> {
    text.map(|text| text.0)
        .filter(|text| !text.trim().is_empty())
}

/// Returns the displayed title, or the id if there is none.
fn titled(title: Option<Text<'_>>, id: Uuid) -> String {
    filled(title).map_or_else(|| id.to_string(), Cow::into_owned)
}

/// Returns a custom field's value as text; null and blank values are skipped.
fn custom_value(found: WireFieldValue<'_>) -> Option<Result<(FieldId, Cow<'_, str>), String>> {
    let value = found.value?;
    if value == Plain::Nested {
        return Some(Err(
            "UserFieldValues contains a value that is not a text, number or boolean".into(),
        ));
    }
    let text = value.into_text().filter(|text| !text.trim().is_empty())?;
    Some(required("UserFieldValues.FieldId", found.field_id).map(|id| (FieldId::new(id), text)))
}
