//! The set `RoleAssignments`: the learners of each course and catalog.

use serde_json::{Value, json};
use uuid::Uuid;

use super::RequestContext;
use super::page::{Field, Set};
use super::system_fields::principal;
use crate::state::CatalogUser;
use crate::tenant::Tenant;
use crate::world::Person;

/// `RoleAssignments`: group enrolments, catalog memberships, then users' enrolments.
pub(super) struct Roles<'a> {
    tenant: &'a Tenant,
    catalog_users: Vec<&'a CatalogUser>,
    expand: Expand,
}

/// The requested expansion of `User`.
#[derive(PartialEq)]
enum Expand {
    Nothing,
    PrincipalType,
    Whole,
}

/// One role: a user or group in a course or catalog.
struct Role {
    user: Uuid,
    course: Option<Uuid>,
    catalog: Option<Uuid>,
}

impl<'a> Roles<'a> {
    pub(super) fn of(context: &'a RequestContext<'_>) -> Self {
        let users = context.tenant.state.catalog_users.iter();
        let expand = match context.call.param("$expand") {
            Some(it) if it.replace(' ', "").contains("User($select=PrincipalType)") => {
                Expand::PrincipalType
            }
            Some(it) if it.contains("User") => Expand::Whole,
            _ => Expand::Nothing,
        };
        Self {
            tenant: context.tenant,
            catalog_users: users
                .filter(|user| user.visible_at <= context.now)
                .collect(),
            expand,
        }
    }

    fn row(&self, at: usize) -> Role {
        let groups = &self.tenant.state.group_enrolments;
        if let Some(row) = groups.get(at) {
            return Role {
                user: row.lms_group_id,
                course: Some(row.course_id),
                catalog: None,
            };
        }
        let at = at - groups.len();
        if let Some(row) = self.catalog_users.get(at) {
            return Role {
                user: row.lms_user_id,
                course: None,
                catalog: Some(row.catalog_id),
            };
        }
        let (user, course) = self.tenant.index.enrolled[at - self.catalog_users.len()];
        Role {
            user,
            course: Some(course),
            catalog: None,
        }
    }

    fn user(&self, id: Uuid) -> Value {
        let group = self
            .tenant
            .state
            .lms_groups
            .iter()
            .find(|group| group.id == id);
        let kind = principal(self.tenant, group.is_some());
        if self.expand == Expand::PrincipalType {
            return json!({"PrincipalType": kind});
        }
        let person = self.tenant.learner(id);
        let login = group
            .map(|it| it.login_name.clone())
            .or(person.map(Person::login_name));
        let object_id = group
            .map(|it| it.object_id)
            .or(person.and_then(|it| it.object_id));
        json!({"Id": id, "LoginName": login, "DirectoryObjectId": object_id, "PrincipalType": kind})
    }
}

impl Set for Roles<'_> {
    fn name(&self) -> &'static str {
        "RoleAssignments"
    }

    fn len(&self) -> usize {
        self.tenant.state.group_enrolments.len()
            + self.catalog_users.len()
            + self.tenant.index.enrolled.len()
    }

    fn field(&self, at: usize, path: &str) -> Option<Field<'_>> {
        let role = self.row(at);
        match path {
            "UserId" => Some(Field::Id(Some(role.user))),
            "RoleScope/CourseId" => Some(Field::Id(role.course)),
            "RoleScope/CatalogId" => Some(Field::Id(role.catalog)),
            "Role" => Some(Field::Text(Some("Learner"))),
            "Id" => Some(Field::Id(Some(role.id()))),
            _ => None,
        }
    }

    fn json(&self, at: usize) -> Value {
        let role = self.row(at);
        let mut row = json!({
            "Id": role.id(),
            "UserId": role.user,
            "Role": "Learner",
            "RoleScope": {"CourseId": role.course, "CatalogId": role.catalog},
        });
        if self.expand != Expand::Nothing {
            row["User"] = self.user(role.user);
        }
        row
    }
}

impl Role {
    /// Returns a derived id, so that the id of an existing role is stable.
    fn id(&self) -> Uuid {
        let scope = self.course.or(self.catalog).unwrap_or_default();
        Uuid::new_v5(&self.user, scope.as_bytes())
    }
}
