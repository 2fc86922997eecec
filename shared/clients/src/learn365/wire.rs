//! The platform's JSON: Pascal or camel case, enumerations as names or numbers, dates with or without a zone.
//!
//! Identifiers, dates and enumerations are read leniently here and judged in
//! `convert`, so that a bad one is reported with its row and field instead of
//! failing the page as a whole.

use std::fmt;

use chrono::{DateTime, NaiveDateTime, Utc};
use serde::de::{self, Visitor};
use serde::{Deserialize, Deserializer};
use uuid::Uuid;

/// A page of an OData collection.
#[derive(Deserialize)]
pub(super) struct Page<T> {
    pub(super) value: Vec<T>,
    #[serde(rename = "@odata.count")]
    pub(super) count: Option<u64>,
    #[serde(rename = "@odata.nextLink")]
    pub(super) next_link: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct WireCourse {
    #[serde(alias = "id")]
    pub(super) id: Option<Id>,
    #[serde(alias = "courseCatalogId")]
    pub(super) course_catalog_id: Option<Id>,
    #[serde(alias = "title")]
    pub(super) title: Option<String>,
    #[serde(alias = "isPublished")]
    pub(super) is_published: Option<bool>,
    #[serde(alias = "isDeleted")]
    pub(super) is_deleted: Option<bool>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct WireCatalog {
    #[serde(alias = "id")]
    pub(super) id: Option<Id>,
    #[serde(alias = "title")]
    pub(super) title: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct WireField {
    #[serde(alias = "id")]
    pub(super) id: Option<Id>,
    #[serde(alias = "title")]
    pub(super) title: Option<String>,
    #[serde(rename = "Type", alias = "type")]
    pub(super) kind: Option<Choice>,
    #[serde(alias = "isPredefined")]
    pub(super) is_predefined: Option<bool>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct WireUser {
    #[serde(alias = "id")]
    pub(super) id: Option<Id>,
    #[serde(alias = "loginName")]
    pub(super) login_name: Option<String>,
    #[serde(alias = "title")]
    pub(super) title: Option<String>,
    #[serde(alias = "directoryObjectId")]
    pub(super) directory_object_id: Option<Id>,
    #[serde(alias = "email")]
    pub(super) email: Option<String>,
    #[serde(alias = "city")]
    pub(super) city: Option<String>,
    #[serde(alias = "company")]
    pub(super) company: Option<String>,
    #[serde(alias = "department")]
    pub(super) department: Option<String>,
    #[serde(alias = "country")]
    pub(super) country: Option<String>,
    #[serde(alias = "office")]
    pub(super) office: Option<String>,
    #[serde(alias = "jobTitle")]
    pub(super) job_title: Option<String>,
    #[serde(alias = "userFieldValues")]
    pub(super) user_field_values: Option<Vec<WireFieldValue>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct WireFieldValue {
    #[serde(alias = "fieldId")]
    pub(super) field_id: Option<Id>,
    #[serde(alias = "value")]
    pub(super) value: Option<serde_json::Value>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct WireEnrollment {
    #[serde(alias = "id")]
    pub(super) id: Option<Id>,
    #[serde(alias = "courseId")]
    pub(super) course_id: Option<Id>,
    #[serde(alias = "userId")]
    pub(super) user_id: Option<Id>,
    #[serde(alias = "coursePassingStatus")]
    pub(super) course_passing_status: Option<Choice>,
    #[serde(alias = "completionDate")]
    pub(super) completion_date: Option<Moment>,
    #[serde(alias = "dueDate")]
    pub(super) due_date: Option<Moment>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct WireRole {
    #[serde(alias = "id")]
    pub(super) id: Option<Id>,
    #[serde(alias = "userId")]
    pub(super) user_id: Option<Id>,
    #[serde(alias = "role", alias = "RoleName", alias = "roleName")]
    pub(super) role: Option<Choice>,
    #[serde(alias = "roleScope")]
    pub(super) role_scope: Option<Scope>,
    #[serde(alias = "user")]
    pub(super) user: Option<RoleHolder>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Scope {
    #[serde(alias = "courseId")]
    pub(super) course_id: Option<Id>,
    #[serde(
        alias = "catalogId",
        alias = "CourseCatalogId",
        alias = "courseCatalogId"
    )]
    pub(super) catalog_id: Option<Id>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct RoleHolder {
    #[serde(alias = "principalType")]
    pub(super) principal_type: Option<Choice>,
}

/// A GUID, or the text that should have been one.
pub(super) type Id = Parsed<Uuid>;

/// A moment, or the text that should have been one.
pub(super) type Moment = Parsed<DateTime<Utc>>;

/// A text that was read as `T`, or is kept (cut) to be reported.
pub(super) enum Parsed<T> {
    Good(T),
    Bad(String),
}

/// What [`Parsed`] can hold.
pub(super) trait FromWire: Sized {
    const EXPECTED: &'static str;
    fn from_wire(text: &str) -> Option<Self>;
}

impl FromWire for Uuid {
    const EXPECTED: &'static str = "a GUID";

    fn from_wire(text: &str) -> Option<Self> {
        Uuid::try_parse(text.trim()).ok()
    }
}

impl FromWire for DateTime<Utc> {
    const EXPECTED: &'static str = "a date";

    /// RFC 3339; without a zone it is UTC, as the platform stores it.
    fn from_wire(text: &str) -> Option<Self> {
        let text = text.trim();
        if let Ok(moment) = DateTime::parse_from_rfc3339(text) {
            return Some(moment.with_timezone(&Utc));
        }
        let local = NaiveDateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S%.f").ok()?;
        Some(local.and_utc())
    }
}

impl<'de, T: FromWire> Deserialize<'de> for Parsed<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader<T>(std::marker::PhantomData<T>);
        impl<T: FromWire> Visitor<'_> for Reader<T> {
            type Value = Parsed<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(T::EXPECTED)
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Parsed<T>, E> {
                let bad = || Parsed::Bad(text.chars().take(40).collect());
                Ok(T::from_wire(text).map_or_else(bad, Parsed::Good))
            }
        }
        deserializer.deserialize_str(Reader(std::marker::PhantomData))
    }
}

/// A member of an enumeration, by name or by number.
pub(super) enum Choice {
    Number(i64),
    Name(String),
}

impl<'de> Deserialize<'de> for Choice {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;
        impl Visitor<'_> for Reader {
            type Value = Choice;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a name or a number")
            }

            fn visit_i64<E: de::Error>(self, number: i64) -> Result<Choice, E> {
                Ok(Choice::Number(number))
            }

            fn visit_u64<E: de::Error>(self, number: u64) -> Result<Choice, E> {
                Ok(Choice::Number(i64::try_from(number).unwrap_or(i64::MAX)))
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Choice, E> {
                let text = text.trim();
                Ok(text
                    .parse()
                    .map_or_else(|_| Choice::Name(text.to_owned()), Choice::Number))
            }
        }
        deserializer.deserialize_any(Reader)
    }
}
