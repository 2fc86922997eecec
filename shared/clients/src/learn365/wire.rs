//! The platform's JSON: Pascal or camel case, enums by name or number, dates in several formats.
//!
//! Texts are borrowed from the page unless they contain escapes. Identifiers, dates and
//! enumerations are parsed leniently here and validated in `convert`, so that an invalid one is
//! reported with its row and field instead of failing the whole page.

use std::borrow::Cow;
use std::fmt;

use chrono::{DateTime, NaiveDateTime, Utc};
use serde::de::{self, IgnoredAny, Visitor};
use serde::{Deserialize, Deserializer};
use uuid::Uuid;

use crate::lenient::{Plain, Text};

/// The envelope of a page. Parsing it alone is fast and returns the next link before the rows of
/// the page are parsed.
#[derive(Deserialize)]
pub(super) struct Outline {
    /// The rows must be present; they are parsed later.
    #[serde(rename = "value")]
    _rows: IgnoredAny,
    #[serde(rename = "@odata.count")]
    pub(super) count: Option<u64>,
    #[serde(rename = "@odata.nextLink")]
    pub(super) next_link: Option<String>,
}

/// The rows of a page of an OData collection.
#[derive(Deserialize)]
pub(super) struct Rows<T> {
    pub(super) value: Vec<T>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct WireCourse<'a> {
    #[serde(alias = "id")]
    pub(super) id: Option<Id>,
    #[serde(alias = "courseCatalogId")]
    pub(super) course_catalog_id: Option<Id>,
    #[serde(borrow, alias = "title")]
    pub(super) title: Option<Text<'a>>,
    #[serde(alias = "isPublished")]
    pub(super) is_published: Option<bool>,
    #[serde(alias = "isDeleted")]
    pub(super) is_deleted: Option<bool>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct WireCatalog<'a> {
    #[serde(alias = "id")]
    pub(super) id: Option<Id>,
    #[serde(borrow, alias = "title")]
    pub(super) title: Option<Text<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct WireField<'a> {
    #[serde(alias = "id")]
    pub(super) id: Option<Id>,
    #[serde(borrow, alias = "title")]
    pub(super) title: Option<Text<'a>>,
    #[serde(borrow, rename = "Type", alias = "type")]
    pub(super) kind: Option<Choice<'a>>,
    #[serde(alias = "isPredefined")]
    pub(super) is_predefined: Option<bool>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct WireUser<'a> {
    #[serde(alias = "id")]
    pub(super) id: Option<Id>,
    #[serde(borrow, alias = "loginName")]
    pub(super) login_name: Option<Text<'a>>,
    #[serde(borrow, alias = "title")]
    pub(super) title: Option<Text<'a>>,
    #[serde(alias = "directoryObjectId")]
    pub(super) directory_object_id: Option<Id>,
    #[serde(borrow, alias = "email")]
    pub(super) email: Option<Text<'a>>,
    #[serde(borrow, alias = "city")]
    pub(super) city: Option<Text<'a>>,
    #[serde(borrow, alias = "company")]
    pub(super) company: Option<Text<'a>>,
    #[serde(borrow, alias = "department")]
    pub(super) department: Option<Text<'a>>,
    #[serde(borrow, alias = "country")]
    pub(super) country: Option<Text<'a>>,
    #[serde(borrow, alias = "office")]
    pub(super) office: Option<Text<'a>>,
    #[serde(borrow, alias = "jobTitle")]
    pub(super) job_title: Option<Text<'a>>,
    #[serde(borrow, alias = "userFieldValues")]
    pub(super) user_field_values: Option<Vec<WireFieldValue<'a>>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct WireFieldValue<'a> {
    #[serde(alias = "fieldId")]
    pub(super) field_id: Option<Id>,
    #[serde(borrow, alias = "value")]
    pub(super) value: Option<Plain<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct WireEnrollment<'a> {
    #[serde(alias = "id")]
    pub(super) id: Option<Id>,
    #[serde(alias = "courseId")]
    pub(super) course_id: Option<Id>,
    #[serde(alias = "userId")]
    pub(super) user_id: Option<Id>,
    #[serde(borrow, alias = "coursePassingStatus")]
    pub(super) course_passing_status: Option<Choice<'a>>,
    #[serde(alias = "completionDate")]
    pub(super) completion_date: Option<Moment>,
    #[serde(alias = "dueDate")]
    pub(super) due_date: Option<Moment>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct WireRole<'a> {
    #[serde(alias = "id")]
    pub(super) id: Option<Id>,
    #[serde(alias = "userId")]
    pub(super) user_id: Option<Id>,
    #[serde(borrow, alias = "role", alias = "RoleName", alias = "roleName")]
    pub(super) role: Option<Choice<'a>>,
    #[serde(alias = "roleScope")]
    pub(super) role_scope: Option<Scope>,
    #[serde(borrow, alias = "user")]
    pub(super) user: Option<RoleHolder<'a>>,
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
pub(super) struct RoleHolder<'a> {
    #[serde(borrow, alias = "principalType")]
    pub(super) principal_type: Option<Choice<'a>>,
}

/// A GUID, or the invalid text in its place.
pub(super) type Id = Parsed<Uuid>;

/// A time, or the invalid text in its place.
pub(super) type Moment = Parsed<DateTime<Utc>>;

/// A value parsed as `T`, or the (truncated) invalid text for the error message.
pub(super) enum Parsed<T> {
    Good(T),
    Bad(String),
}

/// A type that [`Parsed`] can contain.
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

    /// Parses RFC 3339; a time without a zone is UTC, as stored by the platform.
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

/// An enumeration member, by name or by number.
pub(super) enum Choice<'a> {
    Number(i64),
    Name(Cow<'a, str>),
}

impl<'de: 'a, 'a> Deserialize<'de> for Choice<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let plain = Plain::deserialize(deserializer)?;
        let name = match plain {
            Plain::Text(name) => name,
            Plain::Number(number) => {
                let integer = number.as_i64().or(number.as_u64().map(|_| i64::MAX));
                return integer.map(Self::Number).ok_or_else(not_a_choice);
            }
            _ => return Err(not_a_choice()),
        };
        Ok(match name.trim().parse() {
            Ok(number) => Self::Number(number),
            Err(_) if name.trim().len() == name.len() => Self::Name(name),
            Err(_) => Self::Name(Cow::Owned(name.trim().to_owned())),
        })
    }
}

fn not_a_choice<E: de::Error>() -> E {
    E::custom("neither a name nor a number")
}
