//! The whole learning platform at one moment: columnar, immutable, complete.

pub mod build;
pub mod columns;
pub mod encode;
pub mod sanity;

use std::collections::{BTreeMap, HashMap};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::ids::{CatalogId, CourseId, FieldId, ObjectId, SnapshotId, TenantId, UserId};
use crate::lms::{CatalogRow, CourseRow, FieldKind, FieldRow, RoleRow};

pub use columns::{DateColumn, Enrolment, Enrolments, TextColumn};

/// A property every learner has on the platform (S4-070), exactly these eight.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Property {
    /// City.
    City,
    /// Company.
    Company,
    /// Department.
    Department,
    /// Country.
    Country,
    /// Office.
    Office,
    /// Job title.
    JobTitle,
    /// Mail address.
    Email,
    /// Name of the learner.
    Title,
}

impl Property {
    /// All of them, in the order the guide lists them.
    pub const ALL: [Self; 8] = [
        Self::City,
        Self::Company,
        Self::Department,
        Self::Country,
        Self::Office,
        Self::JobTitle,
        Self::Email,
        Self::Title,
    ];

    /// The name rules use.
    pub const fn name(self) -> &'static str {
        match self {
            Self::City => "city",
            Self::Company => "company",
            Self::Department => "department",
            Self::Country => "country",
            Self::Office => "office",
            Self::JobTitle => "jobTitle",
            Self::Email => "email",
            Self::Title => "title",
        }
    }

    /// The label people see.
    pub const fn label(self) -> &'static str {
        match self {
            Self::City => "City",
            Self::Company => "Company",
            Self::Department => "Department",
            Self::Country => "Country",
            Self::Office => "Office",
            Self::JobTitle => "Job Title",
            Self::Email => "Email",
            Self::Title => "Title",
        }
    }
}

/// Where a value about a person comes from.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Source {
    /// One of the platform's own properties.
    Property(Property),
    /// A custom field of the platform.
    Custom(FieldId),
    /// A property of the person's Entra user (S4-055), by its Graph name.
    Entra(String),
}

/// What it is and when it was taken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Header {
    /// The name it is stored under.
    pub id: SnapshotId,
    /// Whose data it is.
    pub tenant: TenantId,
    /// When the refresh began to read.
    pub taken_at: DateTime<Utc>,
}

/// A group the platform already knows: a row of its user list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LmsGroup {
    /// The platform's user id of the group.
    pub id: UserId,
    /// Its login name, the key of enrolment calls.
    pub login_name: String,
    /// The Entra group behind it.
    pub object_id: Option<ObjectId>,
}

/// The learners, one row each, sorted by user id. Columns are parallel.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct People {
    /// User ids, ascending; a row's number is its place here.
    pub ids: Vec<UserId>,
    /// The Entra object of each; none means the person cannot be in an Entra group.
    pub object_ids: Vec<Option<ObjectId>>,
    /// Text values by source, numbers and booleans included.
    pub texts: BTreeMap<Source, TextColumn>,
    /// Moments by source, for fields whose kind is a date.
    pub dates: BTreeMap<Source, DateColumn>,
}

impl People {
    /// How many there are.
    pub fn count(&self) -> u32 {
        u32::try_from(self.ids.len()).unwrap_or(u32::MAX)
    }

    /// The row of a user.
    pub fn row(&self, id: UserId) -> Option<u32> {
        self.ids
            .binary_search(&id)
            .ok()
            .and_then(|row| u32::try_from(row).ok())
    }

    /// A person's text value as the platform wrote it (trimmed), if any.
    pub fn text(&self, source: &Source, row: u32) -> Option<&str> {
        self.texts.get(source)?.get(row)
    }

    /// A person's built-in property.
    pub fn property(&self, property: Property, row: u32) -> Option<&str> {
        self.text(&Source::Property(property), row)
    }

    /// Rows by Entra object id, for comparing with a group's members.
    pub fn rows_by_object(&self) -> HashMap<ObjectId, u32> {
        self.object_ids
            .iter()
            .zip(0u32..)
            .filter_map(|(object, row)| Some(((*object)?, row)))
            .collect()
    }
}

/// Everything one refresh read, ready to be evaluated.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Snapshot {
    /// What it is.
    pub header: Header,
    /// The learners.
    pub people: People,
    /// Custom and predefined fields.
    pub fields: Vec<FieldRow>,
    /// Entra properties that were read beside the platform's data, by Graph name.
    pub entra_properties: BTreeMap<String, FieldKind>,
    /// Courses, sorted by id; deleted ones are left out.
    pub courses: Vec<CourseRow>,
    /// Catalogs.
    pub catalogs: Vec<CatalogRow>,
    /// Enrolments of people, course-major.
    pub enrolments: Enrolments,
    /// Groups in the platform's user list.
    pub groups: Vec<LmsGroup>,
    /// Roles that groups hold; roles of single people are not kept.
    pub group_roles: Vec<RoleRow>,
}

impl Snapshot {
    /// The course, unless it is deleted (absent or marked so).
    pub fn course(&self, id: CourseId) -> Option<&CourseRow> {
        self.courses
            .binary_search_by_key(&id, |course| course.id)
            .ok()
            .map(|index| &self.courses[index])
    }

    /// The catalog.
    pub fn catalog(&self, id: CatalogId) -> Option<&CatalogRow> {
        self.catalogs.iter().find(|catalog| catalog.id == id)
    }

    /// The custom field, unless it is deleted or one of the platform's own.
    pub fn custom_field(&self, id: FieldId) -> Option<&FieldRow> {
        self.fields
            .iter()
            .find(|field| field.id == id && !field.predefined)
    }

    /// The row the platform keeps for an Entra group.
    pub fn group(&self, object: ObjectId) -> Option<&LmsGroup> {
        self.groups
            .iter()
            .find(|group| group.object_id == Some(object))
    }
}
