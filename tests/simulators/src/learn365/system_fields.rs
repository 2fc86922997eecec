//! The predefined user fields of every Learn365 tenant, and the format of enumerations.

use serde_json::{Value, json};
use uuid::Uuid;

use crate::tenant::Tenant;
use crate::world::{FieldKind, Person};

/// Titles of the predefined columns in their order.
pub(super) const TITLES: [&str; 7] = [
    "Job Title",
    "Department",
    "Office",
    "Company",
    "City",
    "Country",
    "Manager",
];

/// Returns the id of a predefined column; ids differ between tenants.
pub(super) fn id(tenant: Uuid, title: &str) -> Uuid {
    Uuid::new_v5(&tenant, format!("user-field:{title}").as_bytes())
}

/// Returns a user's value in a predefined column.
pub(super) fn value(tenant: &Tenant, person: &Person, title: &str) -> Option<String> {
    match title {
        "Job Title" => person.job_title.clone(),
        "Department" => person.department.clone(),
        "Office" => person.office.clone(),
        "Company" => person.company.clone(),
        "City" => person.city.clone(),
        "Country" => person.country.clone(),
        _ => person
            .manager
            .and_then(|id| tenant.person(id))
            .map(|it| it.display_name.clone()),
    }
}

/// Returns an enumeration value as name or number, depending on the tenant's behaviour.
pub(super) fn enumeration(tenant: &Tenant, name: &str, number: u8) -> Value {
    if tenant.state.world.behaviour.enums_as_numbers {
        json!(number)
    } else {
        json!(name)
    }
}

/// Returns `Type` of a user field.
pub(super) fn kind(tenant: &Tenant, kind: FieldKind) -> Value {
    let (name, number) = match kind {
        FieldKind::String => ("String", 0),
        FieldKind::Boolean => ("Boolean", 1),
        FieldKind::Number => ("Number", 2),
        FieldKind::DateTime => ("DateTime", 3),
    };
    enumeration(tenant, name, number)
}

/// Returns `PrincipalType` of users and groups, with the numbers of `SPPrincipalType`.
pub(super) fn principal(tenant: &Tenant, is_group: bool) -> Value {
    let (name, number) = if is_group {
        ("SecurityGroup", 4)
    } else {
        ("User", 1)
    };
    enumeration(tenant, name, number)
}
