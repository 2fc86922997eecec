//! The set `Users`: users and, as in Learn365, groups.

use serde_json::{Value, json};
use uuid::Uuid;

use super::RequestContext;
use super::page::{Field, Set};
use super::system_fields::{self, principal};
use crate::state::LmsGroup;
use crate::tenant::Tenant;
use crate::world::{Person, UserType};

/// `Users`: users in world order, then the visible groups.
pub(super) struct Users<'a> {
    tenant: &'a Tenant,
    groups: Vec<&'a LmsGroup>,
    with_values: bool,
}

enum Row<'a> {
    Person(&'a Person),
    Group(&'a LmsGroup),
}

impl<'a> Users<'a> {
    pub(super) fn of(context: &'a RequestContext<'_>) -> Self {
        let groups = context.tenant.state.lms_groups.iter();
        Self {
            tenant: context.tenant,
            groups: groups
                .filter(|group| group.visible_at <= context.now)
                .collect(),
            with_values: context
                .call
                .param("$expand")
                .is_some_and(|it| it.contains("UserFieldValues")),
        }
    }

    fn row(&self, at: usize) -> Row<'a> {
        let learners = &self.tenant.index.learners;
        match at.checked_sub(learners.len()) {
            Some(nth) => Row::Group(self.groups[nth]),
            None => Row::Person(&self.tenant.state.world.people[learners[at]]),
        }
    }

    fn values(&self, person: &Person) -> Vec<Value> {
        let tenant = self.tenant.state.world.tenant.id;
        let predefined = system_fields::TITLES.iter().filter_map(|title| {
            let value = system_fields::value(self.tenant, person, title)?;
            Some((system_fields::id(tenant, title), *title, value))
        });
        let custom = self.tenant.state.world.fields.iter().filter_map(|field| {
            Some((
                field.id,
                field.title.as_str(),
                person.custom.get(&field.id)?.clone(),
            ))
        });
        let all = predefined.chain(custom);
        all.map(|(id, title, value)| json!({"FieldId": id, "FieldTitle": title, "Value": value}))
            .collect()
    }

    /// Returns the object id that the platform lists: also that of an account that was deleted in
    /// Entra, if the platform keeps it.
    fn account(&self, person: &Person) -> Option<Uuid> {
        let state = &self.tenant.state;
        if person.object_id.is_some() || !state.world.behaviour.lms_keeps_deleted_accounts {
            return person.object_id;
        }
        let mut deleted = state.deleted_users.iter();
        let deleted = deleted.find(|it| it.person.lms_id == person.lms_id)?;
        deleted.person.object_id
    }

    fn person(&self, person: &Person) -> Value {
        let manager = person.manager.and_then(|id| self.tenant.person(id));
        let manager = manager.filter(|manager| manager.lms_id.is_some());
        let mut row = json!({
            "Id": person.lms_id,
            "LoginName": person.login_name(),
            "Title": person.display_name,
            "Email": person.mail,
            "Department": person.department,
            "City": person.city,
            "Country": person.country,
            "Office": person.office,
            "JobTitle": person.job_title,
            "ManagerId": manager.and_then(|manager| manager.lms_id),
            "ManagerLoginName": manager.map(Person::login_name),
            "DirectoryObjectId": self.account(person),
            "IsExternal": person.user_type == UserType::Guest,
            "PrincipalType": principal(self.tenant, false),
        });
        if self.with_values {
            row["UserFieldValues"] = Value::Array(self.values(person));
        }
        row
    }

    fn group(&self, group: &LmsGroup) -> Value {
        let mut row = json!({
            "Id": group.id,
            "LoginName": group.login_name,
            "Title": group.title,
            "Email": null,
            "Department": null,
            "City": null,
            "Country": null,
            "Office": null,
            "JobTitle": null,
            "ManagerId": null,
            "ManagerLoginName": null,
            "DirectoryObjectId": group.object_id,
            "IsExternal": false,
            "PrincipalType": principal(self.tenant, true),
        });
        if self.with_values {
            row["UserFieldValues"] = json!([]);
        }
        row
    }
}

impl Set for Users<'_> {
    fn name(&self) -> &'static str {
        "Users"
    }

    fn len(&self) -> usize {
        self.tenant.index.learners.len() + self.groups.len()
    }

    fn field(&self, at: usize, path: &str) -> Option<Field<'_>> {
        match self.row(at) {
            Row::Person(person) => Some(match path {
                "Id" => Field::Id(person.lms_id),
                "DirectoryObjectId" => Field::Id(self.account(person)),
                "LoginName" => Field::Owned(person.login_name()),
                "Email" => Field::Text(person.mail.as_deref()),
                "Title" => Field::Text(Some(&person.display_name)),
                _ => return None,
            }),
            Row::Group(group) => Some(match path {
                "Id" => Field::Id(Some(group.id)),
                "DirectoryObjectId" => Field::Id(Some(group.object_id)),
                "LoginName" => Field::Text(Some(&group.login_name)),
                "Email" => Field::Text(None),
                "Title" => Field::Text(Some(&group.title)),
                _ => return None,
            }),
        }
    }

    fn json(&self, at: usize) -> Value {
        match self.row(at) {
            Row::Person(person) => self.person(person),
            Row::Group(group) => self.group(group),
        }
    }
}
