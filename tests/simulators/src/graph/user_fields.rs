//! The properties of users: their names, and the value of each for a user.

use std::borrow::Cow;

use serde_json::{Map, Value, json};

use crate::state::TenantState;
use crate::world::{Person, UserType};

/// A property of a user.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Property {
    Id,
    UserPrincipalName,
    DisplayName,
    GivenName,
    Surname,
    Mail,
    JobTitle,
    Department,
    CompanyName,
    City,
    Country,
    OfficeLocation,
    UserType,
    AccountEnabled,
    EmployeeId,
    EmployeeHireDate,
    BusinessPhones,
    MobilePhone,
    PreferredLanguage,
}

/// All properties with their names.
const ALL: [(&str, Property); 19] = [
    ("id", Property::Id),
    ("userPrincipalName", Property::UserPrincipalName),
    ("displayName", Property::DisplayName),
    ("givenName", Property::GivenName),
    ("surname", Property::Surname),
    ("mail", Property::Mail),
    ("jobTitle", Property::JobTitle),
    ("department", Property::Department),
    ("companyName", Property::CompanyName),
    ("city", Property::City),
    ("country", Property::Country),
    ("officeLocation", Property::OfficeLocation),
    ("userType", Property::UserType),
    ("accountEnabled", Property::AccountEnabled),
    ("employeeId", Property::EmployeeId),
    ("employeeHireDate", Property::EmployeeHireDate),
    ("businessPhones", Property::BusinessPhones),
    ("mobilePhone", Property::MobilePhone),
    ("preferredLanguage", Property::PreferredLanguage),
];

/// The value of a property of a user.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Field<'a> {
    Null,
    Flag(bool),
    Text(Cow<'a, str>),
    /// A collection; all of them are empty in the simulation.
    Nothing,
}

impl Property {
    /// Returns the property with this name, ignoring case.
    pub(super) fn parse(name: &str) -> Option<Self> {
        let mut all = ALL.iter();
        all.find(|(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, property)| *property)
    }

    /// Returns Graph's name of the property.
    pub(super) fn name(self) -> &'static str {
        let mut all = ALL.iter();
        all.find(|(_, property)| *property == self)
            .map_or("", |(name, _)| name)
    }

    /// Returns whether `$filter` supports it.
    pub(super) fn is_filterable(self) -> bool {
        !matches!(
            self,
            Self::EmployeeHireDate
                | Self::BusinessPhones
                | Self::MobilePhone
                | Self::PreferredLanguage
        )
    }

    /// Returns the user's value.
    pub(super) fn of<'a>(self, state: &'a TenantState, person: &'a Person) -> Field<'a> {
        let text = match self {
            Self::Id => return optional(person.object_id.map(|id| id.to_string())),
            Self::EmployeeHireDate => {
                return optional(person.hire_date.map(|day| format!("{day}T00:00:00Z")));
            }
            Self::AccountEnabled => return Field::Flag(person.account_enabled),
            Self::BusinessPhones => return Field::Nothing,
            Self::MobilePhone => return Field::Null,
            Self::PreferredLanguage => {
                let language = person.object_id.and_then(|id| state.languages.get(&id));
                language.map(String::as_str)
            }
            Self::UserType => Some(match person.user_type {
                UserType::Member => "Member",
                UserType::Guest => "Guest",
            }),
            Self::UserPrincipalName => Some(person.upn.as_str()),
            Self::DisplayName => Some(person.display_name.as_str()),
            Self::GivenName => person.given_name.as_deref(),
            Self::Surname => person.surname.as_deref(),
            Self::Mail => person.mail.as_deref(),
            Self::JobTitle => person.job_title.as_deref(),
            Self::Department => person.department.as_deref(),
            Self::CompanyName => person.company.as_deref(),
            Self::City => person.city.as_deref(),
            Self::Country => person.country.as_deref(),
            Self::OfficeLocation => person.office.as_deref(),
            Self::EmployeeId => person.employee_id.as_deref(),
        };
        text.map_or(Field::Null, |text| Field::Text(Cow::Borrowed(text)))
    }
}

impl Field<'_> {
    /// Returns the JSON value.
    pub(super) fn into_json(self) -> Value {
        match self {
            Self::Null => Value::Null,
            Self::Flag(flag) => json!(flag),
            Self::Text(text) => Value::String(text.into_owned()),
            Self::Nothing => json!([]),
        }
    }
}

/// Returns all properties of a user.
pub(super) fn full(state: &TenantState, person: &Person) -> Value {
    let fields = ALL.iter().map(|(name, property)| {
        let value = property.of(state, person).into_json();
        ((*name).to_owned(), value)
    });
    Value::Object(fields.collect::<Map<String, Value>>())
}

fn optional(text: Option<String>) -> Field<'static> {
    text.map_or(Field::Null, |text| Field::Text(Cow::Owned(text)))
}
